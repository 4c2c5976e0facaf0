"""What a measure depends on, against functions whose indices are known."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from simvirt.sweep.axes import varied
from simvirt.sweep.designs import cells_of, design_of
from simvirt.sweep.effects import effects

AXES = [varied("a=1..4"), varied("b=1..3"), varied("c=1..2")]


def rows(value: Any) -> list[dict[str, Any]]:
    """A row for each combination, whose measures are all the same function of it."""
    found = []
    for a, b, c in product(range(1, 5), range(1, 4), range(1, 3)):
        y = value(a, b, c)
        found.append({"platform": "p", "a": str(a), "b": str(b), "c": str(c), "latency_p99_s": y, "latency_mean_s": y, "throughput_per_s": y})
    return found


def shares(value: Any) -> dict[tuple[str, ...], float]:
    """Axes -> share of the variance of p99."""
    return {e.axes: e.share for e in effects(AXES, design_of(None), rows(value)) if e.measure == "latency_p99_s"}


def test_of_a_sum_each_axis_has_its_own_variance() -> None:
    """Var(a) = 15/12, Var(3 b) = 9 x 8/12; c has no effect, nothing interacts."""
    found = shares(lambda a, b, c: a + 3 * b)
    assert found[("a",)] == pytest.approx(1.25 / 7.25)
    assert found[("b",)] == pytest.approx(6.0 / 7.25)
    assert all(share == pytest.approx(0, abs=1e-12) for axes, share in found.items() if axes not in (("a",), ("b",)))


def test_what_only_acts_together_is_an_interaction() -> None:
    found = shares(lambda a, b, c: (a - 2.5) * (c - 1.5))
    assert found[("a", "c")] == pytest.approx(1)
    assert found[("a",)] == found[("c",)] == pytest.approx(0)


def test_where_it_is_small_and_large() -> None:
    (effect,) = (e for e in effects(AXES, design_of(None), rows(lambda a, b, c: 10.0 - a)) if e.axes == ("a",) and e.measure == "latency_mean_s")
    assert (effect.low, effect.low_mean, effect.high, effect.high_mean) == ("4", 6.0, "1", 9.0)


def test_a_constant_depends_on_nothing() -> None:
    assert effects(AXES, design_of(None), rows(lambda a, b, c: 5.0)) == ()


def test_ranges_of_drawn_designs_give_the_indices_of_ishigami() -> None:
    """sin x + 7 sin^2 y + 0.1 z^4 sin x: first-order indices 0.314, 0.442, 0 (Ishigami and Homma 1990); parts blur them a little."""
    from math import pi, sin

    axes = [varied(f"{name}=-1.0..1.0") for name in "xyz"]
    found = []
    for cell in cells_of(design_of({"sobol": 4096}), axes, seed=1):
        x, y, z = (float(label) * pi for label in cell.labels)
        value = sin(x) + 7 * sin(y) ** 2 + 0.1 * z**4 * sin(x)
        measures = dict.fromkeys(("latency_p99_s", "latency_mean_s", "throughput_per_s"), value)
        found.append({"platform": "p", **dict(zip("xyz", cell.labels, strict=True)), **measures})
    share = {e.axes[0]: e.share for e in effects(axes, design_of({"sobol": 4096}), found) if e.measure == "latency_p99_s"}
    assert share["x"] == pytest.approx(0.314, abs=0.02)
    assert share["y"] == pytest.approx(0.442, abs=0.02)
    assert share["z"] < 0.012

"""What sweeps answer beyond effects: Sobol' indices, the Pareto front, knee and saturation along a load."""

from __future__ import annotations

from itertools import product
from math import pi, sin
from typing import Any

import numpy as np
import pytest

from simvirt.errors import UsageError
from simvirt.sweep.axes import varied
from simvirt.sweep.designs import cells_of, count, design_of
from simvirt.sweep.effects import effects
from simvirt.sweep.indices import sobol_indices
from simvirt.sweep.pareto import front, objectives_of, undominated
from simvirt.sweep.swept_knees import swept_knees


def row(cell: int, **values: Any) -> dict[str, Any]:
    """A row with what every row has."""
    return {"cell": cell, "platform": "p", "objective": "", "latency_p99_s": None, "latency_mean_s": None, "throughput_per_s": None, **values}


# -- indices --------------------------------------------------------------------------------------------------------------------


def indices(function: Any, names: str, pairs: int) -> dict[str, Any]:
    """Axis -> its indices, of a function of as many numbers from -pi to pi as there are names."""
    axes, design = [varied(f"{name}=-1.0..1.0") for name in names], design_of({"sobol-indices": pairs})
    cells = list(cells_of(design, axes, seed=1))
    assert len(cells) == count(design, axes) == pairs * (len(names) + 2)
    rows = [row(cell.number, latency_p99_s=function(*(pi * float(label) for label in cell.labels))) for cell in cells]
    assert effects(axes, design, rows) == (), "its cells are no independent draws"
    return {one.axis: one for one in sobol_indices(axes, design, rows, seed=1)}


def test_the_indices_of_ishigami() -> None:
    """sin x + 7 sin^2 y + 0.1 z^4 sin x: first 0.314, 0.442, 0; total 0.558, 0.442, 0.244 (Ishigami and Homma 1990)."""
    found = indices(lambda x, y, z: sin(x) + 7 * sin(y) ** 2 + 0.1 * z**4 * sin(x), "xyz", 1024)
    for name, first, total in (("x", 0.3139, 0.5576), ("y", 0.4424, 0.4424), ("z", 0.0, 0.2437)):
        assert found[name].first.value == pytest.approx(first, abs=0.03)
        assert found[name].total.value == pytest.approx(total, abs=0.03)
        assert found[name].first.low <= first <= found[name].first.high
        assert found[name].total.low <= total <= found[name].total.high
    assert list(found) == ["x", "y", "z"], "the largest total first"


def test_indices_depend_on_nothing_but_their_cells_and_the_seed() -> None:
    once, again = (indices(lambda x, y: x + x * y, "xy", 64) for _ in range(2))
    assert once == again


def test_where_a_cell_is_missing_there_are_no_indices() -> None:
    axes, design = [varied("x=0.0..1.0"), varied("y=0.0..1.0")], design_of({"sobol-indices": 16})
    rows = [row(cell.number, latency_p99_s=float(cell.labels[0])) for cell in cells_of(design, axes, seed=1)]
    assert sobol_indices(axes, design, rows, 1)
    assert sobol_indices(axes, design, rows[1:], 1) == ()


def test_pairs_are_a_power_of_two() -> None:
    with pytest.raises(UsageError, match=r"expected a power of two for sobol-indices, for example \{sobol-indices: 64\}; got 60"):
        design_of({"sobol-indices": 60})


# -- the Pareto front -----------------------------------------------------------------------------------------------------------


def test_nothing_on_the_front_is_beaten_and_all_else_is() -> None:
    values = np.random.default_rng(3).random((400, 3))
    keep = undominated(values)
    for place, mine in enumerate(values):
        beaten = any((other <= mine).all() and (other < mine).any() for other in values)
        assert keep[place] == (not beaten)


def test_equal_rows_are_all_on_the_front() -> None:
    assert undominated(np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0], [2.0, 2.0]])).tolist() == [True, True, True, False]


AXES = [varied("services.web.deploy.replicas=1..3"), varied("workload.open.rate=100/s,200/s")]


def test_cost_against_p99() -> None:
    """Three replicas are no faster than two, and one is slow."""
    objectives = objectives_of({"cost": {"services.web.deploy.replicas": 30}, "p99": None}, AXES)
    rows = [row(n, **{"services.web.deploy.replicas": str(n), "workload.open.rate": "100/s", "latency_p99_s": p99}) for n, p99 in ((1, 0.9), (2, 0.1), (3, 0.1))]
    found = front(objectives, [*rows, row(4, **{"services.web.deploy.replicas": "1"})])
    assert found is not None
    assert dict(found.objectives) == {"cost": "min", "latency_p99_s": "min"}
    assert [(p.cell, p.values["cost"]) for p in found.points] == [(1, 30.0), (2, 60.0)], "the last row answered nothing"


def test_more_of_a_throughput_is_better_and_ways_can_be_said() -> None:
    found = objectives_of("throughput, services.web.deploy.replicas:max", AXES)
    assert found is not None
    assert dict(found.ways) == {"throughput_per_s": "max", "services.web.deploy.replicas": "max"}


@pytest.mark.parametrize(("given", "words"), [
    ("p99", "at least two objectives"), ("p99,color", "color: expected one of mean, p50"), ({"p99": "low", "mean": "min"}, "expected min or max"),
    ({"cost": {"x": 3}, "p99": "min"}, "what a unit of an axis costs"), (7, "names of measures"),
])
def test_wrong_objectives(given: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        objectives_of(given, AXES)


# -- along a load ---------------------------------------------------------------------------------------------------------------


def mm1(rate: int, most: float = 1000.0) -> dict[str, Any]:
    """A row of M/M/1 without noise, whose objective is a mean of 10 ms at most."""
    mean = 1 / (most - rate) if rate < most else 1.0
    said = "met" if mean <= 0.01 else "missed"
    return {"workload.open.rate": f"{rate}/s", "objective": said, "latency_mean_s": mean, "throughput_per_s": min(rate, most), "requests": 10**6}


def test_knee_and_saturation_of_mm1() -> None:
    axes = [varied("workload.open.rate=100/s..1200/s:12"), varied("services.web.threads=1,2")]
    rows = [row(n, **mm1(rate), **{"services.web.threads": threads}) for n, (threads, rate) in enumerate(product("12", range(100, 1300, 100)))]
    found = swept_knees(axes, design_of(None), rows[::-1])
    assert [one.at for one in found] == [{"services.web.threads": "2"}, {"services.web.threads": "1"}]
    for one in found:
        assert (one.met, one.missed, one.saturated, one.most_per_s) == ("900/s", "1000/s", "1100/s", 1000)
        assert one.power == "500/s", "half of the maximum, as Kleinrock has it"


def test_what_is_no_load_has_no_knee() -> None:
    axes = [varied("services.web.threads=1..4")]
    assert swept_knees(axes, design_of(None), [row(n, **{"services.web.threads": str(n)}) for n in range(1, 5)]) == ()
    rates = [varied("workload.open.rate=100/s..400/s:4")]
    assert swept_knees(rates, design_of({"random": 4}), [row(n, **mm1(100 * n)) for n in range(1, 5)]) == (), "no lines in a drawn design"

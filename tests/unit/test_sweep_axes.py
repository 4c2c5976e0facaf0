"""Axes and designs of sweeps: what is written, and the cells that come of it."""

from __future__ import annotations

from typing import Any

import pytest

from simvirt.errors import UsageError
from simvirt.sweep.axes import axis_of, varied
from simvirt.sweep.designs import cells_of, count, design_of


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("a=1..4", "1 2 3 4"),
        ("a=1..16:4", "1 6 11 16"),
        ("a=0.5..1.5:3", "0.5 1 1.5"),
        ("a=100/s..10000/s:3:log", "100/s 1000/s 10000/s"),
        ("a=1ms..3ms", "1ms 2ms 3ms"),
        ("a=10ms,50ms", "10ms 50ms"),
        ("a=1..3:7", "1 2 3"),
        ("a=1..16..5", "1 6 11 16"),
        ("a=1..9..3", "1 4 7"),
        ("a=200/s..800/s..200/s", "200/s 400/s 600/s 800/s"),
        ("a=0.1..0.5..0.1", "0.1 0.2 0.3 0.4 0.5"),
        ("a=1..2..0.5", "1 1.5 2"),
        ("a=1000000..4000000:2", "1000000 4000000"),
    ],
)
def test_values_of_an_axis(text: str, levels: str) -> None:
    assert [level for (level,) in varied(text).levels] == levels.split()


@pytest.mark.parametrize(
    "given", [[], "1", "5..1", "1ms..3s", {"values": [1]}, {"set": {"a": [1, 2], "b": [3]}}, {"set": {}}, [1, 1], "0..1:3:log", "0..99999999", 7, None, "a..b", "1..9..0", "1..9..x", "1ms..9ms..1s", "1..9..1:log", "0..1..1e-9"]
)
def test_what_is_no_axis_is_refused_with_an_example(given: Any) -> None:
    with pytest.raises(UsageError, match=r"expected|twice|levels"):
        axis_of("a.b", given)


def test_leaves_that_change_together() -> None:
    same = axis_of("period", {"set": ["a.quota", "a.period"], "values": ["5ms", "9ms"]})
    assert [same.overrides(level) for level in same.levels] == [(("a.quota", "5ms"), ("a.period", "5ms")), (("a.quota", "9ms"), ("a.period", "9ms"))]
    apart = axis_of("size", {"set": {"a.cpus": [1, 2], "a.mem": ["1GiB", "2GiB"]}})
    assert [apart.overrides(level) for level in apart.levels] == [(("a.cpus", "1"), ("a.mem", "1GiB")), (("a.cpus", "2"), ("a.mem", "2GiB"))]
    assert (same.columns, apart.columns) == (("period",), ("a.cpus", "a.mem"))


def test_a_platform_alone_is_a_list_of_one() -> None:
    assert axis_of("platforms", ["docker", "kvm"]).levels == (('["docker"]',), ('["kvm"]',))


def test_a_grid_has_every_combination_the_last_axis_fastest() -> None:
    axes = [varied("a=1..2"), varied("b=1..3")]
    found = list(cells_of(design_of("grid"), axes, seed=1))
    assert [cell.labels for cell in found] == [("1", "1"), ("1", "2"), ("1", "3"), ("2", "1"), ("2", "2"), ("2", "3")]
    assert [cell.number for cell in found] == list(range(count(design_of("grid"), axes)))


@pytest.mark.parametrize("kind", ["random", "latin-hypercube", "sobol"])
def test_drawn_designs_fill_ranges_and_lists_and_depend_on_the_seed_only(kind: str) -> None:
    axes = [varied("a=0.0..1.0"), varied("b=1..4"), varied("c=x,y")]
    design = design_of({kind: 256})
    found = [cell.labels for cell in cells_of(design, axes, seed=3)]
    assert found == [cell.labels for cell in cells_of(design, axes, seed=3)]
    assert found != [cell.labels for cell in cells_of(design, axes, seed=4)]
    numbers = [float(a) for a, _, _ in found]
    assert len(found) == 256
    assert 0 <= min(numbers) < 0.05 < 0.95 < max(numbers) < 1
    spread = 40 if kind == "random" else 2  # of 64 each: a sample of 256, or a stratified one
    assert all(abs(sum(b == str(level) for _, b, _ in found) - 64) <= spread for level in (1, 2, 3, 4))
    assert all(abs(sum(c == level for _, _, c in found) - 128) <= spread for level in ("x", "y"))


@pytest.mark.parametrize("given", ["sobols", {"sobol": 100}, {"grid": 3}, {"random": 0}, {"random": True}, 3])
def test_what_is_no_design_is_refused(given: Any) -> None:
    with pytest.raises(UsageError, match="design: expected"):
        design_of(given)


def test_a_grid_needs_points_of_a_range_of_fractions() -> None:
    with pytest.raises(UsageError, match=r"0\.5\.\.1\.5:5"):
        count(design_of(None), [varied("a=0.5..1.5")])

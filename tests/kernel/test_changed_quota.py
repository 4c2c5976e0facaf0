"""A quota that changes while its group runs: what is computed before and after, against what the quotas say."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from simvirt import loads
from simvirt.clock import Clock
from simvirt.control.lifecycle import begin
from simvirt.gauges import cpu_time
from simvirt.runs.admission import catalog_of
from simvirt.runs.replicate import make_plane

S = 1_000_000_000


def used(quotas: list[tuple[float, str]], threads: int = 1, period: str = "100ms") -> list[float]:
    """CPU time of a container that always wants a CPU for each thread, in the seconds up to each change of its quota and two after the last."""
    content: dict[str, Any] = {
        "simvirt": 1, "name": "quota", "host": {"cores": 4, "memory": "16GiB"}, "platforms": ["docker"], "run": {"duration": "1min", "replications": 1},
        "services": {"hog": {"cpu_quota": quotas[0][1], "cpu_period": period, "background": {"threads": threads}}},
    }
    scenario = loads(yaml.safe_dump(content))
    catalog = catalog_of(scenario)
    plane = make_plane(scenario, catalog, catalog.platform(scenario.platforms[0]), 1, 0)
    clock = Clock(plane)
    begin(clock, plane.lowered.scenario)
    row = plane.instances_of("hog")[0]
    group, found, before = plane.lowered.arrangement.instances[row].group, [], 0
    assert group is not None
    for (until, _), (_, after) in zip(quotas, [*quotas[1:], (0.0, "")], strict=True):
        clock.run(until=round(until * S))
        now = int(cpu_time(plane, round(until * S))[row])
        found.append((now - before) / S)
        before = now
        if after:
            plane.set_quota(group.row, round(float(after.removesuffix("ms")) * 1e6))
    return found


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_each_quota_is_what_is_had_of_its_time(threads: int) -> None:
    """From 0.3 CPUs to 0.9, to 0.1: what a period was given beyond its quota at a change is at most one quota."""
    found = used([(2.0, "30ms"), (4.0, "90ms"), (6.0, "10ms")], threads)
    assert found == pytest.approx([0.6, 1.8, 0.2], abs=0.1)


def test_a_change_to_the_same_changes_nothing_beyond_a_period() -> None:
    assert sum(used([(1.0, "50ms"), (2.0, "50ms"), (4.0, "50ms")])) == pytest.approx(sum(used([(4.0, "50ms")])), abs=0.1)


def test_a_group_that_coasts_goes_on() -> None:
    """A quota that is never used up is booked in long runs; a smaller one takes hold at once."""
    assert used([(2.5, "200ms"), (5.0, "20ms")]) == pytest.approx([2.5, 0.5], abs=0.21)

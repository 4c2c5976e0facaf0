"""Mesos as a pure function: offers in turn, launches where they fit, delays after failures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simvirt.catalog import Catalog
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Failure, Look, Pending, Remove, Seen, Start, Stop, Task, Version, Wanted
from simvirt.control.orchestrators.mesos import mesos
from simvirt.placement import Hosts
from simvirt.scenario.spec.services import ServiceSpec

S = 1_000_000_000
ENTRY = Catalog.load().typed("orchestrators", "mesos", OrchestratorEntry)


def wanted(name: str, replicas: int, cpus: float, version: int = 0) -> Wanted:
    spec = ServiceSpec.model_validate({"cpus": cpus, "operations": {"get": [{"cpu": "1ms"}]}})
    return Wanted(name, replicas, Version(version, spec))


def task(name: str, number: int, slot: int, phase: Any = "ready", version: int = 0) -> Task:
    return Task(number, name, slot, version, 0, phase, 0, 0, 0, cause="crashed" if phase == "failed" else None)


def seen(there: Mapping[str, Sequence[Task]], service: str, now: int, wants: Sequence[Wanted], failures: Sequence[Failure] = ()) -> Seen:
    ones = np.ones(2, np.int64)
    hosts = Hosts(["h0", "h1"], {}, ones * 4, ones, ones * 2**34, ones * 0)
    for name, tasks in there.items():
        spec = next(each for each in wants if each.service == name).version.spec
        for each in tasks:
            hosts.add(name, each.host, {"cpu": round((spec.cpu_limit or 0) * 1000)})
    return Seen(now, tuple(there.get(service, ())), hosts, (True, True), tuple(failures), there, {each.service: each for each in wants})


def test_frameworks_are_offered_in_turn_the_poorest_first() -> None:
    rich, poor = wanted("rich", 2, 2.0), wanted("poor", 2, 0.5)
    there = {"rich": [task("rich", 0, 0)], "poor": [task("poor", 1, 0)]}
    first = list(mesos(poor, seen(there, "poor", 10 * S, [rich, poor]), ENTRY))
    assert [type(one) for one in first] == [Start]
    assert list(mesos(rich, seen(there, "rich", 10 * S, [rich, poor]), ENTRY)) == [Look(11 * S)]
    assert list(mesos(poor, seen(there, "poor", 10 * S + 1, [rich, poor]), ENTRY)) == [Look(12 * S)]


def test_what_no_agent_has_room_for_waits() -> None:
    large = wanted("large", 4, 3.0)
    actions = list(mesos(large, seen({}, "large", 5 * S, [large]), ENTRY))
    assert [type(one) for one in actions] == [Start, Start, Pending]


def test_launches_wait_longer_after_each_failure_in_a_row() -> None:
    web = wanted("web", 1, 1.0)
    down = {"web": [task("web", 3, 0, "failed")]}
    failures = [Failure(at * S, at, "crashed", 0, 0, S) for at in (8, 9, 10)]
    actions = list(mesos(web, seen(down, "web", 10 * S, [web], failures), ENTRY))
    assert [type(one) for one in actions] == [Remove, Look]
    assert actions[1] == Look(12 * S)  # 1.15^2 s after the last, at the next offer
    lasting = [*failures[:2], Failure(10 * S, 10, "crashed", 0, 0, 90 * S)]
    assert list(mesos(web, seen({}, "web", 10 * S, [web], lasting), ENTRY)) != actions[1:]


def test_a_new_version_starts_beside_the_old_one() -> None:
    web = wanted("web", 1, 1.0, version=1)
    old = task("web", 0, 0)
    assert [type(one) for one in mesos(web, seen({"web": [old]}, "web", 10 * S, [web]), ENTRY)] == [Start]
    both = {"web": [old, task("web", 1, 0, version=1)]}
    assert [one.task for one in mesos(web, seen(both, "web", 10 * S, [web]), ENTRY) if isinstance(one, Stop)] == [0]


def test_offers_of_a_round_are_taken_in_turn() -> None:
    """Offers are matched side by side, one instance a pass: the first agent got all tasks that it had room for."""
    web = wanted("web", 6, 0.5)
    starts = [one for one in mesos(web, seen({}, "web", 5 * S, [web]), ENTRY) if isinstance(one, Start)]
    assert sorted(one.host for one in starts) == [0, 0, 0, 1, 1, 1]
    assert {one.host for one in starts[:2]} == {0, 1}


def test_an_agent_that_is_full_is_left_out_of_its_turn() -> None:
    web, full = wanted("web", 4, 1.0), wanted("full", 1, 3.0)
    there = {"full": [task("full", 0, 0)]}
    starts = [one.host for one in mesos(web, seen(there, "web", 5 * S, [web, full]), ENTRY) if isinstance(one, Start)]
    assert sorted(starts) == [0, 1, 1, 1]

"""Swarm as a pure function: what it does next with the tasks that it sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simvirt.catalog import Catalog
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Action, Failure, Look, Pending, Remove, Revert, Seen, Start, Stop, Task, Version, Wanted
from simvirt.control.orchestrators.swarm import UPDATED, swarm
from simvirt.placement import Hosts
from simvirt.scenario.spec.services import ServiceSpec

S = 1_000_000_000
ENTRY = Catalog.load().typed("orchestrators", "swarm", OrchestratorEntry)


def service(**deploy: Any) -> ServiceSpec:
    return ServiceSpec.model_validate({"deploy": deploy, "operations": {"get": [{"cpu": "1ms"}]}})


def seen(tasks: Sequence[Task], now: int = 100 * S, failures: Sequence[Failure] = (), hosts: int = 2, able: Sequence[bool] = (True, True)) -> Seen:
    ones = np.ones(hosts, np.int64)
    there = Hosts([f"h{n}" for n in range(hosts)], {}, ones * 4, ones, ones * 2**34, ones * 0)
    for task in tasks:
        there.add("web", task.host)
    return Seen(now, tuple(tasks), there, able, tuple(failures))


def task(number: int, slot: int, phase: Any = "ready", version: int = 0, host: int = 0, since: int = 50 * S, **more: Any) -> Task:
    return Task(number, "web", slot, version, host, phase, since, since, since if phase == "ready" else None, **more)


def done(wanted: Wanted, there: Seen) -> list[Action]:
    return list(swarm(wanted, there, ENTRY))


def wanted(replicas: int, version: int = 0, spec: ServiceSpec | None = None, back: bool = False) -> Wanted:
    return Wanted("web", replicas, Version(version, spec or service(), 60 * S, back))


def test_empty_slots_are_filled_where_least_stands_and_others_wait() -> None:
    starts = done(wanted(2), seen([task(0, 1)]))
    assert [(one.slot, one.host) for one in starts if isinstance(one, Start)] == [(0, 1)]
    assert [type(one) for one in done(wanted(1), seen([], able=(False, False)))] == [Pending]


def test_the_host_with_most_loses_first_and_what_is_not_up_before() -> None:
    there = [task(0, 0, host=0), task(1, 1, host=0), task(2, 2, host=1)]
    assert [one.task for one in done(wanted(2), seen(there)) if isinstance(one, Stop)] == [1]
    there[0] = replace(there[0], phase="starting")
    assert [one.task for one in done(wanted(2), seen(there)) if isinstance(one, Stop)] == [0]


def test_what_failed_is_replaced_after_the_delay_as_often_as_allowed() -> None:
    down = [task(0, 0, "failed", since=98 * S, cause="crashed")]
    assert done(wanted(1), seen(down)) == [Look(103 * S)]
    later = done(wanted(1), seen(down, now=103 * S))
    assert [type(one) for one in later] == [Remove, Start]
    limited = service(restart_policy={"max_attempts": 1})
    before = [Failure(80 * S, 7, "crashed", 0, 0, None)]
    assert done(wanted(1, spec=limited), seen(down, now=200 * S, failures=before)) == []
    assert done(wanted(1, spec=service(restart_policy={"condition": "none"})), seen(down, now=200 * S)) == []


def test_a_host_where_the_service_keeps_failing_comes_last() -> None:
    failures = [Failure(90 * S, n, "crashed", 0, 1, None) for n in range(5)]
    (start,) = done(wanted(1), seen([], failures=failures))
    assert isinstance(start, Start)
    assert start.host == 0


def test_an_update_replaces_as_many_at_once_as_it_may_and_waits_between() -> None:
    spec = service(update_config={"parallelism": 2, "delay": "10s"})
    old = [task(n, n) for n in range(4)]
    first = done(wanted(4, 1, spec), seen(old))
    assert [(one.task, one.why) for one in first if isinstance(one, Stop)] == [(0, UPDATED), (1, UPDATED)]
    halfway = [replace(old[0], phase="stopping", cause=UPDATED), task(9, 1, version=1, since=95 * S), *old[2:]]
    assert [type(one) for one in done(wanted(4, 1, spec), seen(halfway))] == [Look]
    waited = [task(8, 0, version=1, since=88 * S), task(9, 1, version=1, since=95 * S), *old[2:]]
    assert [one.task for one in done(wanted(4, 1, spec), seen(waited)) if isinstance(one, Stop)] == [2]


def test_start_first_ends_the_old_one_when_the_new_one_is_ready() -> None:
    spec = service(update_config={"order": "start-first"})
    (start,) = done(wanted(1, 1, spec), seen([task(0, 0)]))
    assert isinstance(start, Start)
    assert done(wanted(1, 1, spec), seen([task(0, 0), task(1, 0, "starting", version=1, since=99 * S)])) == []
    assert done(wanted(1, 1, spec), seen([task(0, 0), task(1, 0, version=1, since=99 * S)])) == [Stop(0, UPDATED)]


def test_a_failed_update_pauses_or_goes_back_once() -> None:
    failed = [Failure(99 * S, 8, "crashed", 0, 0, 2 * S)]
    there = [task(9, 0, "failed", version=1, since=99 * S, cause="crashed"), task(1, 1)]
    assert [type(one) for one in done(wanted(2, 1), seen(there, failures=failed))] == [Look]
    back = service(update_config={"failure_action": "rollback"}, rollback_config={"failure_action": "rollback"})
    assert Revert in [type(one) for one in done(wanted(2, 1, back), seen(there, failures=failed))]
    assert Revert not in [type(one) for one in done(wanted(2, 1, back, back=True), seen(there, failures=failed))]
    allowed = service(update_config={"failure_action": "rollback", "max_failure_ratio": 0.5})
    assert Revert not in [type(one) for one in done(wanted(2, 1, allowed), seen(there, failures=failed))]

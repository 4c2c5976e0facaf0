"""A cluster of virtual machines as a pure function: who is admitted, what is reset, what moves to other hosts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simvirt.catalog import Catalog
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Look, Pending, Remove, Restart, Seen, Start, Task, Version, Wanted
from simvirt.control.orchestrators.vm_cluster import vm_cluster
from simvirt.placement import Hosts
from simvirt.scenario.spec.services import ServiceSpec

S = 1_000_000_000
ENTRY = Catalog.load().typed("orchestrators", "vm-cluster", OrchestratorEntry)
SPEC = ServiceSpec.model_validate({"cpus": 2, "mem_limit": "4GiB", "operations": {"get": [{"cpu": "1ms"}]}})


def wanted(replicas: int) -> Wanted:
    return Wanted("vm", replicas, Version(0, SPEC))


def task(number: int, host: int, phase: Any = "ready", **more: Any) -> Task:
    return Task(number, "vm", number, 0, host, phase, 0, 50 * S, None, **more)


def seen(tasks: Sequence[Task], now: int = 100 * S, able: Sequence[bool] = (True, True, True)) -> Seen:
    ones = np.ones(3, np.int64)
    there = Hosts(["h0", "h1", "h2"], {}, ones * 4, ones, ones * 2**34, ones * 0)
    for each in tasks:
        there.add("vm", each.host, {"cpu": 2000, "memory": 2**32})
    return Seen(now, tuple(tasks), there, able, others={"vm": tasks}, wants={"vm": wanted(9)})


def test_a_vm_is_powered_on_where_most_is_left() -> None:
    (start,) = vm_cluster(wanted(3), seen([task(0, 0), task(1, 2)]), ENTRY)
    assert isinstance(start, Start)
    assert start.host == 1


def test_no_vm_is_admitted_that_a_lost_host_would_leave_without_a_slot() -> None:
    four = [task(n, n % 3) for n in range(4)]
    (waits,) = vm_cluster(wanted(5), seen(four), ENTRY)
    assert isinstance(waits, Pending)
    assert waits.why == "admission control: 4 slots for 5 VMs after the loss of 1 of 3 hosts"
    (start,) = vm_cluster(wanted(5), seen(four), ENTRY.model_copy(update={"survives": 0}))
    assert isinstance(start, Start)


def test_vms_of_a_lost_host_start_elsewhere_whatever_is_admitted() -> None:
    four = [task(0, 0, "failed", cause="its host is gone"), *(task(n, n % 3) for n in range(1, 4))]
    four[3] = task(3, 1)
    actions = list(vm_cluster(wanted(4), seen(four, able=(False, True, True)), ENTRY))
    assert [type(one) for one in actions] == [Remove, Start]
    assert [one.host for one in actions if isinstance(one, Start)] == [2]


def test_a_slot_whose_task_was_given_up_with_its_host_is_filled_whatever_is_admitted() -> None:
    three = [task(n, n % 2) for n in range(3)]
    without = seen(three, able=(True, True, False))
    (waits,) = vm_cluster(wanted(4), without, ENTRY)
    assert isinstance(waits, Pending) and waits.why.startswith("admission control")
    (start,) = vm_cluster(wanted(4), replace(without, lost=frozenset({3})), ENTRY)
    assert isinstance(start, Start) and start.slot == 3


def test_a_guest_that_failed_is_reset_where_it_stood_three_times() -> None:
    down = task(0, 0, "failed", cause="crashed")
    assert list(vm_cluster(wanted(1), seen([down], now=60 * S), ENTRY)) == [Look(80 * S)]
    assert [type(one) for one in vm_cluster(wanted(1), seen([down], now=80 * S), ENTRY)] == [Restart]
    assert list(vm_cluster(wanted(1), seen([task(0, 0, "failed", restarts=3)]), ENTRY)) == []

"""The balance of a cluster of VMs as pure functions: imbalance, priorities, what evens most, what pays, what the rules let be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simvirt.catalog import Catalog
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.balance import Balanced, balance
from simvirt.control.orchestrators.interface import Task
from simvirt.orchestration.balancing import Cluster, best_first, gains, imbalance, memory_demand, pays, priority, relieved
from simvirt.placement import Hosts, asked_by
from simvirt.scenario.spec.services import ServiceSpec

ENTRY = Catalog.load().typed("orchestrators", "drs", OrchestratorEntry)
GIB = 2.0**30


def cluster(cpus: list[float], stands: list[int], hosts: int = 2, memory: list[float] | None = None, takes: float = 1.0, lasts: float = 5.0) -> Cluster:
    """VMs that demand CPUs, on hosts of 4 CPUs and 16 GiB."""
    demand = np.array([cpus, memory or [GIB] * len(cpus)])
    room = np.array([[4.0] * hosts, [16 * GIB] * hosts])
    each = np.ones(len(cpus))
    return Cluster(demand, room, np.array(stands), np.ones(hosts, bool), takes * each, lasts * each)


def balanced(of: Cluster, **spec: Any) -> Balanced:
    """The same, with a task of a service `vm` for each VM."""
    service = ServiceSpec.model_validate({"operations": {"get": [{"cpu": "1ms"}]}, **spec})
    asked, hosts = asked_by("vm", service, "requests"), of.room.shape[1]
    ones = np.ones(hosts, np.int64)
    names = [f"h{host}" for host in range(hosts)]
    there = Hosts(names, {"host": np.array(names, object)}, ones * 4, ones, ones * 2**34, ones * 0)
    tasks = [Task(number, "vm", number, 0, int(host), "ready", 0, 0, 0) for number, host in enumerate(of.stands)]
    for task in tasks:
        there.add("vm", task.host, asked.reserves)
    return Balanced(of, tasks, [asked] * len(tasks), there)


def test_imbalance_is_the_standard_deviation_of_loads_by_how_much_a_resource_is_used() -> None:
    alone = cluster([2.0, 1.0], [0, 1], memory=[0.0, 0.0])
    assert imbalance(alone) == pytest.approx(np.std([0.5, 0.25]))
    both = cluster([2.0, 1.0], [0, 1], memory=[0.0, 6 * GIB])
    weight = 0.375 / (0.375 + 0.1875)
    assert imbalance(both) == pytest.approx(weight * np.std([0.5, 0.25]) + (1 - weight) * np.std([0.0, 0.375]))
    assert imbalance(cluster([1.0, 1.0], [0, 1])) == 0.0


@pytest.mark.parametrize(("uneven", "hosts", "expected"), [(0.0, 4, 6), (0.05, 4, 5), (0.06, 4, 4), (0.1, 4, 4), (0.15, 4, 3), (0.2, 4, 2), (0.9, 4, 2), (0.1, 9, 3)])
def test_priorities_are_those_of_the_documented_formula(uneven: float, hosts: int, expected: int) -> None:
    assert priority(uneven, hosts, ENTRY.step or 0.0) == expected


def test_a_quarter_of_idle_memory_counts_as_demanded() -> None:
    assert memory_demand(1639.2, 4096.0, ENTRY.idle or 0.0) == pytest.approx(2253.4)


@pytest.mark.parametrize("seed", range(20))
def test_what_a_move_evens_is_what_the_imbalance_loses_by_it(seed: int) -> None:
    draw = np.random.default_rng(seed)
    found = cluster(list(draw.uniform(0, 2, 7)), list(draw.integers(0, 4, 7)), 4, list(draw.uniform(0, 6 * GIB, 7)))
    found.able[3] = bool(draw.integers(0, 2)) or 3 in found.stands
    evens = gains(found)
    for vm in range(7):
        for host in np.flatnonzero(found.able):
            expected = imbalance(found) - imbalance(found.moved(vm, int(host)))
            assert host == found.stands[vm] or evens[vm, host] == pytest.approx(expected, abs=1e-12)
    order = [evens[vm, host] for vm, host in best_first(found)]
    assert order == sorted(order, reverse=True) and all(one > 0 for one in order)


def test_a_move_pays_where_more_is_given_than_it_takes() -> None:
    short = cluster([3.0, 3.0], [0, 0], takes=10.0)
    assert relieved(short, 0, 1).tolist() == [2.0, 0.0]
    assert pays(short, 0, 1, 300.0) and pays(short, 0, 1, 11.0) and not pays(short, 0, 1, 9.0)
    assert not pays(cluster([2.0, 2.0], [0, 0]), 0, 1, 300.0)
    assert pays(cluster([0.1, 0.1], [0, 0], memory=[9 * GIB, 9 * GIB]), 0, 1, 300.0)


def test_the_cluster_is_evened_until_its_imbalance_is_slight() -> None:
    moves = list(balance(balanced(cluster([2.0, 2.0, 2.0, 2.0], [0, 0, 0, 0])), ENTRY))
    assert [move.host for move in moves] == [1, 1] and len({move.task for move in moves}) == 2
    assert moves[0].why.startswith("priority 2: imbalance")


@pytest.mark.parametrize("threshold", [1, 2, 3, 4, 5])
def test_only_priorities_up_to_the_threshold_are_acted_on(threshold: int) -> None:
    of = cluster([3.0, 1.5, 3.5], [0, 0, 1], memory=[0.0, 0.0, 0.0])
    level = priority(imbalance(of), 2, ENTRY.step or 0.0)
    moves = list(balance(balanced(of), ENTRY.model_copy(update={"threshold": threshold})))
    assert level == 4
    assert bool(moves) == any(pays(of, vm, host, 300.0) for vm, host in best_first(of)) * (threshold >= level)


def test_nothing_moves_where_all_get_what_they_demand() -> None:
    assert list(balance(balanced(cluster([1.0, 1.0, 1.0, 1.0], [0, 0, 0, 0])), ENTRY)) == []


def test_what_hosts_reserve_and_rules_forbid_is_left_alone() -> None:
    of = cluster([3.0, 3.0, 0.5], [0, 0, 1])
    assert len(list(balance(balanced(of), ENTRY))) == 1
    assert list(balance(balanced(of, cpus=4, mem_limit="1GiB", deploy={"resources": {"reservations": {"cpus": 2.5}}}), ENTRY)) == []
    bound = {"deploy": {"placement": {"constraints": ["node.hostname==h0"]}}}
    assert [(move.task, move.host) for move in balance(balanced(of, **bound), ENTRY)] == [(2, 0)]


def test_a_broken_rule_moves_a_vm_whatever_the_threshold_is() -> None:
    apart = {"deploy": {"placement": {"max_replicas_per_node": 1}}}
    of = cluster([0.1, 0.1, 0.1], [0, 0, 1], 3)
    (move,) = balance(balanced(of, **apart), ENTRY.model_copy(update={"threshold": 1}))
    assert move.host == 2 and move.why.startswith("priority 1: a rule of vm is broken on h0")


def test_no_more_move_from_and_to_a_host_than_may_at_a_look() -> None:
    of = cluster([0.5] * 16, [0] * 16, lasts=200.0)
    assert len(list(balance(balanced(of), ENTRY.model_copy(update={"moves": 2})))) == 2

"""Preemption: which node is chosen, who is victim there, and what kube-scheduler then does with pods that wait."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simvirt.catalog import Catalog
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Pending, Preempt, Seen, Start, Task, Version, Wanted
from simvirt.control.orchestrators.kubernetes import kubernetes
from simvirt.placement import Asked, Hosts
from simvirt.placement.preemption import Standing, preempted
from simvirt.scenario.spec.services import ServiceSpec

NEG, LOW, MID, HIGH, VERY = -100, 0, 100, 1000, 10000
SMALL, MEDIUM, LARGE, WHOLE = 100, 200, 300, 500
ENTRY = Catalog.load(None).typed("orchestrators", "kubernetes", OrchestratorEntry)
Pod = tuple[int, int, int, int]  # node, priority, CPU, start


def nodes(count: int, cpu: int = WHOLE) -> Hosts:
    """Nodes that have so much CPU."""
    each = np.ones(count, np.int64)
    return Hosts([f"node{n}" for n in range(1, count + 1)], {}, 64 * each, each, 2**34 * each, 0 * each, room={"cpu": cpu * each})


def price(count: int, priority: int, pods: list[Pod], asks: int = WHOLE, allowed: dict[str, int] | None = None, service: str = "low") -> Any:
    """The node that is chosen for a pod which asks so much CPU, and the victims there, by their number in the list."""
    hosts, standing = nodes(count), {}
    for number, (node, own, cpu, since) in enumerate(pods):
        hosts.add(service, node - 1, {"cpu": cpu})
        standing.setdefault(node - 1, []).append(Standing(number, service, own, since, {"cpu": cpu}))
    before = hosts.taken_of("cpu").copy()
    found = preempted(hosts, Asked("high", reserves={"cpu": asks}), priority, standing, allowed or {})
    assert (hosts.taken_of("cpu") == before).all()
    return None if found is None else (found.host + 1, [one.number for one in found.victims], found.broken)


@pytest.mark.parametrize(("priority", "pods", "node"), [
    (HIGH, [(1, MID, MEDIUM, 0), (1, MID, LARGE, 0), (2, MID, MEDIUM, 0), (2, LOW, MEDIUM, 0), (3, LOW, MEDIUM, 0), (3, LOW, MEDIUM, 0)], 3),
    (HIGH, [(1, MID, MEDIUM, 0), (1, MID, LARGE, 0), (2, MID, LARGE, 0), (2, LOW, MEDIUM, 0), (3, MID, MEDIUM, 0), (3, MID, MEDIUM, 0)], 2),
    (HIGH, [(1, MID, SMALL, 0), (1, NEG, SMALL, 0), (1, MID, SMALL, 0), (1, NEG, SMALL, 0), (2, MID, LARGE, 0), (2, NEG, MEDIUM, 0),
            (3, MID, MEDIUM, 0), (3, NEG, SMALL, 0), (3, LOW, SMALL, 0)], 2),
    (HIGH, [(1, MID, SMALL, 0), (1, NEG, SMALL, 0), (1, NEG, SMALL, 0), (2, MID, LARGE, 0), (2, NEG, MEDIUM, 0),
            (3, MID, MEDIUM, 0), (3, NEG, SMALL, 0), (3, LOW, SMALL, 0)], 2),
    (VERY, [(1, MID, SMALL, 0), (1, LOW, SMALL, 0), (1, LOW, SMALL, 0), (2, HIGH, LARGE, 0), (3, MID, MEDIUM, 0), (3, LOW, SMALL, 0), (3, LOW, SMALL, 0),
            (3, LOW, MEDIUM, 0), (4, MID, MEDIUM, 0), (4, MID, SMALL, 0), (4, MID, SMALL, 0), (4, NEG, SMALL, 0)], 1),
    (HIGH, [(1, MID, MEDIUM, 2), (1, MID, MEDIUM, 2), (2, MID, MEDIUM, 3), (2, MID, MEDIUM, 3), (3, MID, MEDIUM, 1), (3, MID, MEDIUM, 1)], 2),
    (HIGH, [(1, MID, MEDIUM, 4), (1, MID, MEDIUM, 2), (2, MID, MEDIUM, 5), (2, MID, MEDIUM, 1), (3, MID, MEDIUM, 3), (3, MID, MEDIUM, 6)], 3),
    (HIGH, [(1, LOW, MEDIUM, 4), (1, MID, MEDIUM, 2), (2, MID, MEDIUM, 6), (2, LOW, MEDIUM, 1), (3, LOW, MEDIUM, 3), (3, MID, MEDIUM, 5)], 2),
], ids=["least highest", "least sum", "fewest victims", "sum of adjusted priorities", "one after the other", "latest start", "earliest of its most important", "start of the most important"])
def test_the_node_that_kube_scheduler_picks(priority: int, pods: list[Pod], node: int) -> None:
    """The cases of kube-scheduler's own TestSelectBestCandidate."""
    assert price(max(pod[0] for pod in pods), priority, pods)[0] == node


def test_only_as_many_go_as_have_to_the_least_important_and_youngest() -> None:
    assert price(1, HIGH, [(1, MID, MEDIUM, 0), (1, LOW, MEDIUM, 1), (1, LOW, SMALL, 2)], asks=MEDIUM) == (1, [1], 0)
    assert price(1, HIGH, [(1, LOW, MEDIUM, 5), (1, LOW, MEDIUM, 1)], asks=LARGE) == (1, [0], 0)
    assert price(1, HIGH, [(1, LOW, SMALL, 0)] * 5, asks=MEDIUM) == (1, [3, 4], 0)


def test_the_same_priority_is_no_victim() -> None:
    assert price(1, MID, [(1, MID, LARGE, 0), (1, MID, MEDIUM, 0)]) is None
    assert price(1, MID, [(1, MID, LARGE, 0), (1, LOW, MEDIUM, 0)], asks=LARGE) is None


def test_a_budget_that_would_be_broken_weighs_more_than_all_else() -> None:
    """Two of a service, of which none may be disrupted, against one of a higher priority elsewhere."""
    hosts, standing = nodes(2), {0: [Standing(0, "kept", LOW, 0, {"cpu": WHOLE})], 1: [Standing(1, "free", MID, 0, {"cpu": WHOLE})]}
    for host, (one,) in standing.items():
        hosts.add(one.service, host, one.reserves)
    asked = Asked("high", reserves={"cpu": WHOLE})
    chosen = [preempted(hosts, asked, HIGH, standing, allowed) for allowed in ({}, {"kept": 0}, {"kept": 1})]
    assert [(one.host, one.broken) for one in chosen if one is not None] == [(0, 0), (1, 0), (0, 0)]


def test_what_a_budget_protects_is_given_back_first() -> None:
    """Of four alike, one may be disrupted: the most important counts as that one, the others are given back before it."""
    pods = [(1, LOW, SMALL, since) for since in range(5)]
    assert price(1, HIGH, pods, asks=SMALL, allowed={"low": 1}) == (1, [0], 0)
    assert price(1, HIGH, pods, asks=MEDIUM, allowed={"low": 1}) == (1, [0, 4], 1)


# --- the queue -------------------------------------------------------------------------------------------------------------


def service(**deploy: Any) -> ServiceSpec:
    """A service whose replicas request a CPU."""
    return ServiceSpec.model_validate({"cpus": 1, "deploy": deploy, "operations": {"get": [{"cpu": "1ms"}]}})


def decided(slots: int, low: list[Task], nominated: dict[int, int] | None = None, preempts: bool = True, now: int = 0) -> list[Any]:
    """What becomes of so many pods of `high`, of which there are none, on two nodes of one CPU with pods of `low`."""
    hosts = nodes(2, 1000)
    for task in low:
        hosts.add("low", task.host, {"cpu": 1000})
    high, wants = Wanted("high", slots, Version(0, service()), priority=HIGH, preempts=preempts), {"low": Wanted("low", 2, Version(0, service()))}
    kept = {task.number: {"cpu": 1000} for task in low}
    seen = Seen(now, (), hosts, (True, True), (), {"low": tuple(low), "high": ()}, {**wants, "high": high}, {"high": nominated or {}}, kept)
    return list(kubernetes(high, seen, ENTRY))


def low(number: int, **more: Any) -> Task:
    """A pod of less importance, on a node of its own."""
    return Task(number, "low", number, 0, number, more.pop("phase", "ready"), number, number, **more)


def test_each_pod_that_finds_no_node_preempts_on_another() -> None:
    found = decided(3, [low(0), low(1)])
    assert [(type(one), one.slot) for one in found] == [(Preempt, 0), (Preempt, 1), (Pending, 2)]
    assert [one.victims for one in found[:2]] == [(("low", 1),), (("low", 0),)]


def test_a_class_that_never_preempts_waits() -> None:
    assert [type(one) for one in decided(2, [low(0), low(1)], preempts=False)] == [Pending]


def test_a_nominated_pod_waits_for_its_victims_and_takes_their_node() -> None:
    waiting = decided(1, [low(0), low(1, phase="stopping", cause="preempted for high-0")], {0: 1})
    assert [type(one) for one in waiting] == [Pending]
    assert [(type(one), one.host) for one in decided(1, [low(0)], {0: 1})] == [(Start, 1)]


def test_a_nominated_pod_takes_another_node_that_is_free_before() -> None:
    found = decided(1, [low(1, phase="stopping", cause="preempted for high-0")], {0: 1})
    assert [(type(one), one.host) for one in found] == [(Start, 0)]


def test_room_that_is_made_is_not_for_less_important_pods() -> None:
    """The victim's own service wants it back at once; the node is free, and counts as taken."""
    hosts, wanted = nodes(1, 1000), Wanted("low", 1, Version(0, service()))
    high = Wanted("high", 1, Version(0, service()), priority=HIGH)
    seen = Seen(0, (), hosts, (True,), (), {"low": (), "high": ()}, {"low": wanted, "high": high}, {"high": {0: 0}})
    assert [type(one) for one in kubernetes(wanted, seen, ENTRY)] == [Pending]

"""Kubernetes' Deployment as an orchestrator: one decision at a time, over made-up pods."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simvirt.catalog import Catalog
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Look, Restart, Seen, Start, Stop, Task, Version, Wanted
from simvirt.control.orchestrators.kubernetes import kubernetes, strategy_of, victims
from simvirt.orchestration.rollout import Strategy
from simvirt.placement import Hosts
from simvirt.scenario.spec.services import ServiceSpec
from simvirt.scenario.spec.updating import UpdateConfigSpec

SPEC = ServiceSpec.model_validate({"operations": {"get": [{"cpu": "1ms"}]}})
ENTRY = Catalog.load(None).typed("orchestrators", "kubernetes", OrchestratorEntry).model_copy(update={"progress": None})
SECOND = 1_000_000_000


def pod(number: int, version: int = 0, **more: Any) -> Task:
    """A pod that is ready, on one of two nodes in turn."""
    return replace(Task(number, "web", number, version, number % 2, "ready", 0, 0, ready_at=number), **more)


def decided(
    replicas: int, pods: list[Task], version: int = 0, now: int = 0, able: tuple[bool, bool] = (True, True), said: dict[str, Any] | None = None,
    scaled_from: int | None = None,
) -> list[Any]:
    """The actions for some pods."""
    two = np.ones(2, np.int64)
    hosts = Hosts(["a", "b"], {}, 8 * two, two, 2**34 * two, 0 * two)
    seen = Seen(now, tuple(pods), hosts, able)
    config = None if said is None else UpdateConfigSpec.model_validate(said)
    spec = SPEC.model_copy(update={"deploy": SPEC.deploy.model_copy(update={"update_config": config})})
    before = Version(version - 1, spec) if version else None
    return list(kubernetes(Wanted("web", replicas, Version(version, spec), before, scaled_from=scaled_from), seen, ENTRY))


def test_pods_come_and_go_with_the_number_that_is_wanted() -> None:
    """Pods 0 and 2 stand on one node: once 2 is gone, 0 still counts as one of two."""
    assert [(action.slot, action.host) for action in decided(4, [pod(0), pod(2)])] == [(1, 0), (3, 1)]
    assert [action.task for action in decided(1, [pod(0), pod(1), pod(2, phase="starting")])] == [2, 0]
    assert not decided(2, [pod(0), pod(1)])


def test_victims_are_those_who_serve_least() -> None:
    """Not ready first, then beside others of the set, then the youngest."""
    pods = [pod(0), pod(1), pod(2), pod(4), pod(3, phase="unhealthy")]
    assert [task.number for task in victims(pods)] == [3, 4, 2, 0, 1]


def test_a_rollout_goes_as_far_as_it_can_until_pods_are_ready() -> None:
    """Four pods, surge 1 and unavailable 1: one new and one more in the place of an old one; the rest waits for them."""
    old = [pod(number) for number in range(4)]
    first = decided(4, old, version=1)
    assert Counter(type(action) for action in first) == {Stop: 1, Start: 2}
    assert all(action.version.number == 1 for action in first if isinstance(action, Start))
    during = [task for task in old if task.number != first[0].task]
    new = [pod(10 + number, 1, phase="starting", ready_at=None) for number in range(2)]
    assert not decided(4, during + new, version=1)
    after = decided(4, during + [replace(task, phase="ready", ready_at=9) for task in new], version=1)
    assert Counter(type(action) for action in after) == {Stop: 2, Start: 2}


@pytest.mark.parametrize(("said", "strategy"), [
    ({}, Strategy()), ({"parallelism": 2}, Strategy()), ({"order": "start-first", "parallelism": 2}, Strategy(max_surge=2, max_unavailable=0)),
    ({"order": "stop-first"}, Strategy(max_surge=0)), ({"order": "stop-first", "parallelism": 0}, Strategy(max_surge=0, max_unavailable="100%")),
])
def test_words_of_compose_as_surge_and_unavailability(said: dict[str, Any], strategy: Strategy) -> None:
    spec = SPEC.model_copy(update={"deploy": SPEC.deploy.model_copy(update={"update_config": UpdateConfigSpec.model_validate(said)})})
    assert strategy_of(spec) == strategy


@pytest.mark.parametrize(("said", "replicas", "surge", "fewest"), [
    ({"max_surge": 2, "max_unavailable": 0}, 4, 2, 4), ({"max_surge": 0, "max_unavailable": "50%"}, 4, 0, 2), ({"max_surge": "30%"}, 10, 3, 8),
    ({"max_unavailable": "39%"}, 10, 3, 7), ({"max_surge": "100%", "max_unavailable": "100%"}, 3, 3, 0),
])
def test_surge_is_rounded_up_and_unavailability_down(said: dict[str, Any], replicas: int, surge: int, fewest: int) -> None:
    """As many more as the surge lets start, and as many end as may be missing; the other one of the two is a quarter."""
    old = [pod(number) for number in range(replicas)]
    found = decided(replicas, old, version=1, said=said)
    stops, starts = (sum(isinstance(action, kind) for action in found) for kind in (Stop, Start))
    assert stops == replicas - fewest and starts - stops == surge if fewest else stops == replicas


def test_a_deployment_that_is_scaled_in_the_middle_of_its_rollout_shares_the_change() -> None:
    """The documentation's example of proportional scaling: 8 old and 5 new pods of 10 become 11 and 7 of 15, with a surge of 3."""
    old, new = [pod(number) for number in range(8)], [pod(8 + number, 1, phase="starting", ready_at=None) for number in range(5)]
    said = {"max_surge": 3, "max_unavailable": 2}
    assert not decided(10, old + new, version=1, said=said)
    found = decided(15, old + new, version=1, said=said, scaled_from=10)
    assert Counter((type(action), action.version.number) for action in found) == {(Start, 0): 3, (Start, 1): 2}
    assert len({action.slot for action in found}) == 5
    fewer = decided(5, old + new, version=1, said=said, scaled_from=10)
    assert Counter(action.task < 8 for action in fewer) == {True: 5}, "5 and 3, after which the rollout goes on to 3 and 5"


def test_crashes_wait_longer_each_time() -> None:
    def crashed(tries: int, now: int) -> Any:
        return decided(1, [pod(0, phase="failed", tries=tries, since=0)], now=now * SECOND)[0]

    assert isinstance(crashed(0, 0), Restart)
    assert crashed(1, 3) == Look(10 * SECOND)
    assert crashed(3, 39) == Look(40 * SECOND)
    assert crashed(50, 0) == Look(300 * SECOND)


def test_pods_of_a_node_that_does_not_answer_wait_until_they_are_given_up() -> None:
    """They are not restarted and not replaced, and a rollout does not count on them."""
    assert not decided(2, [pod(0, phase="failed"), pod(1)], able=(False, True))
    assert [action.host for action in decided(2, [pod(1)], able=(False, True))] == [1]
    assert not decided(2, [pod(0), pod(1), pod(2, 1, phase="starting")], version=1, able=(False, True))

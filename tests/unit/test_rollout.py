"""Rollouts as plain functions: whatever the strategy, they end, and never have too few pods that are available, or too many."""

from __future__ import annotations

import itertools

import pytest

from simvirt.orchestration.rollout import Amount, ReplicaSet, Sets, Strategy, available_of, scaled, story, surge_of, synced
from simvirt.orchestration.workloads import disruptions_allowed, job_outcome, stateful

AMOUNTS: tuple[Amount, ...] = (0, 1, 3, "25%", "100%")
STRATEGIES = [Strategy("RollingUpdate", surge, unavailable) for surge, unavailable in itertools.product(AMOUNTS, AMOUNTS)]


@pytest.mark.parametrize("replicas", [1, 2, 4, 10])
def test_a_rollout_ends_and_keeps_its_bounds(replicas: int) -> None:
    for strategy in STRATEGIES:
        begin = Sets(ReplicaSet(0), (ReplicaSet(replicas, replicas),))
        passed = list(story(strategy, replicas, begin))
        assert passed[-1] == Sets(ReplicaSet(replicas, replicas), (ReplicaSet(0, 0),)), strategy
        assert min(sets.available for sets in passed) >= available_of(strategy, replicas), strategy
        assert max(sets.replicas for sets in passed) <= replicas + surge_of(strategy, replicas), strategy


def test_a_new_set_that_has_all_pods_but_is_not_up_shares_a_change_with_old_ones() -> None:
    """IsSaturated asks for available pods: only then old sets go at once."""
    strategy = Strategy(max_surge=3, max_unavailable=2)
    starting = Sets(ReplicaSet(5, 0, most=13), (ReplicaSet(8, 8, most=13),))
    assert [(one.new.replicas, one.old[0].replicas) for one in (scaled(strategy, 5, starting), scaled(strategy, 15, starting))] == [(3, 5), (7, 11)]
    up = Sets(ReplicaSet(5, 5, most=13), (ReplicaSet(8, 8, most=13),))
    assert scaled(strategy, 5, up).old[0].replicas == 0


def test_a_bad_version_stops_by_itself_and_recreate_leaves_nothing() -> None:
    begin = Sets(ReplicaSet(0), (ReplicaSet(10, 10),))
    stuck = list(story(Strategy(), 10, begin, ready=False))[-1]
    assert (stuck.new.replicas, stuck.available, stuck.replicas) == (5, 8, 13)
    assert [sets.available for sets in story(Strategy("Recreate"), 10, begin)] == [0, 0, 10]


def test_broken_pods_go_first() -> None:
    """Three of ten are broken: they make room, and nothing that is available goes while it is needed."""
    after = synced(Strategy("RollingUpdate", 0, 3), 10, Sets(ReplicaSet(0), (ReplicaSet(10, 7),)))
    assert after.old == (ReplicaSet(7, 7),)


def test_a_change_of_the_count_is_shared_in_proportion() -> None:
    """The documentation's example: 10 replicas with surge 3 and unavailable 2, eight old ones and five new ones, become 15."""
    during = Sets(ReplicaSet(5, 0, 13), (ReplicaSet(8, 8, 13),))
    after = scaled(Strategy("RollingUpdate", 3, 2), 15, during)
    assert (after.old[0].replicas, after.new.replicas) == (11, 7)
    assert scaled(Strategy(), 4, Sets(ReplicaSet(10, 10))).replicas == 4
    assert scaled(Strategy(), 0, during).replicas == 0


def test_other_workloads() -> None:
    assert stateful("rolling update", 5, partition=3).order == (4, 3)
    assert stateful("create", 3, parallel=True).at_a_time == 3
    assert job_outcome(None, limit=3).delays_s == (10.0, 20.0, 40.0)
    assert (job_outcome(2).pods, job_outcome(2).failed) == (3, False)
    assert [disruptions_allowed(10, 9, *budget) for budget in ((8, None), ("85%", None), (None, 2), (None, "15%"), (None, "100%"))] == [1, 0, 1, 1, 9]

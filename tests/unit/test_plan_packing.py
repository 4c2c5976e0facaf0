"""Placing replicas: nothing is overfilled, nothing is lost, the bound is a bound, and small cases are as good as trying everything."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simvirt.plan.packing import Items, exact, lower_bound, patterns, place, smallest, spread, tight

FULL = np.ones(2)


def items(**sizes: tuple[int, float, float]) -> Items:
    return Items({name: size[0] for name, size in sizes.items()}, {name: np.array(size[1:]) for name, size in sizes.items()})


CASES = st.dictionaries(st.sampled_from("abcd"), st.tuples(st.integers(1, 3), st.floats(0.05, 1), st.floats(0, 1)), min_size=1, max_size=3)


def fits_somehow(case: Items, hosts: int) -> bool:
    """Whether any assignment of replicas to hosts fits: all of them, tried."""
    replicas = [case.shares[name] for name, count in case.counts.items() for _ in range(count)]
    for assignment in itertools.product(range(hosts), repeat=len(replicas)):
        used = np.zeros((hosts, 2))
        for host, size in zip(assignment, replicas, strict=True):
            used[host] += size
        if (used <= 1 + 1e-9).all():
            return True
    return False


@settings(max_examples=60, deadline=None)
@given(CASES)
def test_a_placement_holds_everything_and_overfills_nothing(sizes: dict[str, tuple[int, float, float]]) -> None:
    case = items(**sizes)
    found = smallest(case, FULL, 50)
    assert found is not None
    assert {name: sum(host.get(name, 0) for host in found.hosts) for name in case.counts} == case.counts
    assert all((case.used(host) <= 1 + 1e-6).all() for host in found.hosts)
    assert found.lower_bound <= len(found.hosts)


@settings(max_examples=25, deadline=None)
@given(CASES.filter(lambda sizes: sum(size[0] for size in sizes.values()) <= 6))
def test_small_cases_are_exact(sizes: dict[str, tuple[int, float, float]]) -> None:
    case = items(**sizes)
    found = smallest(case, FULL, 10)
    assert found is not None
    assert found.proven
    assert fits_somehow(case, len(found.hosts))
    assert len(found.hosts) == 1 or not fits_somehow(case, len(found.hosts) - 1)


def test_the_integer_program_finds_what_the_heuristics_miss() -> None:
    """Two hosts of 0.6 + 0.4 and 0.5 + 0.3 + 0.2: best fit decreasing puts 0.5 and 0.4 together."""
    case = items(a=(1, 0.6, 0), b=(1, 0.5, 0), c=(1, 0.4, 0), d=(1, 0.3, 0), e=(1, 0.2, 0))
    placed, sure = exact(case, FULL, 2)
    assert sure
    assert placed is not None
    assert sorted(round(float(case.used(host)[0]), 6) for host in placed) == [1.0, 1.0]
    assert exact(case, FULL * 0.99, 2) == (None, True)


def test_replicas_of_a_service_are_spread() -> None:
    placed = spread(items(web=(5, 0.1, 0.1), db=(2, 0.3, 0.1)), FULL, 3)
    assert placed is not None
    assert sorted(host.get("web", 0) for host in placed) == [1, 2, 2]
    assert sorted(host.get("db", 0) for host in placed) == [0, 1, 1]


def test_best_fit_keeps_hosts_free() -> None:
    placed = tight(items(web=(4, 0.25, 0.1)), FULL, 3)
    assert placed == ({"web": 4}, {}, {})


def test_bounds() -> None:
    assert lower_bound(items(a=(10, 0.25, 0)), FULL) == 3
    assert lower_bound(items(a=(5, 0.51, 0)), FULL) == 5
    assert lower_bound(items(a=(4, 0.1, 0.5)), FULL) == 2
    assert lower_bound(items(a=(4, 0.1, 0.5)), np.array([1, 0.9])) == 4
    assert lower_bound(items(a=(1, 0, 0)), FULL) == 1


@pytest.mark.parametrize("hosts", [1, 2])
def test_too_few_hosts_are_surely_too_few(hosts: int) -> None:
    assert place(items(a=(3, 0.6, 0)), FULL, hosts) == (None, True)


def test_a_replica_larger_than_a_host_has_no_place() -> None:
    assert smallest(items(a=(1, 1.2, 0)), FULL, 10) is None


def test_patterns_count_equal_hosts() -> None:
    assert patterns(({"a": 1}, {}, {"a": 1, "b": 2}, {"b": 2, "a": 1})) == [({"a": 1}, 1), ({"a": 1, "b": 2}, 2), ({}, 1)]

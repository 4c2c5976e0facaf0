"""Load balancing over replicas against plain lists."""

import random
from typing import Any

import pytest
from helpers.twins import plane, table

from simvirt.kernel import constants as k
from simvirt.kernel import replicas as r
from simvirt.kernel import tables as t


def service_of(n: int, balance: int) -> Any:
    """A service of n replicas, none of them ready."""
    return plane(
        services=table(t.Services, 1, ready=n, histogram=1, balance=[balance]), instances=table(t.Instances, n, service=[0] * n),
        frames=table(t.Frames, 1, draws=[0.0, 0.0], spent=1), source=table(t.Source, 1, width=[2]),
    )


def check_slots(p: Any, ready: set[int]) -> None:
    """The stretch of ready replicas and their slots agree."""
    n = p.services.ready_count[0]
    assert set(p.services.ready[:n]) == ready
    assert all(p.instances.ready_slot[i] == (p.services.ready.index(i) if i in ready else k.NONE) for i in range(len(p.instances.ready_slot)))


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("levels", [2, 50])
def test_least_connections_against_the_minimum(seed: int, levels: int) -> None:
    """Arrivals, departures, starts and stops in any order: the choice is the ready replica with the fewest, the first of equals."""
    rng = random.Random(seed)
    n = rng.choice([1, 2, 5, 31])
    p = service_of(n, k.BALANCE_LEAST_CONNECTIONS)
    ready: set[int] = set()
    for _ in range(400):
        i, move = rng.randrange(n), rng.random()
        if move < 0.15 and i not in ready:
            r.admit_instance(p, i)
            ready.add(i)
        elif move < 0.25:
            r.withdraw_instance(p, i)
            ready.discard(i)
        elif move < 0.6 and p.instances.in_flight[i] < levels:
            r.change_in_flight(p, i, 1)
        elif p.instances.in_flight[i] > 0:
            r.change_in_flight(p, i, -1)
        expected = min(ready, key=lambda j: (p.instances.in_flight[j], j), default=k.NONE)
        assert r.choose_entry(p, 0, 0, k.NONE) == expected
        check_slots(p, ready)


def test_round_robin_takes_turns() -> None:
    p = service_of(4, k.BALANCE_ROUND_ROBIN)
    for i in (2, 0, 3):
        r.admit_instance(p, i)
    assert [r.choose_entry(p, 0, 0, k.NONE) for _ in range(7)] == [2, 0, 3, 2, 0, 3, 2]
    r.withdraw_instance(p, 0)
    assert {r.choose_entry(p, 0, 0, k.NONE) for _ in range(2)} == {2, 3}
    check_slots(p, {2, 3})


def test_random_follows_the_draw() -> None:
    p = service_of(4, k.BALANCE_RANDOM)
    for i in range(4):
        r.admit_instance(p, i)
    for draw, expected in ((0.0, 0), (0.24, 0), (0.25, 1), (0.74, 2), (0.9999999, 3)):
        p.frames.draws[0] = draw
        assert r.choose_entry(p, 0, 0, 0) == expected


def test_two_choices_take_the_less_busy() -> None:
    p = service_of(4, k.BALANCE_TWO_CHOICES)
    for i in range(4):
        r.admit_instance(p, i)
    p.instances.in_flight[:] = [3, 1, 1, 0]
    for draws, expected in (((0.0, 0.3), 1), ((0.3, 0.6), 1), ((0.6, 0.3), 2), ((0.9, 0.0), 3), ((0.0, 0.0), 0)):
        p.frames.draws[:] = draws
        assert r.choose_entry(p, 0, 0, 0) == expected


def test_nobody_ready_nobody_chosen() -> None:
    for balance in range(4):
        assert r.choose_entry(service_of(3, balance), 0, 0, 0) == k.NONE


@pytest.mark.parametrize("balance", [k.BALANCE_ROUND_ROBIN, k.BALANCE_RANDOM, k.BALANCE_TWO_CHOICES, k.BALANCE_LEAST_AT_HOME])
def test_a_tenant_stays_at_home(balance: int) -> None:
    """Whatever is ready and however busy: a tenant's requests go to its own replicas, and to the least busy one where that is asked for."""
    rng = random.Random(balance)
    tenants, each = 5, 3
    n = tenants * each
    p = plane(
        services=table(t.Services, 1, ready=n, members=list(range(n)), turns=n, histogram=1, balance=[balance], per_home=[each]),
        instances=table(t.Instances, n, service=[0] * n), frames=table(t.Frames, 1, draws=[0.0, 0.0], spent=1), source=table(t.Source, 1, width=[2]),
    )
    ready: set[int] = set()
    for _ in range(600):
        i, home = rng.randrange(n), rng.randrange(tenants)
        if rng.random() < 0.3:
            (r.withdraw_instance if i in ready else r.admit_instance)(p, i)
            ready ^= {i}
        p.instances.in_flight[i] = rng.randrange(4)
        p.frames.home[0], p.frames.draws[0], p.frames.draws[1] = home, rng.random(), rng.random()
        own = [j for j in range(home * each, home * each + each) if j in ready]
        chosen = r.choose_entry(p, 0, 0, 0)
        assert chosen in own if own else chosen == k.NONE
        if balance == k.BALANCE_LEAST_AT_HOME and len(own) == each:
            assert chosen == min(own, key=lambda j: (p.instances.in_flight[j], j))


def test_tenants_take_turns_by_themselves() -> None:
    p = plane(
        services=table(t.Services, 1, ready=4, members=[0, 1, 2, 3], turns=4, histogram=1, balance=[k.BALANCE_ROUND_ROBIN], per_home=[2]),
        instances=table(t.Instances, 4, service=[0] * 4), frames=table(t.Frames, 1, draws=[0.0], spent=1), source=table(t.Source, 1, width=[1]),
    )
    for i in range(4):
        r.admit_instance(p, i)
    chosen = []
    for home in (0, 0, 1, 0, 1, 1):
        p.frames.home[0] = home
        chosen.append(r.choose_entry(p, 0, 0, k.NONE))
    assert chosen == [0, 1, 2, 0, 3, 2]


@pytest.mark.parametrize("own", [0, 1])
def test_callers_take_turns_by_themselves(own: int) -> None:
    """Two callers, each with a balancer of its own for two tenants' replicas: for both together where they are a tenant's own, else one each."""
    each = 2
    p = plane(
        services=table(t.Services, 2, ready=6, members=[0, 1, 2, 3, 4, 5], turns=10, histogram=1, first=[0, 4], per_home=[each, own],
                          balance=[k.BALANCE_ROUND_ROBIN] * 2),
        instances=table(t.Instances, 6, service=[0] * 4 + [1] * 2, first_turn=[0] * 4 + [6, 8]), program=table(t.Program, 1, branches=1),
        frames=table(t.Frames, 1, draws=[0.0], spent=1), source=table(t.Source, 1, width=[1]),
    )
    for i in range(4):
        r.admit_instance(p, i)
    p.services.turns[8] = 1
    chosen = []
    for caller, home in ((4, 0), (5, 0), (4, 1), (4, 1), (5, 0), (4, 0)):
        p.frames.instance[0], p.frames.home[0] = caller, home
        chosen.append(r.choose_callee(p, 0, 0))
    assert chosen == ([0, 1, 3, 2, 0, 1] if own else [0, 1, 2, 3, 0, 1])

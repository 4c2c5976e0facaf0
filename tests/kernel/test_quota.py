"""The refill and the hand-out of cpu.max against a twin that lives through every period."""

import random

import pytest
from helpers.twins import plane, table

from simvirt.kernel import quota as q
from simvirt.kernel import tables as t
from simvirt.kernel.constants import NEVER, QUOTA_KEEP

MS = 1_000_000


def one_group(quota: int, period: int, burst: int, queues: int = 3) -> t.Plane:
    """A group with a quota and a few run queues."""
    groups = table(t.Groups, 1, quota=[quota], period=[period], burst=[burst], slice=[5 * MS], pool=[quota], first_throttled=[-1], last_throttled=[-1], slack_at=[NEVER])
    rows = table(t.Queues, queues, group=[0] * queues, parent=[-1] * queues)
    found: t.Plane = plane(groups=groups, queues=rows, calendar=table(t.Calendar, 1, size=[0]), run=table(t.Run, 1, limited=[1]))
    return found


@pytest.mark.parametrize("seed", range(30))
def test_late_refill_equals_a_refill_every_period(seed: int) -> None:
    """Looked at rarely or at every period: the same pool."""
    rng = random.Random(seed)
    quota, period, burst = rng.randrange(1, 50) * MS, 50 * MS, rng.choice([0, 0, 10 * MS, 100 * MS])
    p = one_group(quota, period, burst)
    pool, at, now, periods = quota, 0, 0, 0
    for _ in range(60):
        now += rng.randrange(1, 4 * period)
        while now - at >= period:
            at += period
            periods += 1
            pool = min(pool + quota, quota + burst)
        q.refill(p, 0, now)
        assert (p.groups.pool[0], p.groups.refilled_at[0], p.groups.nr_periods[0]) == (pool, at, periods)
        used = rng.randrange(pool + 1)
        pool -= used
        p.groups.pool[0] -= used


@pytest.mark.parametrize("seed", range(30))
def test_runtime_is_neither_made_nor_lost(seed: int) -> None:
    """Random takes, uses and returns: pool + runtime at hand + use = all refills (what a full pool turns away left aside)."""
    rng = random.Random(seed)
    quota, period = rng.randrange(1, 40) * MS, 50 * MS
    p = one_group(quota, period, 0)
    now, used, turned_away = 0, 0, 0
    for _ in range(300):
        step = rng.randrange(1, 8 * MS)
        now += step
        periods = (now - p.groups.refilled_at[0]) // period
        if periods > 0:
            before = p.groups.pool[0]
            q.refill(p, 0, now)
            turned_away += before + periods * quota - p.groups.pool[0]
        row = rng.randrange(3)
        move = rng.random()
        if move < 0.5:
            had = q.has_runtime(p, row, now)
            assert had == (p.queues.runtime[row] > 0)
            if had:
                spent = min(rng.randrange(1, 6 * MS), step)
                p.queues.runtime[row] -= spent
                used += spent
        elif move < 0.8:
            q.give_back(p, row, now)
            assert p.queues.runtime[row] <= max(QUOTA_KEEP, 0)
        else:
            q.settle_debt(p, row)
        assert p.groups.pool[0] >= 0
        assert p.groups.pool[0] + sum(p.queues.runtime) + used + turned_away == quota * (1 + p.groups.nr_periods[0])


def test_throttled_queues_wait_in_line() -> None:
    p = one_group(10 * MS, 50 * MS, 0)
    for at, row in enumerate((2, 0, 1)):
        q.mark_throttled(p, row, at * MS)
    assert p.calendar.at[0] == 50 * MS
    assert q.throttled_clock(p, 0, 5 * MS) == 4 * MS
    assert [q.unmark_throttled(p, 0, 10 * MS) for _ in range(3)] == [2, 0, 1]
    assert p.queues.throttled_clock == [9 * MS, 8 * MS, 10 * MS]
    assert p.groups.first_throttled[0] == -1
    assert q.throttled_clock(p, 0, 99 * MS) == 9 * MS


def test_a_debt_is_repaid_before_the_queue_runs() -> None:
    """A queue that overran by 3 ms needs 3 ms and 1 ns of the pool."""
    p = one_group(2 * MS, 50 * MS, 0)
    p.queues.runtime[0] = -3 * MS
    assert not q.settle_debt(p, 0)
    assert p.groups.pool[0] == 0
    q.refill(p, 0, 50 * MS)
    assert q.settle_debt(p, 0)
    assert p.queues.runtime[0] == 1
    assert p.groups.pool[0] == MS - 1

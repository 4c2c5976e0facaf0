"""cpu.max: a group's CPU time per period, handed to its run queues in slices.

Model: at the start of each period the group's pool is refilled to the quota (plus burst). A run queue takes 5 ms at a
    time; its use is looked at when the kernel accounts: at ticks, when something wakes and when a task leaves. A queue
    whose runtime is used up while the pool is empty is throttled until the refill, and repays what it overran. A queue
    that empties keeps 1 ms and gives the rest back. Periods of a group that nobody waits for cost no event: the pool is
    brought up to date when it is next looked at; slices that cannot fail cost none either (`coasting`).
    It only keeps books: `throttling` takes a queue off its CPU, `unthrottling` lets it go on.
    Where slices expire (Linux before 5.4), what a queue has taken and not used is lost when the period ends: each CPU on which a
    group ran briefly keeps 1 ms of its quota from it.
Ignores: hierarchies of quotas above the group itself; that kernels from 3.16 to 4.17 as released never let slices expire (their
    stable branches do since 2018), and that clocks of CPUs drift.
Source: Linux kernel/sched/fair.c, CONFIG_CFS_BANDWIDTH; Documentation/scheduler/sched-bwc.rst; Turner, Rao, Rao, "CPU
    bandwidth control for CFS", Linux Symposium 2010; commits 512ac999d275 (4.18) and de53fd7aedb1 (5.4): expiry.
"""

from simvirt.kernel.coasting import book_slices, end_coasting, shorten_coasting
from simvirt.kernel.constants import NEVER, NONE, QUOTA_KEEP, QUOTA_MARGIN, QUOTA_SLACK
from simvirt.kernel.marks import rare
from simvirt.kernel.pool import refill, set_group_timer
from simvirt.kernel.tables import Plane


def take_runtime(p: Plane, q: int, now: int) -> bool:
    """Let a run queue fill its runtime up to a slice; whether it has any then."""
    g: int = p.queues.group[q]
    book_slices(p, g, now)
    refill(p, g, now)
    p.queues.taken_in[q] = p.groups.refilled_at[g]
    amount: int = min(p.groups.slice[g] - p.queues.runtime[q], p.groups.pool[g])
    if amount > 0:
        p.groups.pool[g] -= amount
        p.queues.runtime[q] += amount
        shorten_coasting(p, g, now)
    return p.queues.runtime[q] > 0


def has_runtime(p: Plane, q: int, now: int) -> bool:
    """Whether a group's queue may run: no quota, runtime at hand, or some left in the pool."""
    g: int = p.queues.group[q]
    if g == NONE or p.groups.quota[g] == 0:
        return True
    if p.groups.expires[g] != 0:
        expire(p, q, g, now)
    if p.queues.runtime[q] > 0:
        return True
    return take_runtime(p, q, now)


@rare
def expire(p: Plane, q: int, g: int, now: int) -> None:
    """What a queue has left of an earlier period's slice is lost."""
    refill(p, g, now)
    if p.queues.taken_in[q] != p.groups.refilled_at[g] and p.queues.runtime[q] > 0:
        p.queues.runtime[q] = 0


def give_back(p: Plane, q: int, now: int) -> None:
    """A run queue that has emptied returns its runtime, but for 1 ms."""
    g: int = p.queues.group[q]
    if p.groups.quota[g] > 0 and p.groups.expires[g] != 0:
        expire(p, q, g, now)
        if p.queues.runtime[q] <= 0:  # a task that leaves is accounted, which takes a slice
            take_runtime(p, q, now)
    excess: int = p.queues.runtime[q] - QUOTA_KEEP
    if p.groups.quota[g] == 0 or excess <= 0:
        return
    book_slices(p, g, now)
    refill(p, g, now)
    p.queues.runtime[q] = QUOTA_KEEP
    p.groups.pool[g] += excess
    if p.groups.first_throttled[g] == NONE or p.groups.pool[g] <= p.groups.slice[g] or p.groups.slack_at[g] != NEVER:
        return
    if now + QUOTA_MARGIN < p.groups.refilled_at[g] + p.groups.period[g]:
        p.groups.slack_at[g] = now + QUOTA_SLACK
        set_group_timer(p, g)


def throttled_clock(p: Plane, q: int, now: int) -> int:
    """Time that a queue and those above it have been throttled so far [ns]."""
    clock: int = 0
    if p.run.limited[0] == 0:
        return 0
    while q != NONE:
        clock += p.queues.throttled_clock[q]
        if p.queues.throttled[q] != 0:
            clock += now - p.queues.throttled_since[q]
        q = p.queues.parent[q]
    return clock


def mark_throttled(p: Plane, q: int, now: int) -> None:
    """Put a queue at the end of its group's list of throttled queues."""
    g: int = p.queues.group[q]
    end_coasting(p, g, now)
    p.queues.throttled[q] = 1
    p.queues.throttled_since[q] = now
    p.queues.next_throttled[q] = NONE
    if p.groups.first_throttled[g] == NONE:
        p.groups.first_throttled[g] = q
    else:
        p.queues.next_throttled[p.groups.last_throttled[g]] = q
    p.groups.last_throttled[g] = q
    set_group_timer(p, g)


def unmark_throttled(p: Plane, g: int, now: int) -> int:
    """Take the oldest queue off its group's list of throttled queues."""
    q: int = p.groups.first_throttled[g]
    p.groups.first_throttled[g] = p.queues.next_throttled[q]
    p.queues.throttled[q] = 0
    p.queues.throttled_clock[q] += now - p.queues.throttled_since[q]
    return q


def settle_debt(p: Plane, q: int) -> bool:
    """Pay a throttled queue's overrun from the pool; whether it can run again."""
    g: int = p.queues.group[q]
    p.queues.taken_in[q] = p.groups.refilled_at[g]
    amount: int = min(1 - p.queues.runtime[q], p.groups.pool[g])
    if amount > 0:
        p.groups.pool[g] -= amount
        p.queues.runtime[q] += amount
    return p.queues.runtime[q] > 0

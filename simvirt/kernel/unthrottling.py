"""Refills: what a period or returned runtime gives to a group, and its throttled queues that go on with it."""

from simvirt.kernel.coasting import end_coasting, renew_coasting
from simvirt.kernel.constants import NEVER, NONE
from simvirt.kernel.cpu import wakeup_preempt
from simvirt.kernel.hierarchy import raise_groups, settle
from simvirt.kernel.pool import refill, set_group_timer
from simvirt.kernel.quota import settle_debt, take_runtime, unmark_throttled
from simvirt.kernel.tables import Plane


def unthrottle(p: Plane, q: int, now: int) -> None:
    """A group's queue competes again."""
    c: int = p.queues.cpu[q]
    if p.queues.tasks[q] == 0:
        return
    settle(p, c, now)
    tasks: int = p.queues.tasks[q]
    p.queues.tasks[q] = 0
    if raise_groups(p, q, c, tasks, now, False):
        wakeup_preempt(p, c, now)


def on_group_timer(p: Plane, g: int, now: int) -> None:
    """The period of a group with throttled queues is over, or runtime was given back: hand out what there is."""
    if p.groups.coasting[g] != NONE:
        renew_coasting(p, g, now)
        return
    refill(p, g, now)
    if p.groups.slack_at[g] <= now:
        p.groups.slack_at[g] = NEVER
    turns: int = p.machines.cpus[p.groups.machine[g]]
    exact: bool = p.machines.tick[p.groups.machine[g]] == 0
    while turns > 0 and p.groups.first_throttled[g] != NONE and settle_debt(p, p.groups.first_throttled[g]):
        q: int = unmark_throttled(p, g, now)
        if exact:  # without ticks the CPUs would take slices in the order of their rows
            take_runtime(p, q, now)
        unthrottle(p, q, now)
        turns -= 1
    set_group_timer(p, g)


def change_quota(p: Plane, g: int, quota: int, now: int) -> int:
    """A group that has a quota has another one from now on, all of it at once; those of its queues that were throttled get their part.

    *Source*: Linux kernel/sched/core.c, tg_set_cfs_bandwidth: the runtime is refilled, throttled queues are let go on.
    """
    if p.groups.quota[g] == 0 or quota <= 0:
        return 0
    p.run.now[0] = now
    end_coasting(p, g, now)
    refill(p, g, now)
    p.groups.quota[g] = quota
    p.groups.pool[g] = quota
    if p.groups.first_throttled[g] != NONE:
        on_group_timer(p, g, now)
    return 1

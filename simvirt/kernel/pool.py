"""The pool of a group under a quota: what its periods bring, and when it is next looked at."""

from simvirt.kernel.calendar import set_timer
from simvirt.kernel.constants import NEVER, NONE
from simvirt.kernel.tables import Plane


def refill(p: Plane, g: int, now: int) -> None:
    """Add the quota of every period that has begun since the last look, and count those that ended with a throttled queue."""
    periods: int = (now - p.groups.refilled_at[g]) // p.groups.period[g]
    if periods <= 0:
        return
    full: int = p.groups.quota[g] + p.groups.burst[g]
    if periods > 1:
        saved: int = p.groups.pool[g] + (periods - 1) * p.groups.quota[g]
        p.groups.pool[g] = full if p.groups.burst[g] == 0 else min(saved, full)
    p.groups.pool[g] = min(p.groups.pool[g] + p.groups.quota[g], full)
    p.groups.refilled_at[g] += periods * p.groups.period[g]
    p.groups.nr_periods[g] += periods
    if p.groups.first_throttled[g] != NONE:
        p.groups.nr_throttled[g] += periods


def set_group_timer(p: Plane, g: int) -> None:
    """A group with throttled queues wakes at its refill, or earlier when runtime was given back; one that coasts, to look again."""
    at: int = NEVER
    if p.groups.first_throttled[g] != NONE:
        at = min(p.groups.refilled_at[g] + p.groups.period[g], p.groups.slack_at[g])
    elif p.groups.coasting[g] != NONE:
        at = p.groups.coasts_until[g]
    set_timer(p.calendar, g, at)

"""CFS, the Linux scheduler from 2.6.23 to 6.5: the least vruntime runs.

Model: a targeted latency is divided among the queue's entities by weight, but no slice is shorter than the minimum
    granularity. At a tick the current entity gives way after its slice, or when the leftmost is a slice behind it. A
    waking entity is placed half a latency behind the queue's floor at most (GENTLE_FAIR_SLEEPERS) and preempts when it
    is the wake-up granularity behind the current one.
Ignores: buddies, autogroups, SCHED_IDLE; the smoothing of group weights over time (PELT).
Source: Linux kernel/sched/fair.c, 5.4: place_entity, sched_slice, check_preempt_tick, wakeup_preempt_entity.
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.runqueue import real, tick_at_or_after, total_load, virtual
from simvirt.kernel.schedulers.turns import turn_begins, turn_goes_on
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import leftmost


def cfs_place(p: Plane, q: int, e: int, now: int, waking: bool) -> None:
    """Give a joining entity its vruntime: sleepers get a limited credit, migrants keep their distance to the floor."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    floor: float = p.queues.min_vruntime[q]
    if p.entities.queue[e] != q or not waking:
        p.entities.vruntime[e] = floor + p.entities.relative[e]
    if waking:
        credit: float = virtual(p, e, 0.5 * p.machines.latency[m])
        p.entities.vruntime[e] = max(floor - credit, p.entities.vruntime[e])
    p.entities.key[e] = p.entities.vruntime[e]


def cfs_join_alone(p: Plane, q: int, e: int, now: int) -> None:
    """Join an empty queue, as a waking entity does."""
    turn_begins(p, q, e)
    cfs_place(p, q, e, now, True)


def cfs_line_up(p: Plane, q: int, e: int) -> None:
    """Wait again, by vruntime."""
    p.entities.key[e] = p.entities.vruntime[e]


def cfs_left(p: Plane, q: int, e: int, now: int) -> None:
    """Remember the distance to the floor of an entity that leaves."""
    p.entities.relative[e] = p.entities.vruntime[e] - p.queues.min_vruntime[q]


def cfs_left_alone(p: Plane, q: int, e: int) -> None:
    """An entity that nobody competed with is as far as its queue."""
    p.entities.relative[e] = 0.0


def cfs_charged(p: Plane, q: int, e: int, since: int, now: int) -> None:
    """Raise the queue's floor to the least vruntime; it never falls."""
    turn_goes_on(p, q, e, since, now)
    least: float = p.entities.vruntime[e]
    first: int = leftmost(p.entities, p.queues.tree[q])
    if first != NONE:
        least = min(least, p.entities.vruntime[first])
    p.queues.min_vruntime[q] = max(p.queues.min_vruntime[q], least)


def cfs_slice(p: Plane, q: int, e: int) -> int:
    """Slice of an entity: its share of the latency, or of as many granularities as there are entities [ns]."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    period: int = max(p.machines.latency[m], p.machines.min_granularity[m] * p.queues.entities[q])
    return max(int(period * p.entities.weight[e] / total_load(p, q)), 1)


def cfs_pick(p: Plane, q: int, now: int, waking: bool) -> int:
    """Entity that should run next; on a wake-up the current one stays unless clearly ahead."""
    current: int = p.queues.current[q]
    first: int = leftmost(p.entities, p.queues.tree[q])
    if first == NONE or current == NONE:
        return current if first == NONE else first
    ahead: float = p.entities.vruntime[current] - p.entities.vruntime[first]
    m: int = p.cpus.machine[p.queues.cpu[q]]
    if waking and ahead <= virtual(p, first, float(p.machines.wakeup_granularity[m])):
        return current
    return first if ahead > 0.0 else current


def cfs_check_at(p: Plane, q: int, e: int, now: int) -> int:
    """Tick at which the current entity of a contended queue is up for replacement [ns]."""
    c: int = p.queues.cpu[q]
    had: int = p.entities.turn[e]
    ideal: int = cfs_slice(p, q, e)
    at: int = now + ideal - had
    first: int = leftmost(p.entities, p.queues.tree[q])
    if first != NONE:
        ahead: float = p.entities.vruntime[e] - p.entities.vruntime[first]
        early: int = now + real(p, e, max(float(ideal) - ahead, 0.0))
        at = min(at, max(early, now + p.machines.min_granularity[p.cpus.machine[c]] - had))
    return tick_at_or_after(p, c, at, now)

"""Credit2, the default of Xen since 4.12: credits burnt by weight, handed out to all when the best has none left.

Model: the heaviest burns one credit per ns of running, others so much more as they weigh less; the one with the most
    credits runs. Once nobody who could run has any left, everybody in the run queue gets 10 ms more (20 ms where the
    best is 10 ms short); sleepers come back with 10.5 ms at most, and nobody owes more than 10 ms. A turn lasts until
    the credits are those of the first in line, at least 0.5 ms and the rate limit, at most 10 ms. Who wakes preempts
    when it has more credits than the current one; coming from another CPU it needs 0.5 ms more. Weights are those of
    vCPUs: a VM with two runnable ones weighs twice. Credits are kept as a vruntime: what a queue has handed out
    (`credits_given`) less what an entity has burnt, so that a reset visits nobody.
Ignores: the run queue that the CPUs of a socket share: each CPU has its own, a VM has credits on each, and CPUs look
    into others' queues when they fall idle and at periodic balancing; soft affinity; yields; the 50 us of compensation
    for a migration; the cap's own period of 10 ms.
Source: Xen xen/common/sched/credit2.c: CSCHED2_CREDIT_INIT, CSCHED2_CREDIT_MIN, CSCHED2_CARRYOVER_MAX,
    CSCHED2_MIN_TIMER, reset_credit, csched2_runtime, runq_candidate, tickle_score.
"""

from simvirt.kernel.constants import NONE, WEIGHT_ONE
from simvirt.kernel.runqueue import real
from simvirt.kernel.schedulers.round_robin import fifo_place, round_robin_check_at, round_robin_line_up, round_robin_pick
from simvirt.kernel.schedulers.turns import turn_begins, turn_goes_on, turn_is_over, turn_left
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import leftmost

LEAST_TURN = 500000  # CSCHED2_MIN_TIMER [ns]
CARRY = 500000  # credits beyond a reset that a sleeper may bring back: CSCHED2_CARRYOVER_MAX [ns]


def credits_of(p: Plane, q: int, credit: int) -> float:
    """Credits in the virtual time of a queue, where the heaviest entity burns one per ns [ns]."""
    return credit * WEIGHT_ONE / p.machines.heaviest[p.cpus.machine[p.queues.cpu[q]]]


def credit2_bounds(p: Plane, q: int, e: int) -> None:
    """Who joins has no more than a reset and the carry-over, and owes no more than a reset."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    floor: float = p.queues.credits_given[q]
    most: float = credits_of(p, q, p.machines.reset_credits[m] + CARRY)
    least: float = credits_of(p, q, p.machines.reset_credits[m])
    p.entities.vruntime[e] = min(max(p.entities.vruntime[e], floor - most), floor + least)


def credit2_place(p: Plane, q: int, e: int, now: int, waking: bool) -> None:
    """Join a queue: a group's own on one CPU is first come, first served; between VMs credits decide."""
    last: int = p.entities.queue[e]
    above: int = e if p.queues.parent[q] == NONE else q
    if e >= p.run.first_vcpu[0]:
        p.entities.migrated[above] = 1 if last != NONE and p.queues.cpu[last] != p.queues.cpu[q] else 0
    if p.queues.parent[q] != NONE:
        fifo_place(p, q, e)
        return
    if last == NONE:
        most: int = p.machines.reset_credits[p.cpus.machine[p.queues.cpu[q]]]
        p.entities.vruntime[e] = p.queues.credits_given[q] - credits_of(p, q, most)
    elif last != q or not waking:
        p.entities.vruntime[e] = p.queues.credits_given[q] + p.entities.relative[e]
    credit2_bounds(p, q, e)
    p.entities.key[e] = p.entities.vruntime[e]


def credit2_join_alone(p: Plane, q: int, e: int, now: int) -> None:
    """Join an empty queue as its current entity."""
    p.entities.migrated[e] = 0
    if p.queues.parent[q] != NONE:
        fifo_place(p, q, e)
        return
    turn_begins(p, q, e)
    credit2_bounds(p, q, e)


def credit2_line_up(p: Plane, q: int, e: int) -> None:
    """The current entity waits again: by credits, or in a group's own queue at the end of the line."""
    p.entities.migrated[e] = 0
    if p.queues.parent[q] == NONE:
        p.entities.key[e] = p.entities.vruntime[e]
    else:
        round_robin_line_up(p, q, e)


def credit2_begin(p: Plane, q: int, e: int) -> None:
    """On its CPU an entity is at home; between VMs a turn begins."""
    p.entities.migrated[e] = 0
    if p.queues.parent[q] == NONE:
        turn_begins(p, q, e)


def credit2_left(p: Plane, q: int, e: int, now: int) -> None:
    """Keep the credits at hand."""
    p.entities.relative[e] = p.entities.vruntime[e] - p.queues.credits_given[q]


def credit2_left_alone(p: Plane, q: int, e: int) -> None:
    """An entity that nobody competed with comes back with none."""
    p.entities.relative[e] = 0.0


def credit2_charged(p: Plane, q: int, e: int, since: int, now: int) -> None:
    """Running has burnt credits; an entity that is alone gets new ones whenever it runs out."""
    turn_goes_on(p, q, e, since, now)
    if p.queues.parent[q] != NONE:
        return
    reset: float = credits_of(p, q, p.machines.reset_credits[p.cpus.machine[p.queues.cpu[q]]])
    owed: float = p.entities.vruntime[e] - p.queues.credits_given[q]
    if p.queues.entities[q] > 1:
        p.entities.vruntime[e] = min(p.entities.vruntime[e], p.queues.credits_given[q] + reset)
    elif owed >= 0.0:
        resets: int = int(owed / reset) + 1
        p.queues.credits_given[q] += resets * reset


def credit2_pick(p: Plane, q: int, now: int, waking: bool) -> int:
    """The one with the most credits; the current one stays within the rate limit. Without any, all get new ones."""
    if p.queues.parent[q] != NONE:
        return round_robin_pick(p, q, now, waking)
    m: int = p.cpus.machine[p.queues.cpu[q]]
    best: int = p.queues.current[q]
    first: int = leftmost(p.entities, p.queues.tree[q])
    if best == NONE:
        best = first
    elif first != NONE and turn_is_over(p, q, best, p.machines.ratelimit[m]):
        resistance: float = p.entities.migrated[first] * credits_of(p, q, p.machines.migrate_resist[m])
        if p.entities.vruntime[first] + resistance < p.entities.vruntime[best]:
            best = first
    owed: float = p.entities.vruntime[best] - p.queues.credits_given[q]
    if owed >= 0.0:
        reset: float = credits_of(p, q, p.machines.reset_credits[m])
        p.queues.credits_given[q] += 2.0 * reset if owed >= reset else reset
    return best


def credit2_check_at(p: Plane, q: int, e: int, now: int) -> int:
    """End of the current entity's turn: its credits are those of the first in line, or used up [ns]."""
    if p.queues.parent[q] != NONE:
        return round_robin_check_at(p, q, e, now)
    m: int = p.cpus.machine[p.queues.cpu[q]]
    until: float = p.queues.credits_given[q]
    first: int = leftmost(p.entities, p.queues.tree[q])
    if first != NONE and p.entities.vruntime[first] < until:
        until = p.entities.vruntime[first]
    left: int = real(p, e, max(until - p.entities.vruntime[e], 0.0))
    least: int = max(LEAST_TURN, turn_left(p, e, p.machines.ratelimit[m]))
    return now + max(min(left, p.machines.reset_credits[m]), least)

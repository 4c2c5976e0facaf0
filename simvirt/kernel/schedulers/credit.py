"""Credit, the Xen scheduler: proportional credits, three priorities, FIFO within each.

Model: an entity earns credits by weight and burns them by running; with credits left it is UNDER, else OVER. Who wakes
    UNDER is BOOSTed until its next tick and preempts. Slices last 30 ms, priorities are looked at every 10 ms tick.
    Credits are kept by a clock of CPU time per unit of active weight, and the tree knows, in place of the vruntimes that
    other schedulers have, at which reading of it each priority changes, so that nothing has to visit all entities.
Ignores: the 30 ms rhythm of accounting (credits flow continuously), tickling of other idle pCPUs, hard affinity masks
    of dom0.
Source: Xen xen/common/sched/credit.c; Cherkasova, Gupta, Vahdat, "Comparison of the Three CPU Schedulers in Xen", 2007.
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.runqueue import tick_at_or_after, tree_add, tree_drop
from simvirt.kernel.schedulers.turns import turn_begins, turn_goes_on, turn_is_over, turn_left
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import earliest_eligible, leftmost

BOOST = 0.0
UNDER = 1.0
OVER = 2.0
CLASS = 1e15  # distance of two priorities in the tree's key
FAR = 1e30  # a reading that the clock never has


def credit_advance(p: Plane, m: int, now: int) -> None:
    """Move the machine's clock of CPU time per unit of active weight."""
    elapsed: int = now - p.machines.credit_at[m]
    p.machines.credit_at[m] = now
    if elapsed > 0 and p.machines.active_weight[m] > 0.0:
        p.machines.credit_clock[m] += elapsed * p.machines.cpus[m] / p.machines.active_weight[m]


def credit_settle(p: Plane, m: int, e: int) -> None:
    """Pay an entity what it has earned, within one slice of zero."""
    bound: float = float(p.machines.timeslice[m])
    earned: float = p.entities.weight[e] * (p.machines.credit_clock[m] - p.entities.credit_mark[e])
    p.entities.credit_mark[e] = p.machines.credit_clock[m]
    p.entities.credits[e] = min(max(p.entities.credits[e] + earned, -bound), bound)


def credit_tick(p: Plane, q: int, now: int) -> None:
    """Each tick looks at the credits of those whose priority they change, as if it looked at everybody's.

    Those that rise go to the end of their new line, those that fall to its front, in the order in which they waited.
    """
    m: int = p.cpus.machine[p.queues.cpu[q]]
    chain: int = NONE
    count: int = 0
    e: int = earliest_eligible(p.entities, p.queues.tree[q], p.machines.credit_clock[m])
    while e != NONE:
        tree_drop(p, q, e)
        p.entities.next_free[e] = chain
        chain = e
        count += 1
        e = earliest_eligible(p.entities, p.queues.tree[q], p.machines.credit_clock[m])
    credit_line_up_chain(p, q, chain, count)
    current: int = p.queues.current[q]
    if current != NONE:
        credit_settle(p, m, current)
        p.entities.priority[current] = credit_priority(p, current)


def credit_line_up_chain(p: Plane, q: int, chain: int, count: int) -> None:
    """Line up a chain of so many entities, the last one first, by what their credits say."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    first: int = p.machines.sequence[m]
    p.machines.sequence[m] += count
    for i in range(count):
        before: float = p.entities.priority[chain]
        credit_settle(p, m, chain)
        p.entities.priority[chain] = credit_priority(p, chain)
        line: float = p.entities.priority[chain] * CLASS
        if p.entities.priority[chain] < before:
            p.entities.key[chain] = line + float(first + count - i)
        elif p.entities.priority[chain] > before:
            p.entities.key[chain] = line - float(first + 1 + i)
        p.entities.vruntime[chain] = credit_due(p, chain)
        tree_add(p, q, chain)
        chain = p.entities.next_free[chain]


def credit_priority(p: Plane, e: int) -> float:
    """Priority from the credits at hand."""
    return UNDER if p.entities.credits[e] >= 0.0 else OVER


def credit_due(p: Plane, e: int) -> float:
    """Reading of the machine's clock from which a tick changes an entity's priority: now unless it is what credits say."""
    credits: float = p.entities.credits[e]
    if p.entities.priority[e] == UNDER and credits >= 0.0:
        return FAR
    if p.entities.priority[e] == OVER and credits < 0.0:
        return p.entities.credit_mark[e] - credits / p.entities.weight[e]
    return -1.0


def credit_line_up(p: Plane, q: int, e: int) -> None:
    """Go to the end of the line of one's priority."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    p.machines.sequence[m] += 1
    p.entities.key[e] = p.entities.priority[e] * CLASS + float(p.machines.sequence[m])
    p.entities.credits[e] = max(p.entities.credits[e], -float(p.machines.timeslice[m]))
    p.entities.vruntime[e] = credit_due(p, e)


def credit_place(p: Plane, q: int, e: int, now: int, waking: bool) -> None:
    """Join the line; who wakes with credits left is boosted."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    credit_advance(p, m, now)
    p.machines.active_weight[m] += p.entities.weight[e]
    p.entities.credit_mark[e] = p.machines.credit_clock[m]
    p.entities.priority[e] = credit_priority(p, e)
    if waking and p.entities.priority[e] == UNDER:
        p.entities.priority[e] = BOOST
    credit_line_up(p, q, e)


def credit_join_alone(p: Plane, q: int, e: int, now: int) -> None:
    """Join an empty queue, as a waking entity does."""
    turn_begins(p, q, e)
    credit_place(p, q, e, now, True)


def credit_reweigh(p: Plane, q: int, e: int, weight: float) -> None:
    """Earn by another weight from now on."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    credit_settle(p, m, e)
    p.machines.active_weight[m] += weight - p.entities.weight[e]
    p.entities.weight[e] = weight
    p.entities.vruntime[e] = credit_due(p, e)


def credit_left(p: Plane, q: int, e: int, now: int) -> None:
    """An entity that leaves earns no more."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    credit_advance(p, m, now)
    credit_settle(p, m, e)
    p.machines.active_weight[m] = max(p.machines.active_weight[m] - p.entities.weight[e], 0.0)


def credit_left_alone(p: Plane, q: int, e: int) -> None:
    """An entity that nobody competed with keeps no credits."""
    p.entities.credits[e] = 0.0


def credit_charged(p: Plane, q: int, e: int, since: int, now: int) -> None:
    """Running burns credits."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    credit_advance(p, m, now)
    credit_settle(p, m, e)
    p.entities.credits[e] -= float(now - since)
    turn_goes_on(p, q, e, since, now)


def credit_pick(p: Plane, q: int, now: int, waking: bool) -> int:
    """The best priority; the current entity gives way to its equals only when its slice is over."""
    current: int = p.queues.current[q]
    first: int = leftmost(p.entities, p.queues.tree[q])
    if first == NONE or current == NONE:
        return current if first == NONE else first
    m: int = p.cpus.machine[p.queues.cpu[q]]
    if waking and p.entities.turn[current] < p.machines.ratelimit[m]:
        return current
    if p.entities.priority[first] < p.entities.priority[current]:
        return first
    if p.entities.priority[first] == p.entities.priority[current] and turn_is_over(p, q, current, p.machines.timeslice[m]):
        return first
    return current


def credit_check_at(p: Plane, q: int, e: int, now: int) -> int:
    """Next tick of the CPU, whoever runs then, or the end of the current entity's slice [ns]."""
    c: int = p.queues.cpu[q]
    tick: int = tick_at_or_after(p, c, now, now)
    slice_ns: int = p.machines.timeslice[p.cpus.machine[c]]
    return tick if p.entities.turn[e] >= slice_ns else min(tick, now + turn_left(p, e, slice_ns))

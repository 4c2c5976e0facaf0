"""Credit, the Xen scheduler: proportional credits, three priorities, FIFO within each.

Model: an entity earns credits by weight and burns them by running; with credits left it is UNDER, else OVER. Who wakes
    UNDER is BOOSTed until its next tick and preempts. Slices last 30 ms, priorities are looked at every 10 ms tick.
    Credits are kept by a clock of CPU time per unit of active weight, so that nothing has to visit all entities.
Ignores: the 30 ms rhythm of accounting (credits flow continuously), tickling of other idle pCPUs, hard affinity masks
    of dom0.
Source: Xen xen/common/sched/credit.c; Cherkasova, Gupta, Vahdat, "Comparison of the Three CPU Schedulers in Xen", 2007.
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.runqueue import tick_at_or_after
from simvirt.kernel.schedulers.turns import turn_begins, turn_goes_on, turn_is_over, turn_left
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import leftmost

BOOST = 0.0
UNDER = 1.0
OVER = 2.0
CLASS = 1e15  # distance of two priorities in the tree's key


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


def credit_ranks(p: Plane, q: int) -> bool:
    """Each tick looks at everybody's credits."""
    return True


def credit_rank(p: Plane, q: int, e: int, now: int) -> None:
    """Priority from the credits at hand; whoever waits goes to the end of its line."""
    credit_settle(p, p.cpus.machine[p.queues.cpu[q]], e)
    p.entities.priority[e] = UNDER if p.entities.credits[e] >= 0.0 else OVER
    if p.queues.current[q] != e:
        credit_line_up(p, q, e)


def credit_line_up(p: Plane, q: int, e: int) -> None:
    """Go to the end of the line of one's priority."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    p.machines.sequence[m] += 1
    p.entities.key[e] = p.entities.priority[e] * CLASS + float(p.machines.sequence[m])


def credit_place(p: Plane, q: int, e: int, now: int, waking: bool) -> None:
    """Join the line; who wakes with credits left is boosted."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    credit_advance(p, m, now)
    p.machines.active_weight[m] += p.entities.weight[e]
    p.entities.credit_mark[e] = p.machines.credit_clock[m]
    p.entities.priority[e] = UNDER if p.entities.credits[e] >= 0.0 else OVER
    if waking and p.entities.priority[e] == UNDER:
        p.entities.priority[e] = BOOST
    credit_line_up(p, q, e)


def credit_join_alone(p: Plane, q: int, e: int, now: int) -> None:
    """Join an empty queue, as a waking entity does."""
    turn_begins(p, q, e)
    credit_place(p, q, e, now, True)


def credit_reweigh(p: Plane, q: int, e: int, weight: float) -> None:
    """Earn by another weight from now on."""
    p.machines.active_weight[p.cpus.machine[p.queues.cpu[q]]] += weight - p.entities.weight[e]
    p.entities.weight[e] = weight


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

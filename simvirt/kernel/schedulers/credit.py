"""Credit, the Xen scheduler: proportional credits, three priorities, FIFO within each.

Model: an entity earns credits by weight and burns them by running; with credits left it is UNDER, else OVER. Who wakes
    UNDER is BOOSTed until its next tick and preempts. Slices last 30 ms, priorities are looked at every 10 ms tick.
    Credits are kept by a clock of CPU time per unit of active weight, so that nothing has to visit all entities.
Ignores: the 30 ms rhythm of accounting (credits flow continuously), tickling of other idle pCPUs, hard affinity masks
    of dom0.
Source: Xen xen/common/sched/credit.c; Cherkasova, Gupta, Vahdat, "Comparison of the Three CPU Schedulers in Xen", 2007.
"""

from simvirt.kernel.constants import NONE
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


def credit_pick(p: Plane, q: int, now: int, waking: bool) -> int:
    """The best priority; the current entity gives way to its equals only when its slice is over."""
    current: int = p.queues.current[q]
    first: int = leftmost(p.entities, p.queues.tree[q])
    if first == NONE or current == NONE:
        return current if first == NONE else first
    c: int = p.queues.cpu[q]
    m: int = p.cpus.machine[c]
    ran: int = now - p.cpus.since[c]
    if waking and ran < p.machines.ratelimit[m]:
        return current
    if p.entities.priority[first] < p.entities.priority[current]:
        return first
    if ran >= p.machines.timeslice[m] and p.entities.priority[first] == p.entities.priority[current]:
        return first
    return current


def credit_check_at(p: Plane, q: int, e: int, now: int) -> int:
    """Next tick after the current entity started, or the end of its slice [ns]."""
    c: int = p.queues.cpu[q]
    m: int = p.cpus.machine[c]
    since: int = p.cpus.since[c]
    tick: int = since + ((now - since) // p.machines.tick[m] + 1) * p.machines.tick[m]
    end: int = since + p.machines.timeslice[m]
    return tick if end <= now else min(tick, end)

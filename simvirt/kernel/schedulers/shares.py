"""Proportional shares with reservations, as ESXi and Hyper-V divide CPUs: the one with the least for its weight runs.

Model: each VM has a vruntime on each CPU (CPU time x 1024 / weight); at the end of a quantum the least one runs, so
    that equals take turns. A reservation of r CPUs fills an account by r ns per ns, up to 100 ms' worth, which running
    empties; while it is not empty its VM goes before all that have only their shares. Accounts are looked at when
    something wakes, at the end of a quantum and, where a machine has reservations, every 10 ms.
    ESXi: the shares of a VM are divided over its runnable vCPUs; who wakes preempts when it has had less, and may lag
    behind by 8 quanta. Hyper-V: every virtual processor has the weight; who wakes waits for the end of the quantum and
    gets nothing for the time it slept. Limits are the quotas of `cpu.max`, whoever schedules.
Ignores: ESXi's resource pools, ageing of consumption and its choice of CPUs by cache and load; CPU groups and NUMA
    spilling of Hyper-V; the root partition of Hyper-V as a competitor.
Source: "The CPU Scheduler in VMware vSphere 5.1", VMware technical paper, 2013 (proportional shares, quantum 50 ms);
    advanced setting Cpu.BoundLagQuanta 8; Microsoft, "Hypervisor Top Level Functional Specification", scheduler policy
    (CPU reserve, cap and weight; decisions at discrete times of hundredths of a second); Friedman, "Hyper-V
    Performance: Virtual Processor Scheduling Priority", 2017 (round robin, no boost for pending interrupts). The rhythm
    of 10 ms and the bound of 100 ms on reservations are estimates: a guarantee holds over longer times only.
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.runqueue import tree_add, tree_drop, virtual
from simvirt.kernel.schedulers.turns import turn_begins, turn_goes_on, turn_is_over
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import leftmost

RESERVE_FIRST = -1e15  # distance in the tree's key of those whose reservation is due
RESERVE_SPAN = 100000000  # time for which an unused or overdrawn reservation is remembered [ns]
RESERVE_LOOK = 10000000  # [ns]


def reserve_settle(p: Plane, g: int, used: int, now: int) -> None:
    """Fill a group's account of reserved CPU time up to now, and take from it what has been used."""
    bound: float = p.groups.reserve[g] * RESERVE_SPAN
    left: float = min(p.groups.reserve_left[g] + (now - p.groups.reserve_at[g]) * p.groups.reserve[g], bound + used)
    p.groups.reserve_left[g] = max(left - used, -bound)
    p.groups.reserve_at[g] = now


def shares_tick(p: Plane, q: int, now: int) -> None:
    """Each tick looks at everybody's reservation, where there are any."""
    if p.machines.reserved[p.cpus.machine[p.queues.cpu[q]]] == 0 or p.queues.parent[q] != NONE:
        return
    chain: int = NONE
    e: int = leftmost(p.entities, p.queues.tree[q])
    while e != NONE:
        tree_drop(p, q, e)
        p.entities.next_free[e] = chain
        chain = e
        e = leftmost(p.entities, p.queues.tree[q])
    while chain != NONE:
        shares_rank(p, q, chain, now)
        tree_add(p, q, chain)
        chain = p.entities.next_free[chain]
    if p.queues.current[q] != NONE:
        shares_rank(p, q, p.queues.current[q], now)


def shares_rank(p: Plane, q: int, e: int, now: int) -> None:
    """An entity's place: ahead of all others while its group's reservation is due."""
    p.entities.reserve_due[e] = 0
    if e < p.run.first_vcpu[0] and p.groups.reserve[p.queues.group[e]] > 0.0:
        g: int = p.queues.group[e]
        reserve_settle(p, g, 0, now)
        if p.groups.reserve_left[g] > 0.0:
            p.entities.reserve_due[e] = 1
    shares_line_up(p, q, e)


def shares_place(p: Plane, q: int, e: int, now: int, waking: bool) -> None:
    """Give a joining entity its vruntime: within a bound of what the others have had."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    floor: float = p.queues.min_vruntime[q]
    if p.entities.queue[e] != q or not waking:
        p.entities.vruntime[e] = floor + p.entities.relative[e]
    bound: float = virtual(p, e, float(p.machines.bound_lag[m]))
    if waking:
        ahead: float = max(bound, virtual(p, e, float(p.machines.quantum[m])))
        p.entities.vruntime[e] = min(max(p.entities.vruntime[e], floor - bound), floor + ahead)
    shares_rank(p, q, e, now)


def shares_join_alone(p: Plane, q: int, e: int, now: int) -> None:
    """Join an empty queue, as a waking entity does."""
    turn_begins(p, q, e)
    shares_place(p, q, e, now, True)


def shares_line_up(p: Plane, q: int, e: int) -> None:
    """Wait again, at the place that one had."""
    p.entities.key[e] = p.entities.vruntime[e]
    if p.entities.reserve_due[e] != 0:
        p.entities.key[e] += RESERVE_FIRST


def shares_begin(p: Plane, q: int, e: int) -> None:
    """A turn begins; note whether it is a reservation that puts an entity on the CPU."""
    turn_begins(p, q, e)
    p.entities.by_reserve[e] = p.entities.reserve_due[e]


def shares_left(p: Plane, q: int, e: int, now: int) -> None:
    """Keep the distance to the queue's least vruntime."""
    p.entities.relative[e] = p.entities.vruntime[e] - p.queues.min_vruntime[q]


def shares_left_alone(p: Plane, q: int, e: int) -> None:
    """An entity that nobody competed with is as far as its queue."""
    p.entities.relative[e] = 0.0


def shares_charged(p: Plane, q: int, e: int, since: int, now: int) -> None:
    """Raise the queue's floor to the least vruntime, and empty the account of a reservation."""
    turn_goes_on(p, q, e, since, now)
    least: float = p.entities.vruntime[e]
    tree: int = p.queues.tree[q]
    if tree != NONE:
        least = min(least, p.entities.least[tree])
    p.queues.min_vruntime[q] = max(p.queues.min_vruntime[q], least)
    if e < p.run.first_vcpu[0] and p.groups.reserve[p.queues.group[e]] > 0.0:
        reserve_settle(p, p.queues.group[e], now - since, now)


def shares_pick(p: Plane, q: int, now: int, waking: bool) -> int:
    """First who has a reservation due, then who had least; the current one keeps its quantum from its own kind."""
    current: int = p.queues.current[q]
    first: int = leftmost(p.entities, p.queues.tree[q])
    if first == NONE or current == NONE:
        return current if first == NONE else first
    m: int = p.cpus.machine[p.queues.cpu[q]]
    if p.machines.reserved[m] > 0:
        shares_rank(p, q, current, now)
    if p.entities.reserve_due[first] != p.entities.reserve_due[current]:
        return first if p.entities.reserve_due[first] != 0 else current
    if p.entities.vruntime[first] > p.entities.vruntime[current]:
        return current
    if turn_is_over(p, q, current, p.machines.quantum[m]):
        return first
    if p.entities.by_reserve[current] != 0:  # and its reservation is used up
        return first
    if waking and p.entities.vruntime[first] < p.entities.vruntime[current]:
        return first
    return current


def shares_check_at(p: Plane, q: int, e: int, now: int) -> int:
    """End of the current entity's quantum, or the next look at reservations [ns]."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    quantum: int = p.machines.quantum[m]
    at: int = now + quantum - p.entities.turn[e] % quantum
    if p.machines.reserved[m] > 0:
        at = min(at, (now // RESERVE_LOOK + 1) * RESERVE_LOOK)
    return at

"""One branch per scheduler: the moves that `cpu` asks of whichever policy orders a queue."""

from simvirt.kernel.constants import CFS, CREDIT, CREDIT2, CURRENT, EEVDF, ESXI, NONE, QUEUED, ROUND_ROBIN
from simvirt.kernel.runqueue import take_out, tree_add, tree_drop
from simvirt.kernel.schedulers.cfs import cfs_charged, cfs_check_at, cfs_left, cfs_pick, cfs_place
from simvirt.kernel.schedulers.credit import credit_charged, credit_check_at, credit_left, credit_line_up, credit_pick, credit_place, credit_rank
from simvirt.kernel.schedulers.credit2 import credit2_charged, credit2_check_at, credit2_joined_alone, credit2_line_up, credit2_pick, credit2_place
from simvirt.kernel.schedulers.eevdf import (
    eevdf_charged,
    eevdf_check_at,
    eevdf_lag,
    eevdf_owes,
    eevdf_pick,
    eevdf_place,
    eevdf_reweigh,
    eevdf_slice,
    eevdf_wake_delayed,
)
from simvirt.kernel.schedulers.round_robin import fifo_place, round_robin_check_at, round_robin_pick
from simvirt.kernel.schedulers.shares import reserve_rank, shares_charged, shares_check_at, shares_pick, shares_place
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import leftmost


def join(p: Plane, q: int, e: int, now: int, waking: bool) -> None:
    """An entity begins to compete in a queue."""
    policy: int = p.queues.policy[q]
    if policy == EEVDF:
        eevdf_place(p, q, e)
    elif policy == CFS:
        cfs_place(p, q, e, waking)
    elif policy == CREDIT:
        credit_place(p, q, e, now, waking)
    elif policy == ROUND_ROBIN:
        fifo_place(p, q, e)
    elif policy == CREDIT2:
        credit2_place(p, q, e, waking)
    else:
        shares_place(p, q, e, now, waking)
    p.entities.queue[e] = q
    tree_add(p, q, e)
    p.queues.entities[q] += 1


def join_current(p: Plane, q: int, e: int, now: int) -> None:
    """An entity joins an empty queue as its current one."""
    policy: int = p.queues.policy[q]
    if policy == EEVDF:
        p.entities.vruntime[e] = p.queues.origin[q]
        p.entities.deadline[e] = p.queues.origin[q] + eevdf_slice(p, q, e)
        p.entities.protect[e] = p.entities.deadline[e]
    elif policy == CFS:
        cfs_place(p, q, e, True)
    elif policy == CREDIT:
        credit_place(p, q, e, now, True)
    elif policy == ROUND_ROBIN:
        fifo_place(p, q, e)
    elif policy == CREDIT2:
        credit2_joined_alone(p, q, e)
    else:
        shares_place(p, q, e, now, True)
    p.entities.queue[e] = q
    p.entities.state[e] = CURRENT
    p.queues.current[q] = e
    p.queues.entities[q] = 1


def leave(p: Plane, q: int, e: int, now: int, sleeping: bool) -> bool:
    """An entity stops competing; false when it sleeps but has to work off its lag first."""
    policy: int = p.queues.policy[q]
    if policy == EEVDF:
        if sleeping and eevdf_owes(p, q, e):
            set_aside(p, q, e)
            p.entities.delayed[e] = 1
            return False
        p.entities.lag[e] = eevdf_lag(p, q, e)
    elif policy == CFS:
        cfs_left(p, q, e)
    elif policy == CREDIT:
        credit_left(p, q, e, now)
    elif policy >= CREDIT2:
        cfs_left(p, q, e)
    take_out(p, q, e)
    return True


def finish_delayed(p: Plane, q: int, e: int) -> None:
    """A sleeper has worked off its lag: now it leaves, without credit."""
    p.entities.lag[e] = min(eevdf_lag(p, q, e), 0.0)
    p.entities.delayed[e] = 0
    take_out(p, q, e)


def wake_delayed(p: Plane, q: int, e: int) -> None:
    """A sleeper that still competes wakes in place."""
    eevdf_wake_delayed(p, q, e)
    p.entities.delayed[e] = 0


def set_aside(p: Plane, q: int, e: int) -> None:
    """The current entity of a queue waits in the tree again."""
    if p.entities.state[e] != CURRENT:
        return
    policy: int = p.queues.policy[q]
    if policy == EEVDF:
        p.entities.key[e] = p.entities.deadline[e]
    elif policy == CFS:
        p.entities.key[e] = p.entities.vruntime[e]
    elif policy == CREDIT:
        credit_line_up(p, p.cpus.machine[p.queues.cpu[q]], e)
    elif policy == ROUND_ROBIN:
        fifo_place(p, q, e)
    elif policy == CREDIT2:
        credit2_line_up(p, q, e)
    else:
        p.entities.key[e] = p.entities.vruntime[e] + p.entities.deadline[e]
    p.queues.current[q] = NONE
    tree_add(p, q, e)


def put_on(p: Plane, q: int, e: int) -> None:
    """A waiting entity becomes the queue's current one."""
    tree_drop(p, q, e)
    p.queues.current[q] = e
    p.entities.state[e] = CURRENT
    p.entities.protect[e] = p.entities.deadline[e]


def charged(p: Plane, q: int, e: int, since: int, now: int) -> None:
    """The current entity has run from `since` to now; its vruntime already says so."""
    policy: int = p.queues.policy[q]
    if policy == EEVDF:
        eevdf_charged(p, q, e, since, now)
    elif policy == CFS:
        cfs_charged(p, q, e)
    elif policy == CREDIT:
        credit_charged(p, q, e, now - since, now)
    elif policy == CREDIT2:
        credit2_charged(p, q, e)
    elif policy >= ESXI:
        shares_charged(p, q, e, now - since, now)


def pick(p: Plane, q: int, now: int, waking: bool) -> int:
    """Entity of a queue that should run next; NONE in an empty queue."""
    policy: int = p.queues.policy[q]
    if policy == EEVDF:
        return eevdf_pick(p, q)
    if policy == CFS:
        return cfs_pick(p, q, waking)
    if policy == CREDIT:
        return credit_pick(p, q, waking, now)
    if policy == ROUND_ROBIN:
        return round_robin_pick(p, q, waking)
    if policy == CREDIT2:
        return credit2_pick(p, q, waking, now)
    return shares_pick(p, q, waking, now)


def check_at(p: Plane, q: int, e: int, now: int) -> int:
    """Instant at which the current entity of a contended queue is up for replacement [ns]."""
    policy: int = p.queues.policy[q]
    if policy == EEVDF:
        return eevdf_check_at(p, q, e, now)
    if policy == CFS:
        return cfs_check_at(p, q, e, now)
    if policy == CREDIT:
        return credit_check_at(p, q, now)
    if policy == ROUND_ROBIN:
        return round_robin_check_at(p, q, now)
    if policy == CREDIT2:
        return credit2_check_at(p, q, e, now)
    return shares_check_at(p, q, now)


def reweigh(p: Plane, q: int, e: int, weight: float) -> None:
    """Change the weight of an entity that competes in a queue."""
    if weight == p.entities.weight[e]:
        return
    waiting: bool = p.entities.state[e] == QUEUED
    policy: int = p.queues.policy[q]
    if policy == CREDIT:
        p.machines.active_weight[p.cpus.machine[p.queues.cpu[q]]] += weight - p.entities.weight[e]
    if policy != EEVDF:
        if waiting:
            tree_drop(p, q, e)
        p.entities.weight[e] = weight
        if waiting:
            tree_add(p, q, e)
        return
    if waiting:
        tree_drop(p, q, e)
        p.queues.entities[q] -= 1
    eevdf_reweigh(p, q, e, weight)
    if waiting:
        p.queues.entities[q] += 1
        tree_add(p, q, e)


def refresh_ranks(p: Plane, q: int, now: int) -> None:
    """Look at everybody's credits, as each tick of the credit scheduler does, or at everybody's reservation."""
    policy: int = p.queues.policy[q]
    m: int = p.cpus.machine[p.queues.cpu[q]]
    if policy != CREDIT and (policy < ESXI or p.machines.reserved[m] == 0 or p.queues.parent[q] != NONE):
        return
    chain: int = NONE
    e: int = leftmost(p.entities, p.queues.tree[q])
    while e != NONE:
        tree_drop(p, q, e)
        p.entities.next_free[e] = chain
        chain = e
        e = leftmost(p.entities, p.queues.tree[q])
    refresh_chain(p, q, m, chain, now)
    if p.queues.current[q] != NONE:
        refresh_rank(p, q, m, p.queues.current[q], now)


def refresh_chain(p: Plane, q: int, m: int, e: int, now: int) -> None:
    """Rank a chain of entities, last one first, and line them up again."""
    if e == NONE:
        return
    refresh_chain(p, q, m, p.entities.next_free[e], now)
    refresh_rank(p, q, m, e, now)
    tree_add(p, q, e)


def refresh_rank(p: Plane, q: int, m: int, e: int, now: int) -> None:
    """Rank one entity."""
    if p.queues.policy[q] != CREDIT:
        reserve_rank(p, e, now)
        return
    credit_rank(p, m, e)
    if p.queues.current[q] != e:
        credit_line_up(p, m, e)

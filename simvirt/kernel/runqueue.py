"""A run queue's bookkeeping that every scheduler shares: who waits in the tree, their weight, the scheduler tick."""

from simvirt.kernel.constants import CURRENT, NONE, OFF, QUEUED, WEIGHT_ONE
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import tree_insert, tree_remove


def tree_add(p: Plane, q: int, e: int) -> None:
    """Let an entity wait in a queue's tree; its key is set."""
    weight: float = p.entities.weight[e]
    if p.queues.tree[q] == NONE:
        p.queues.origin[q] = p.entities.vruntime[e]
        p.queues.load[q] = weight
        p.queues.moment[q] = 0.0
    else:
        p.queues.load[q] += weight
        p.queues.moment[q] += weight * (p.entities.vruntime[e] - p.queues.origin[q])
    p.queues.tree[q] = tree_insert(p.entities, p.queues.tree[q], e)
    p.entities.state[e] = QUEUED


def tree_drop(p: Plane, q: int, e: int) -> None:
    """Take a waiting entity out of a queue's tree."""
    weight: float = p.entities.weight[e]
    p.queues.tree[q] = tree_remove(p.entities, p.queues.tree[q], e)
    if p.queues.tree[q] == NONE:
        p.queues.load[q] = 0.0
        p.queues.moment[q] = 0.0
    else:
        p.queues.load[q] -= weight
        p.queues.moment[q] -= weight * (p.entities.vruntime[e] - p.queues.origin[q])


def take_out(p: Plane, q: int, e: int) -> None:
    """An entity no longer competes in a queue."""
    if p.entities.state[e] == CURRENT:
        p.queues.current[q] = NONE
        if p.queues.tree[q] == NONE:
            p.queues.origin[q] = p.entities.vruntime[e]
    else:
        tree_drop(p, q, e)
        if p.queues.tree[q] == NONE and p.queues.current[q] == NONE:
            p.queues.origin[q] = p.entities.vruntime[e]
    p.entities.state[e] = OFF
    p.queues.entities[q] -= 1


def total_load(p: Plane, q: int) -> float:
    """Weight of all that compete in a queue, the current entity included."""
    load: float = p.queues.load[q]
    current: int = p.queues.current[q]
    if current != NONE:
        load += p.entities.weight[current]
    return load


def virtual(p: Plane, e: int, work: float) -> float:
    """Virtual time that an entity's weight makes of CPU time [ns]."""
    return work * WEIGHT_ONE / p.entities.weight[e]


def real(p: Plane, e: int, virtual_time: float) -> int:
    """CPU time after which an entity's vruntime has grown by so much, rounded up [ns]."""
    exact: float = virtual_time * p.entities.weight[e] / WEIGHT_ONE
    whole: int = int(exact)
    if whole < exact:
        whole += 1
    return whole


def tick_at_or_after(p: Plane, c: int, at: int, now: int) -> int:
    """First scheduler tick of a CPU not before `at` and after `now`; `at` itself where timers are exact [ns]."""
    tick: int = p.machines.tick[p.cpus.machine[c]]
    if at <= now:
        at = now + 1
    if tick == 0:
        return at
    since: int = at - p.cpus.phase[c]
    return p.cpus.phase[c] + (since + tick - 1) // tick * tick

"""The moves that `cpu` asks of the scheduler of a queue: what all have in common, around what each does its own way."""

from simvirt.kernel.constants import CURRENT, NONE, OFF, QUEUED
from simvirt.kernel.runqueue import take_out, tree_add, tree_drop
from simvirt.kernel.schedulers.registry import SCHEDULERS
from simvirt.kernel.tables import Plane


def join(p: Plane, q: int, e: int, now: int, waking: bool) -> None:
    """An entity begins to compete in a queue."""
    SCHEDULERS[p.queues.policy[q]].place(p, q, e, now, waking)
    p.entities.queue[e] = q
    tree_add(p, q, e)
    p.queues.entities[q] += 1


def join_current(p: Plane, q: int, e: int, now: int) -> None:
    """An entity joins an empty queue as its current one."""
    SCHEDULERS[p.queues.policy[q]].join_alone(p, q, e, now)
    p.entities.queue[e] = q
    p.entities.state[e] = CURRENT
    p.queues.current[q] = e
    p.queues.entities[q] = 1


def leave(p: Plane, q: int, e: int, now: int, sleeping: bool) -> bool:
    """An entity stops competing; false when it sleeps but has to work off a debt first."""
    policy: int = p.queues.policy[q]
    if sleeping and SCHEDULERS[policy].owes(p, q, e):
        set_aside(p, q, e)
        p.entities.delayed[e] = 1
        return False
    SCHEDULERS[policy].left(p, q, e, now)
    take_out(p, q, e)
    return True


def finish_delayed(p: Plane, q: int, e: int) -> None:
    """A sleeper has worked off its debt: now it leaves."""
    SCHEDULERS[p.queues.policy[q]].leave_delayed(p, q, e)
    p.entities.delayed[e] = 0
    take_out(p, q, e)


def wake_delayed(p: Plane, q: int, e: int) -> None:
    """A sleeper that still competes wakes in place."""
    SCHEDULERS[p.queues.policy[q]].wake_delayed(p, q, e)
    p.entities.delayed[e] = 0


def set_aside(p: Plane, q: int, e: int) -> None:
    """The current entity of a queue waits in the tree again."""
    if p.entities.state[e] != CURRENT:
        return
    SCHEDULERS[p.queues.policy[q]].line_up(p, q, e)
    p.queues.current[q] = NONE
    tree_add(p, q, e)


def put_on(p: Plane, q: int, e: int) -> None:
    """A waiting entity becomes the queue's current one."""
    tree_drop(p, q, e)
    p.queues.current[q] = e
    p.entities.state[e] = CURRENT
    SCHEDULERS[p.queues.policy[q]].begin(p, q, e)


def leave_alone(p: Plane, q: int, e: int) -> None:
    """An entity that had a CPU to itself, so that its queue does not hold it, sleeps."""
    p.entities.state[e] = OFF
    SCHEDULERS[p.queues.policy[q]].left_alone(p, q, e)


def charged(p: Plane, q: int, e: int, since: int, now: int) -> None:
    """The current entity has run from `since` to now; its vruntime already says so."""
    SCHEDULERS[p.queues.policy[q]].charged(p, q, e, since, now)


def pick(p: Plane, q: int, now: int, waking: bool) -> int:
    """Entity of a queue that should run next; NONE in an empty queue."""
    return SCHEDULERS[p.queues.policy[q]].pick(p, q, now, waking)


def check_at(p: Plane, q: int, e: int, now: int) -> int:
    """Instant at which the current entity of a contended queue is up for replacement [ns]."""
    return SCHEDULERS[p.queues.policy[q]].check_at(p, q, e, now)


def reweigh(p: Plane, q: int, e: int, weight: float) -> None:
    """Change the weight of an entity that competes in a queue."""
    if weight == p.entities.weight[e]:
        return
    waiting: bool = p.entities.state[e] == QUEUED
    if waiting:
        tree_drop(p, q, e)
        p.queues.entities[q] -= 1
    SCHEDULERS[p.queues.policy[q]].reweigh(p, q, e, weight)
    if waiting:
        p.queues.entities[q] += 1
        tree_add(p, q, e)


def on_tick(p: Plane, q: int, now: int) -> None:
    """A tick of a queue: what changes the order of those that wait, where its scheduler has such."""
    SCHEDULERS[p.queues.policy[q]].tick(p, q, now)

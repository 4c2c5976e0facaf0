"""Which task a CPU should run: one pick a level, from the root down; groups out of runtime are throttled on the way."""

from simvirt.kernel.constants import NONE
from simvirt.kernel.hierarchy import drop_delayed, lower_groups
from simvirt.kernel.policy import leave, pick, set_aside
from simvirt.kernel.quota import has_runtime, mark_throttled
from simvirt.kernel.running import stop
from simvirt.kernel.tables import Plane


def pick_task(p: Plane, c: int, now: int, waking: bool) -> int:
    """Task that should have a CPU: one pick a level, from the root down; NONE when nothing is runnable."""
    q: int = c
    while p.queues.entities[q] > 0:
        e: int = pick(p, q, now, waking)
        if e == NONE:
            return NONE
        if p.entities.delayed[e] != 0:
            drop_delayed(p, q, e, now)
            q = c
        elif e >= p.run.first_vcpu[0]:
            return e
        elif not has_runtime(p, e, now):
            throttle(p, e, now)
            q = c
        else:
            q = e
    return NONE


def throttle(p: Plane, q: int, now: int) -> None:
    """A group's queue has used up its runtime: it leaves its CPU, tasks and all."""
    c: int = p.queues.cpu[q]
    if p.queues.current[q] != NONE:
        put_back_below(p, q, c, now)
    parent: int = p.queues.parent[q]
    p.entities.delayed[q] = 0
    leave(p, parent, q, now, False)
    tasks: int = p.queues.tasks[q]
    lower_groups(p, parent, tasks, now)
    mark_throttled(p, q, now)


def put_back_below(p: Plane, q: int, c: int, now: int) -> None:
    """Stop the task that runs inside a queue; it waits there."""
    stop(p, c, now)
    set_all_aside(p, q)


def set_all_aside(p: Plane, q: int) -> None:
    """What is current in a queue and below it waits again."""
    while q != NONE and p.queues.current[q] != NONE:
        e: int = p.queues.current[q]
        set_aside(p, q, e)
        q = e if e < p.run.first_vcpu[0] else NONE


def put_back(p: Plane, c: int, new: int) -> None:
    """Entities that were current on a CPU wait again, but for the groups that the new task shares."""
    q: int = c
    while q != NONE and p.queues.current[q] != NONE:
        e: int = p.queues.current[q]
        grouped: bool = e < p.run.first_vcpu[0]
        if not grouped or not lies_above(p, e, new):
            set_aside(p, q, e)
        q = e if grouped else NONE


def lies_above(p: Plane, group_entity: int, e: int) -> bool:
    """Whether an entity runs inside a group's queue."""
    q: int = p.entities.queue[e]
    while q != NONE:
        if q == group_entity:
            return True
        q = p.queues.parent[q]
    return False

"""Which task a CPU should run: one pick a level, from the root down; groups out of runtime are throttled on the way."""

from simvirt.kernel.constants import NONE
from simvirt.kernel.hierarchy import drop_delayed
from simvirt.kernel.policy import pick, set_aside
from simvirt.kernel.quota import has_runtime
from simvirt.kernel.tables import Plane
from simvirt.kernel.throttling import throttle


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

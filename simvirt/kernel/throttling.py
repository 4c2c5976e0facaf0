"""A group that is out of runtime leaves its CPU, with all that runs in it; `quota` keeps its books, `unthrottling` lets it go on."""

from simvirt.kernel.constants import NONE
from simvirt.kernel.hierarchy import lower_groups
from simvirt.kernel.policy import leave, set_aside
from simvirt.kernel.quota import mark_throttled
from simvirt.kernel.running import stop
from simvirt.kernel.tables import Plane


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

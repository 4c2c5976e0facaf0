"""Moving tasks between CPUs: an idle CPU pulls waiting work."""

from simvirt.kernel.choosing import pick_task
from simvirt.kernel.constants import NONE, WEIGHT_ONE
from simvirt.kernel.hierarchy import charge, dequeue_task, enqueue_task, home_queue, settle
from simvirt.kernel.placement import may_run_on
from simvirt.kernel.running import arm, mark_entity_waiting
from simvirt.kernel.runqueue import total_load
from simvirt.kernel.tables import Plane

ANY_LOAD = 1e300


def pull(p: Plane, c: int, now: int) -> int:
    """An idle CPU takes a waiting task from an overloaded one; the task, or NONE."""
    m: int = p.cpus.machine[c]
    if p.machines.overloaded[m] == 0:
        return NONE
    if move_from(p, busiest(p, m, c), c, ANY_LOAD, now) == NONE:
        return NONE
    return pick_task(p, c, now, False)


def busiest(p: Plane, m: int, c: int) -> int:
    """The most loaded among a few overloaded CPUs other than c; NONE when there is none."""
    best: int = NONE
    heaviest: float = 0.0
    looked: int = min(p.machines.overloaded[m], 8)
    top: int = p.machines.first_cpu[m] + p.machines.overloaded[m] - 1
    for i in range(looked):
        b: int = p.stacks.overloaded[top - i]
        if b != c and cpu_load(p, b) > heaviest:
            best = b
            heaviest = cpu_load(p, b)
    return best


def cpu_load(p: Plane, c: int) -> float:
    """Weight of all that competes on a CPU, groups with the part of their shares that their tasks there have."""
    if p.cpus.lone[c] == 0 and (p.queues.tasks[c] != 1 or p.cpus.current[c] == NONE):
        return total_load(p, c)
    q: int = p.entities.queue[p.cpus.current[c]]
    if q == c:
        return WEIGHT_ONE
    g: int = p.queues.group[q]  # without ticks, the weight in the queue is that of some time ago
    return p.groups.shares[g] if p.groups.each[g] != 0 else p.groups.shares[g] / p.groups.tasks[g]


def task_load(p: Plane, e: int) -> float:
    """A task's part of the load of its CPU."""
    q: int = p.entities.queue[e]
    if p.queues.group[q] == NONE:
        return p.entities.weight[e]
    return p.entities.weight[q] / p.queues.tasks[q]


def move_from(p: Plane, b: int, c: int, most: float, now: int) -> int:
    """Move one waiting task of at most a load from CPU b to CPU c, which has to choose anew then; the task, or NONE."""
    if b == NONE:
        return NONE
    e: int = movable(p, b, c, most)
    if e == NONE:
        return NONE
    charge(p, b, now)
    settle(p, c, now)
    dequeue_task(p, e, now, False)
    enqueue_task(p, e, c, now, False)
    mark_entity_waiting(p, e, now)
    if p.cpus.current[b] != NONE:
        arm(p, b, now)
    return e


def movable(p: Plane, q: int, c: int, most: float) -> int:
    """A waiting task in a queue or below it that may run on CPU c and weighs at most `most`; NONE without one."""
    current: int = p.queues.current[q]
    if current != NONE and current < p.run.first_vcpu[0]:
        e: int = movable(p, current, c, most)
        if e != NONE:
            return e
    return movable_in_tree(p, p.queues.tree[q], c, most)


def may_compete_on(p: Plane, e: int, c: int) -> bool:
    """Whether a task would compete on a CPU at once: its group is not throttled there (Linux, throttled_lb_pair)."""
    return p.run.limited[0] == 0 or p.queues.throttled[home_queue(p, e, c)] == 0


def movable_in_tree(p: Plane, node: int, c: int, most: float) -> int:
    """The first waiting task of a subtree that may move."""
    if node == NONE:
        return NONE
    e: int = movable_in_tree(p, p.entities.left[node], c, most)
    if e != NONE:
        return e
    if p.entities.delayed[node] == 0:
        if node < p.run.first_vcpu[0]:
            e = movable(p, node, c, most)
        elif may_run_on(p, node, c) and task_load(p, node) <= most and may_compete_on(p, node, c):
            e = node
        if e != NONE:
            return e
    return movable_in_tree(p, p.entities.right[node], c, most)

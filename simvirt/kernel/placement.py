"""Which CPU a waking task goes to, and which CPUs are idle or overloaded; constant time, but for explicit cpusets.

Model: the previous CPU where that has just lost its only task (a thread that goes on at once stays); else an idle core,
    the previous CPU if it is one of them; then an idle hardware thread; else the shorter run queue of two: the previous
    CPU and the next in rotation. A CPU that falls idle pulls waiting work (`balancing.pull`).
Ignores: cache domains and NUMA distance.
Source: Linux kernel/sched/fair.c, select_idle_sibling (idle core, idle CPU, target).
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.cores import busy_beside
from simvirt.kernel.marks import rare
from simvirt.kernel.tables import IntArray, Plane


def stack_push(stack: IntArray, slots: IntArray, first: int, size: int, c: int) -> None:
    """Put a CPU on a stack of `size` entries that begins at row `first`."""
    stack[first + size] = c
    slots[c] = size


def stack_drop(stack: IntArray, slots: IntArray, first: int, size: int, c: int) -> None:
    """Take a CPU out of a stack of `size` entries; the top fills its place."""
    top: int = stack[first + size - 1]
    stack[first + slots[c]] = top
    slots[top] = slots[c]
    slots[c] = NONE


def list_core(p: Plane, m: int, c: int) -> None:
    """Count a CPU among those of idle cores."""
    if p.cpus.core_slot[c] == NONE:
        stack_push(p.stacks.cores, p.cpus.core_slot, p.machines.first_cpu[m], p.machines.idle_cores[m], c)
        p.machines.idle_cores[m] += 1


def unlist_core(p: Plane, m: int, c: int) -> None:
    """A CPU's core is no longer idle as a whole."""
    if p.cpus.core_slot[c] != NONE:
        stack_drop(p.stacks.cores, p.cpus.core_slot, p.machines.first_cpu[m], p.machines.idle_cores[m], c)
        p.machines.idle_cores[m] -= 1


def list_crowded(p: Plane, m: int, c: int) -> None:
    """More than one hardware thread of a core is busy, a CPU among them."""
    stack_push(p.stacks.crowded, p.cpus.crowded_slot, p.machines.first_cpu[m], p.machines.crowded[m], c)
    p.machines.crowded[m] += 1


def unlist_crowded(p: Plane, m: int, c: int) -> None:
    """The core of a CPU is no longer crowded."""
    if p.cpus.crowded_slot[c] != NONE:
        stack_drop(p.stacks.crowded, p.cpus.crowded_slot, p.machines.first_cpu[m], p.machines.crowded[m], c)
        p.machines.crowded[m] -= 1


def list_idle(p: Plane, c: int) -> None:
    """A CPU has become idle."""
    m: int = p.cpus.machine[c]
    s: int = p.cpus.sibling[c]
    busy: int = busy_beside(p, c) if s != NONE else 0
    if p.machines.crowded[m] > 0 and s != NONE:
        relist_crowded(p, m, c, busy)
    stack_push(p.stacks.cpus, p.cpus.idle_slot, p.machines.first_cpu[m], p.machines.idle_cpus[m], c)
    p.machines.idle_cpus[m] += 1
    if busy > 0:
        return
    list_core(p, m, c)
    while s != NONE and s != c:
        list_core(p, m, s)
        s = p.cpus.sibling[s]


def relist_crowded(p: Plane, m: int, c: int, busy: int) -> None:
    """A thread of a core falls idle: the core is crowded by others, if by more than one."""
    was: bool = p.cpus.crowded_slot[c] != NONE
    unlist_crowded(p, m, c)
    s: int = p.cpus.sibling[c]
    while s != c:
        if busy <= 1:
            unlist_crowded(p, m, s)
        elif was and p.cpus.idle_slot[s] == NONE:
            list_crowded(p, m, s)
            was = False
        s = p.cpus.sibling[s]


def unlist_idle(p: Plane, c: int) -> None:
    """A CPU has become busy."""
    m: int = p.cpus.machine[c]
    stack_drop(p.stacks.cpus, p.cpus.idle_slot, p.machines.first_cpu[m], p.machines.idle_cpus[m], c)
    p.machines.idle_cpus[m] -= 1
    unlist_core(p, m, c)
    busy: int = 0
    s: int = p.cpus.sibling[c]
    while s != NONE and s != c:
        unlist_core(p, m, s)
        if p.cpus.idle_slot[s] == NONE:
            busy += 1
        s = p.cpus.sibling[s]
    if busy == 1:
        list_crowded(p, m, c)


def list_overloaded(p: Plane, c: int) -> None:
    """Keep the machine's stack of CPUs with waiting tasks in step with a CPU's run queue."""
    m: int = p.cpus.machine[c]
    waiting: bool = p.queues.tasks[c] > 1
    if waiting and p.cpus.overloaded_slot[c] == NONE:
        stack_push(p.stacks.overloaded, p.cpus.overloaded_slot, p.machines.first_cpu[m], p.machines.overloaded[m], c)
        p.machines.overloaded[m] += 1
    elif not waiting and p.cpus.overloaded_slot[c] != NONE:
        stack_drop(p.stacks.overloaded, p.cpus.overloaded_slot, p.machines.first_cpu[m], p.machines.overloaded[m], c)
        p.machines.overloaded[m] -= 1


def may_run_on(p: Plane, e: int, c: int) -> bool:
    """Whether an entity may run on a CPU: the one that it is pinned to, or those of its group's cpuset."""
    if p.entities.pin[e] != NONE:
        return p.entities.pin[e] == c
    g: int = p.entities.group[e]
    if g == NONE or p.groups.mask_cpus[g] == 0:
        return True
    for i in range(p.groups.first_mask[g], p.groups.first_mask[g] + p.groups.mask_cpus[g]):
        if p.groups.masks[i] == c:
            return True
    return False


def birthplace(p: Plane, m: int, t: int) -> int:
    """CPU that counts as the previous one of a new thread: each in turn, or the sockets where memory interferes."""
    if p.hosts.interference[p.machines.host[m]] == 0 or p.cpus.socket[p.machines.first_cpu[m]] == NONE:
        return p.machines.first_cpu[m] + t % p.machines.cpus[m]
    n: int = p.cpus.socket[p.machines.first_cpu[m]]
    each: int = p.sockets.member_count[n]
    sockets: int = p.machines.cpus[m] // each
    return p.sockets.members[p.sockets.first_member[n] + t % sockets * each + t // sockets % each]


def select_cpu(p: Plane, e: int) -> int:
    """CPU for a task that wakes."""
    if p.entities.pin[e] != NONE:
        return p.entities.pin[e]
    g: int = p.entities.group[e]
    if g != NONE and p.groups.mask_cpus[g] > 0:
        return select_in_cpuset(p, g, p.entities.cpu[e])
    m: int = p.entities.machine[e]
    first: int = p.machines.first_cpu[m]
    previous: int = p.entities.cpu[e]
    if p.cpus.deciding[previous] != 0 and p.queues.entities[previous] == 0:
        return previous
    if p.machines.idle_cores[m] > 0:
        if p.cpus.core_slot[previous] != NONE:
            return previous
        return p.stacks.cores[first + p.machines.idle_cores[m] - 1]
    if p.machines.idle_cpus[m] > 0:
        if p.cpus.idle_slot[previous] != NONE:
            return previous
        return p.stacks.cpus[first + p.machines.idle_cpus[m] - 1]
    return shorter_queue(p, m, previous)


def next_in_rotation(p: Plane, m: int) -> int:
    """Each CPU of a machine in turn."""
    p.machines.rotor[m] += 1
    if p.machines.rotor[m] >= p.machines.cpus[m]:
        p.machines.rotor[m] = 0
    return p.machines.first_cpu[m] + p.machines.rotor[m]


def shorter_queue(p: Plane, m: int, previous: int) -> int:
    """The less loaded of the previous CPU and the next one in rotation."""
    other: int = next_in_rotation(p, m)
    return other if p.queues.tasks[other] < p.queues.tasks[previous] else previous


@rare
def select_in_cpuset(p: Plane, g: int, previous: int) -> int:
    """The idle or least loaded CPU of a cpuset; the previous one wins ties."""
    best: int = NONE
    for i in range(p.groups.first_mask[g], p.groups.first_mask[g] + p.groups.mask_cpus[g]):
        c: int = p.groups.masks[i]
        tasks: int = p.queues.tasks[c]
        if best == NONE or tasks < p.queues.tasks[best] or (tasks == p.queues.tasks[best] and c == previous):
            best = c
    return best

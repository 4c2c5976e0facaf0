"""Hyper-V, and its core scheduler: the threads of a core never run virtual processors of different VMs at once.

Model: a core belongs to one VM while any of its threads runs a virtual processor of it; the other threads run others
    of the same VM, threads of the host, or nothing, whatever waits for them. A turn of a core is a quantum: then, if
    somebody that waits on one of its threads has had less for its weight than those that run, the core changes hands.
    Its threads share one floor of vruntimes, so that turns are fair between them.
Ignores: that guests without SMT get a core for each virtual processor; the root scheduler, which leaves all to the
    root's own kernel.
Source: Microsoft, "Manage Hyper-V hypervisor scheduler types"; "About Hyper-V hypervisor scheduler type selection"
    (classic: fair share, round robin over all threads; core: the default since Windows Server 2019).
"""

from simvirt.kernel.constants import NONE, QUEUED
from simvirt.kernel.schedulers.shares import shares_charged, shares_pick
from simvirt.kernel.schedulers.turns import turn_is_over
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import leftmost


def in_cores(p: Plane, c: int) -> bool:
    """Whether a CPU is a thread of a core that only one VM may use at a time."""
    return p.hosts.cores[p.cpus.host[c]] != 0 and p.cpus.vcpu[c] == NONE and p.cpus.sibling[c] != NONE


def vm_beside(p: Plane, c: int) -> int:
    """VM whose virtual processors the other threads of a core run; NONE when they run none."""
    s: int = p.cpus.sibling[c]
    while s != c:
        e: int = p.cpus.current[s]
        if e != NONE and p.entities.group[e] != NONE:
            return p.entities.group[e]
        s = p.cpus.sibling[s]
    return NONE


def running_beside(p: Plane, c: int) -> int:
    """Something that another thread of a core runs; NONE when they run nothing."""
    s: int = p.cpus.sibling[c]
    while s != c:
        if p.cpus.current[s] != NONE:
            return p.cpus.current[s]
        s = p.cpus.sibling[s]
    return NONE


def waiting_beside(p: Plane, c: int) -> int:
    """Entities in the queues of the other threads of a core."""
    n: int = 0
    s: int = p.cpus.sibling[c]
    while s != c:
        n += p.queues.entities[s]
        s = p.cpus.sibling[s]
    return n


def allowed_in_core(p: Plane, c: int) -> int:
    """Entity of a thread's queue that may run beside what the others run: the current one for its turn; NONE when there is none."""
    g: int = vm_beside(p, c)
    own: int = p.groups.first_queue[g] + c - p.machines.first_cpu[p.cpus.machine[c]]
    first: int = leftmost(p.entities, p.queues.tree[c])
    if first < p.run.first_vcpu[0]:
        first = own if p.entities.state[own] == QUEUED else NONE
    current: int = p.queues.current[c]
    if current == NONE or (current < p.run.first_vcpu[0] and current != own):
        return first
    if first == NONE or p.entities.vruntime[first] > p.entities.vruntime[current]:
        return current
    return first if turn_is_over(p, c, current, p.machines.quantum[p.cpus.machine[c]]) else current


def least_on(p: Plane, c: int, waiting: bool) -> float:
    """Least vruntime of those that wait on a thread, or that of what runs there; beyond all where there is nobody."""
    e: int = p.queues.tree[c] if waiting else p.queues.current[c]
    if e == NONE:
        return 1e300
    return p.entities.least[e] if waiting else p.entities.vruntime[e]


def core_turn_is_over(p: Plane, c: int, now: int) -> bool:
    """Whether a core should change hands: its turn is over, and somebody who waits has had less than those who run."""
    if now - p.cpus.core_since[c] < p.machines.quantum[p.cpus.machine[c]]:
        return False
    waits: float = least_on(p, c, True)
    runs: float = least_on(p, c, False)
    s: int = p.cpus.sibling[c]
    while s != c:
        waits = min(waits, least_on(p, s, True))
        runs = min(runs, least_on(p, s, False))
        s = p.cpus.sibling[s]
    return waits < 1e300 and waits <= runs


def begin_core_turn(p: Plane, c: int, now: int) -> None:
    """A core begins a turn."""
    p.cpus.core_since[c] = now
    s: int = p.cpus.sibling[c]
    while s != c:
        p.cpus.core_since[s] = now
        s = p.cpus.sibling[s]


def level_floors(p: Plane, c: int) -> None:
    """All threads of a core count vruntimes from the same floor."""
    s: int = p.cpus.sibling[c]
    while s != c:
        least: float = min(p.queues.min_vruntime[c], least_on(p, s, True))
        p.queues.min_vruntime[s] = max(p.queues.min_vruntime[s], least)
        s = p.cpus.sibling[s]


def core_check_at(p: Plane, c: int, now: int) -> int:
    """Instant at which a thread that waits for its core looks again [ns]."""
    turn: int = p.machines.quantum[p.cpus.machine[c]]
    return p.cpus.core_since[c] + ((now - p.cpus.core_since[c]) // turn + 1) * turn


def hyperv_charged(p: Plane, q: int, e: int, since: int, now: int) -> None:
    """As under shares; both threads of a core take the new floor."""
    shares_charged(p, q, e, since, now)
    if p.queues.parent[q] == NONE and in_cores(p, q):
        level_floors(p, q)


def hyperv_pick(p: Plane, q: int, now: int, waking: bool) -> int:
    """What the other thread of the core allows; else as by shares, but nothing that wakes preempts."""
    if p.queues.parent[q] == NONE and in_cores(p, q) and vm_beside(p, q) != NONE:
        return allowed_in_core(p, q)
    return shares_pick(p, q, now, False)

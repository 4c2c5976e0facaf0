"""Round robin: first come, first served, a fixed quantum each; weights and wake-ups change nothing.

Source: POSIX SCHED_RR; Linux kernel/sched/rt.c (quantum 100 ms).
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import leftmost


def fifo_place(p: Plane, q: int, e: int) -> None:
    """Go to the end of the line."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    p.machines.sequence[m] += 1
    p.entities.key[e] = float(p.machines.sequence[m])


def round_robin_place(p: Plane, q: int, e: int, now: int, waking: bool) -> None:
    """Whoever joins waits at the end of the line."""
    fifo_place(p, q, e)


def round_robin_join_alone(p: Plane, q: int, e: int, now: int) -> None:
    """Whoever joins an empty queue stands in line too."""
    fifo_place(p, q, e)


def round_robin_line_up(p: Plane, q: int, e: int) -> None:
    """Whoever gives way goes to the end of the line."""
    fifo_place(p, q, e)


def round_robin_pick(p: Plane, q: int, now: int, waking: bool) -> int:
    """The current entity until its quantum is over, then the first in line."""
    current: int = p.queues.current[q]
    if current != NONE and waking:
        return current
    first: int = leftmost(p.entities, p.queues.tree[q])
    return first if first != NONE else current


def round_robin_check_at(p: Plane, q: int, e: int, now: int) -> int:
    """End of the current entity's quantum [ns]."""
    c: int = p.queues.cpu[q]
    return max(p.cpus.since[c] + p.machines.quantum[p.cpus.machine[c]], now + 1)

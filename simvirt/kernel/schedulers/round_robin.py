"""Round robin: first come, first served, a fixed quantum each; weights and wake-ups change nothing.

Model: an entity that loses the CPU within its quantum (its group is throttled, or its group's turn is over) stays first
    in line and has the rest of the quantum later. A group whose running thread blocks goes to the end of the line.
Source: POSIX SCHED_RR; Linux kernel/sched/rt.c (quantum 100 ms), sched(7).
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.schedulers.turns import turn_goes_on, turn_is_over, turn_left
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import leftmost


def fifo_place(p: Plane, q: int, e: int) -> None:
    """Go to the end of the line."""
    m: int = p.cpus.machine[p.queues.cpu[q]]
    p.machines.sequence[m] += 1
    p.entities.key[e] = float(p.machines.sequence[m])
    p.entities.turn[e] = 0


def round_robin_place(p: Plane, q: int, e: int, now: int, waking: bool) -> None:
    """Whoever joins waits at the end of the line."""
    fifo_place(p, q, e)


def round_robin_join_alone(p: Plane, q: int, e: int, now: int) -> None:
    """Whoever joins an empty queue stands in line too."""
    fifo_place(p, q, e)


def round_robin_line_up(p: Plane, q: int, e: int) -> None:
    """After a quantum an entity goes to the end of the line; before, it is still the first."""
    if p.entities.turn[e] >= p.machines.quantum[p.cpus.machine[p.queues.cpu[q]]]:
        fifo_place(p, q, e)


def round_robin_charged(p: Plane, q: int, e: int, since: int, now: int) -> None:
    """Running uses the quantum up."""
    turn_goes_on(p, q, e, since, now)


def round_robin_pick(p: Plane, q: int, now: int, waking: bool) -> int:
    """The current entity until its quantum is over, then the first in line."""
    current: int = p.queues.current[q]
    first: int = leftmost(p.entities, p.queues.tree[q])
    if first == NONE or current == NONE:
        return current if first == NONE else first
    quantum: int = p.machines.quantum[p.cpus.machine[p.queues.cpu[q]]]
    if not turn_is_over(p, q, current, quantum):
        return current
    p.entities.turn[current] = quantum
    return first


def round_robin_check_at(p: Plane, q: int, e: int, now: int) -> int:
    """End of the current entity's quantum [ns]."""
    return now + turn_left(p, e, p.machines.quantum[p.cpus.machine[p.queues.cpu[q]]])

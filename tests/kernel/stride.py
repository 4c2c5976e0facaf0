"""Stride scheduling: the entity with the least pass runs for a quantum, and its pass grows by what its weight says.

Model: the pass is the vruntime that the kernel keeps. An entity that joins has no smaller pass than the first in line.
Ignores: that a client's pass is kept relative to the global one while it sleeps.
Source: Waldspurger, Weihl, "Stride Scheduling: Deterministic Proportional-Share Resource Management", MIT/LCS/TM-528,
    1995.
"""

from simvirt.kernel.constants import NONE
from simvirt.kernel.tables import Plane
from simvirt.kernel.tree import leftmost


def stride_place(p: Plane, q: int, e: int, now: int, waking: bool) -> None:
    """Join the line, ahead of nobody."""
    first: int = leftmost(p.entities, p.queues.tree[q])
    if first != NONE:
        p.entities.vruntime[e] = max(p.entities.vruntime[e], p.entities.vruntime[first])
    stride_line_up(p, q, e)


def stride_join_alone(p: Plane, q: int, e: int, now: int) -> None:
    """Alone, any pass will do."""


def stride_line_up(p: Plane, q: int, e: int) -> None:
    """Wait by pass."""
    p.entities.key[e] = p.entities.vruntime[e]


def stride_pick(p: Plane, q: int, now: int, waking: bool) -> int:
    """The current entity until its quantum is over, then the least pass."""
    current: int = p.queues.current[q]
    first: int = leftmost(p.entities, p.queues.tree[q])
    if first == NONE or current == NONE:
        return current if first == NONE else first
    return current if waking or p.entities.vruntime[current] < p.entities.vruntime[first] else first


def stride_check_at(p: Plane, q: int, e: int, now: int) -> int:
    """End of the current entity's quantum [ns]."""
    c: int = p.queues.cpu[q]
    quantum: int = p.machines.quantum[p.cpus.machine[c]]
    return p.cpus.since[c] + ((now - p.cpus.since[c]) // quantum + 1) * quantum

"""Moves of a scheduler that has nothing to do then."""

from simvirt.kernel.tables import Plane


def owes_nothing(p: Plane, q: int, e: int) -> bool:
    """Whoever sleeps leaves the queue at once."""
    return False


def nothing_begun(p: Plane, q: int, e: int) -> None:
    """An entity gets the CPU as it is."""


def nothing_left_alone(p: Plane, q: int, e: int) -> None:
    """An entity that nobody competed with takes nothing with it."""


def nothing_delayed(p: Plane, q: int, e: int) -> None:
    """Nobody competes while it sleeps."""


def nothing_left(p: Plane, q: int, e: int, now: int) -> None:
    """An entity that leaves takes nothing with it."""


def nothing_charged(p: Plane, q: int, e: int, since: int, now: int) -> None:
    """Running changes nothing."""


def take_weight(p: Plane, q: int, e: int, weight: float) -> None:
    """The weight changes, and nothing else."""
    p.entities.weight[e] = weight


def nothing_at_ticks(p: Plane, q: int, now: int) -> None:
    """A tick changes no order."""

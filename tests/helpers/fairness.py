"""For how long something runnable may wait under each scheduler, by its model; the bounds are those of docs/models/cpu.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

MS: Final = 1_000_000


class Rival(NamedTuple):
    """A group, as its scheduler sees it: its weight, and its runnable tasks."""

    weight: float
    tasks: int


def _eevdf(own: Rival, others: Sequence[Rival], read: Callable[[str], float]) -> float:
    """Lags stay within a slice and a tick on either side."""
    return 2 * (read("base_slice") + read("tick")) * (own.weight + sum(r.weight for r in others)) / own.weight


def _cfs(own: Rival, others: Sequence[Rival], read: Callable[[str], float]) -> float:
    """Each rival may bring half a latency, overruns by a slice and a tick, and catches up with what the own slice was ahead."""
    latency = max(read("latency"), read("min_granularity") * (len(others) + 1))
    ahead = latency + read("tick")
    return sum(read("latency") / 2 + ahead + ahead * r.weight / own.weight for r in others)


def _credit(own: Rival, others: Sequence[Rival], read: Callable[[str], float]) -> float:
    """A debt of a slice is paid at the own share, while each rival uses up the credits of a slice and what it runs before a tick finds out."""
    share = own.weight / (own.weight + sum(r.weight for r in others))
    return (read("timeslice") + len(others) * (read("timeslice") + read("tick"))) / share + read("tick")


def _credit2(own: Rival, others: Sequence[Rival], read: Callable[[str], float]) -> float:
    """A rival is ahead by a reset, a carry-over and the largest debt at most, which its weight stretches; then one turn."""
    reset, heaviest = read("reset_credits"), read("heaviest")
    return sum((2 * reset + 0.5 * MS) * r.weight * r.tasks / heaviest for r in others) + reset * len(others)


def _shares(own: Rival, others: Sequence[Rival], read: Callable[[str], float], weighs_each: bool) -> float:
    """A rival may lag behind, catches up with what the own turn was ahead, and overruns by a turn."""
    quantum, weight = read("quantum"), own.weight * (own.tasks if weighs_each else 1)
    return sum(read("bound_lag") + quantum * r.weight * (r.tasks if weighs_each else 1) / weight + quantum for r in others)


def _round_robin(own: Rival, others: Sequence[Rival], read: Callable[[str], float]) -> float:
    """A turn for each."""
    return len(others) * read("quantum")


BOUNDS: Final[dict[str, tuple[Callable[..., float], Callable[..., float]]]] = {
    "eevdf": (_eevdf, _eevdf),
    "cfs": (_cfs, _cfs),
    "credit": (_credit, _round_robin),
    "credit2": (_credit2, _round_robin),
    "esxi": tuple([lambda *a: _shares(*a, weighs_each=False)] * 2),  # type: ignore[dict-item]
    "hyperv": (lambda *a: _shares(*a, weighs_each=True), lambda *a: _shares(*a, weighs_each=False)),
    "round-robin": (_round_robin, _round_robin),
    "gps": (lambda *a: 0.0, lambda *a: 0.0),
}
"""Scheduler -> longest wait of a group among groups, and of a task in its group in the group's time [ns]."""


def longest_wait(scheduler: str, read: Callable[[str], float], own: Rival, others: Sequence[Rival]) -> float:
    """Bound for a task of a group: that of the group, and its turn within the group at the group's share [ns]; `read` knows the machine."""
    between, within = BOUNDS[scheduler]
    each = scheduler in ("credit2", "hyperv")
    weights = [1.0 if scheduler == "round-robin" else r.weight * (r.tasks if each else 1) for r in (own, *others)]
    mates = [Rival(1.0, 1)] * (own.tasks - 1)
    return between(own, others, read) + within(Rival(1.0, 1), mates, read) * sum(weights) / weights[0]

"""How far a sweep is, and how long it will take from here.

*Model*: cells that remain take as long as those that have ended since the sweep was begun or resumed, in the mean, and workers share them.
    Cells are taken from all over a design, by steps of the golden section, so that those that have ended stand for those that remain.
*Ignores*: how far cells are that are under way; workers that come and go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import ceil, gcd
from typing import Final, TypeVar

from simvirt.sweep.ledger import Kept, Status

GOLDEN: Final = (5**0.5 - 1) / 2
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CellEnded:
    """A cell has ended: its number, how, and after how long [s]; how many of all have, how many failed, how long the others take [s]."""

    number: int
    status: Status
    ended: int
    failed: int
    cells: int
    remaining_s: float
    wall_s: float = 0.0


Progress = Callable[[CellEnded], None]


@dataclass
class Pace:
    """What is known of a sweep's progress: of `cells` so many have ended, `new` of them now, in `wall_s` of workers' time [s]."""

    cells: int
    workers: Callable[[], int]
    ended: int
    failed: int = 0
    new: int = 0
    wall_s: float = 0.0

    def after(self, kept: Kept) -> CellEnded:
        """How far the sweep is with one more cell."""
        self.ended, self.new, self.wall_s = self.ended + 1, self.new + 1, self.wall_s + kept.wall_s
        self.failed += kept.status == "failed"
        turns = ceil((self.cells - self.ended) / max(self.workers(), 1))
        return CellEnded(kept.number, kept.status, self.ended, self.failed, self.cells, turns * self.wall_s / self.new, kept.wall_s)


def scattered(what: Sequence[T]) -> Iterator[T]:
    """All of a sequence in an order of which every part is spread over the whole."""
    step = next(step for step in count(max(round(GOLDEN * len(what)), 1)) if gcd(step, len(what)) == 1) if what else 1
    return (what[n * step % len(what)] for n in range(len(what)))

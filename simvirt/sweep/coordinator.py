"""The coordinator of a sweep: cells to workers, results from them, whatever becomes of workers.

*Model*: some cells a worker are under way at a time. Where one is lost because its worker died, all that were under way are suspected
    and run again alone, one at a time, with new workers; a cell that is lost alone `STRIKES` times is the culprit, and fails. Any
    `Executor` serves: cells catch their own errors, so that whatever a future raises means that its cell is lost.
*Ignores*: workers that hang, unless cells have a time limit.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from simvirt.sweep.cell_run import Work, carry_out
from simvirt.sweep.designs import Cell
from simvirt.sweep.ledger import Kept

STRIKES: Final = 3
AHEAD: Final = 3
"""Cells under way for each worker: enough that none waits, few enough that memory and Ctrl-C do not mind."""
Workers = Callable[[], AbstractContextManager[Executor]]


@dataclass
class Coordinator:
    """Carries out cells with `number` workers at a time, which `workers` starts, and starts anew where they die."""

    work: Work
    workers: Workers
    number: int
    strikes: Counter[int] = field(default_factory=Counter)

    def results(self, cells: Iterable[Cell]) -> Iterator[Kept]:
        """What came of each cell, in the order in which they end."""
        waiting, suspects = iter(cells), deque[Cell]()
        lost: list[Cell] | None = None
        while lost is None or lost:
            with self.workers() as pool:
                lost = (yield from self._with(pool, _taken(suspects), 1)) or (yield from self._with(pool, waiting, AHEAD * self.number))
            yield from self._suspect(lost, suspects)

    def _with(self, pool: Executor, cells: Iterator[Cell], most: int) -> Generator[Kept, None, list[Cell]]:
        """Results from one pool with at most so many cells under way; returns those that were under way when one was lost."""
        under_way: dict[Future[Kept], Cell] = {}
        while True:
            for cell in islice(cells, most - len(under_way)):
                under_way[_submitted(pool, self.work, cell)] = cell
            if not under_way:
                return []
            ended, _ = wait(under_way, return_when=FIRST_COMPLETED)
            kept = [future for future in ended if not _is_lost(future)]
            for future in kept:
                del under_way[future]
                yield future.result()
            if len(kept) < len(ended):
                return sorted(under_way.values(), key=lambda cell: cell.number)

    def _suspect(self, lost: list[Cell], suspects: deque[Cell]) -> Iterator[Kept]:
        """Cells that were under way when one was lost are to be run again, before all others; a lone one has a strike."""
        if len(lost) == 1:
            self.strikes[lost[0].number] += 1
            if self.strikes[lost[0].number] == STRIKES:
                yield Kept(lost[0].number, "failed", f"ended its worker {STRIKES} times")
                return
        suspects.extendleft(reversed(lost))


def _taken(cells: deque[Cell]) -> Iterator[Cell]:
    """The cells of a queue, each taken out as it is wanted."""
    while cells:
        yield cells.popleft()


def _submitted(pool: Executor, work: Work, cell: Cell) -> Future[Kept]:
    """A cell given to a pool; lost at once where the pool is broken already."""
    try:
        return pool.submit(carry_out, work, cell)
    except BrokenExecutor as error:
        lost = Future[Kept]()
        lost.set_exception(error)
        return lost


def _is_lost(future: Future[Kept]) -> bool:
    """Whether nothing will come of a cell."""
    return future.cancelled() or future.exception() is not None

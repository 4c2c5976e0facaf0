"""The coordinator of a sweep: cells to workers, results from them, whatever becomes of workers.

*Model*: some cells a worker are under way at a time. Where a pool breaks because a worker of it died, all that were under way are suspected
    and run again alone, one at a time, with new workers; where an executor loses one cell and goes on, as clusters do, that one is given to
    it again. A cell that is lost alone `STRIKES` times is the culprit, and fails. Any `Executor` serves: cells catch their own errors, so
    that whatever a future raises means that its cell is lost.
*Ignores*: workers that hang, unless cells have a time limit.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import islice
from queue import SimpleQueue
from typing import Final

from simvirt.sweep.cell_run import Work, carry_out, failed
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
    number: Callable[[], int]
    strikes: Counter[int] = field(default_factory=Counter)

    def results(self, cells: Iterable[Cell]) -> Iterator[Kept]:
        """What came of each cell, in the order in which they end."""
        waiting, suspects = iter(cells), deque[Cell]()
        lost: list[Cell] | None = None
        while lost is None or lost:
            with self.workers() as pool:
                alone = yield from self._with(pool, _taken(suspects), lambda: 1)
                lost = alone or (yield from self._with(pool, waiting, lambda: AHEAD * self.number()))
            yield from self._suspect(lost, suspects)

    def _with(self, pool: Executor, cells: Iterator[Cell], most: Callable[[], int]) -> Generator[Kept, None, list[Cell]]:
        """Results from one pool with at most so many cells under way; returns those that were under way when it broke."""
        under_way = dict[Future[Kept], Cell]()
        ended = SimpleQueue[Future[Kept]]()
        while True:
            for cell in islice(cells, max(most() - len(under_way), 0)):
                self._submit(pool, cell, under_way, ended)
            if not under_way:
                return []
            future = ended.get()
            if (error := _lost(future)) is None:
                del under_way[future]
                yield future.result()
            elif isinstance(error, BrokenExecutor):
                yield from (other.result() for other in under_way if other.done() and _lost(other) is None)
                return sorted((cell for other, cell in under_way.items() if not other.done() or _lost(other)), key=lambda cell: cell.number)
            elif self._culprit(cell := under_way.pop(future)):
                yield failed(cell, f"was lost {STRIKES} times: {type(error).__name__}: {error}")
            else:
                self._submit(pool, cell, under_way, ended)

    def _submit(self, pool: Executor, cell: Cell, under_way: dict[Future[Kept], Cell], ended: SimpleQueue[Future[Kept]]) -> None:
        """Gives a cell to a pool; it is lost at once where the pool is broken already."""
        try:
            future = pool.submit(carry_out, self.work, cell)
        except BrokenExecutor as error:
            future = Future[Kept]()
            future.set_exception(error)
        under_way[future] = cell
        future.add_done_callback(ended.put)

    def _suspect(self, lost: list[Cell], suspects: deque[Cell]) -> Iterator[Kept]:
        """Cells that were under way when a pool broke are to be run again, before all others; a lone one has a strike."""
        if len(lost) == 1 and self._culprit(lost[0]):
            yield failed(lost[0], f"ended its worker {STRIKES} times")
        else:
            suspects.extendleft(reversed(lost))

    def _culprit(self, cell: Cell) -> bool:
        """Whether a cell that was lost alone has been lost so too often."""
        self.strikes[cell.number] += 1
        return self.strikes[cell.number] >= STRIKES


def _taken(cells: deque[Cell]) -> Iterator[Cell]:
    """The cells of a queue, each taken out as it is wanted."""
    while cells:
        yield cells.popleft()


def _lost(future: Future[Kept]) -> BaseException | None:
    """Why nothing will come of a cell that has ended; None where something has."""
    return CancelledError("it was cancelled") if future.cancelled() else future.exception()

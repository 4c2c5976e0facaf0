"""A sweep carried out: what its ledger lacks is simulated, what it has is not."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from simvirt.errors import SimulationError, UsageError
from simvirt.result import provenance
from simvirt.runs.pool import at_a_time
from simvirt.sweep.cell_run import Work
from simvirt.sweep.coordinator import Coordinator
from simvirt.sweep.designs import cells_of
from simvirt.sweep.files import Sweep
from simvirt.sweep.ledger import Ledger, identity_of, opened
from simvirt.sweep.local_workers import processes
from simvirt.sweep.progress import Pace, Progress, scattered
from simvirt.sweep.swept import Swept, swept

LEDGER: Final = "ledger.sqlite"
Jobs = int | Callable[[], int]
"""How many workers there are, or what says how many there are now."""


def sweep(
    asked: Sweep, folder: str | Path, jobs: Jobs = 1, resume: bool = False, fresh: bool = False, executor: Executor | None = None,
    progress: Progress | None = None,
) -> Swept:
    """Simulates the cells of a sweep, each once, and keeps every one in a ledger in `folder` as it ends.

    `jobs` worker processes, 0 for one per CPU, or any `executor` with so many workers; it changes no number of the result. Where there
    is a ledger already, `resume` goes on with it, failed cells once more, and `fresh` begins anew. `progress` hears of each cell that is
    kept. UsageError where neither is said, or the ledger is another sweep's or in use; SimulationError where the disk is full, or the
    executor breaks. After Ctrl-C and whatever else ends it, what is kept is kept.
    """
    number = _number(jobs)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LEDGER
    _agreed(path, resume, fresh)
    program = provenance.program()
    with opened(path, identity_of(asked.digest, program.version, provenance.program_digest())) as ledger:
        try:
            _fill(asked, ledger, number, executor, progress)
        except KeyboardInterrupt:
            return swept(asked, ledger, interrupted=True)
        return swept(asked, ledger)


def _number(jobs: Jobs) -> Callable[[], int]:
    """What says how many workers there are; UsageError where `jobs` is no number of them."""
    if callable(jobs):
        return jobs
    workers = at_a_time(jobs)
    return lambda: workers


def _agreed(path: Path, resume: bool, fresh: bool) -> None:
    """UsageError where a ledger is there and nobody has said what becomes of it; takes it away where it is not wanted."""
    if fresh:
        path.unlink(missing_ok=True)
    elif path.exists() and not resume:
        raise UsageError(f"{path}: this sweep was begun already; go on with --resume, or begin anew with --fresh")


def _fill(asked: Sweep, ledger: Ledger, number: Callable[[], int], executor: Executor | None, progress: Progress | None) -> None:
    """Keeps all cells that the ledger lacks."""
    ledger.forget("failed")
    there = ledger.statuses()
    missing = [cell for cell in cells_of(asked.design, asked.axes, asked.seed) if cell.number not in there]
    workers = _given(executor) if executor is not None else lambda: processes(min(number(), asked.cells))
    elsewhere = None if executor is None else provenance.program_digest()
    work = Work(pickle.dumps(asked.base), asked.sets, asked.maximum, asked.limit_s, elsewhere)
    coordinator = Coordinator(work, workers, number)
    pace = Pace(asked.cells, number, len(there))
    for kept in coordinator.results(scattered(missing)):
        ledger.keep(kept)
        if progress is not None:
            progress(pace.after(kept))


def _given(executor: Executor) -> Callable[[], AbstractContextManager[Executor]]:
    """Workers that are another's: when they are broken there are no others."""
    begun = False

    @contextmanager
    def workers() -> Iterator[Executor]:
        nonlocal begun
        if begun:
            raise SimulationError("the executor is broken; cells kept so far are safe: go on with a new one and resume=True")
        begun = True
        yield executor

    return workers

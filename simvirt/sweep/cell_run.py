"""What a worker does: one cell, from the written scenario to its result."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from socket import gethostname
from threading import Event, Timer
from typing import Any

from simvirt.errors import sentence
from simvirt.result.provenance import program_digest
from simvirt.runs.run import run
from simvirt.scenario import Source
from simvirt.sweep.designs import Cell
from simvirt.sweep.ledger import Kept, packed
from simvirt.sweep.rows import rows_of


@dataclass(frozen=True, slots=True)
class Work:
    """How every cell of a sweep is run.

    The pickled `Source`, overrides of all cells, whether maximum throughputs are looked for, the longest time for a cell [s], and the
    digest of the program that a worker elsewhere must have.
    """

    source: bytes
    sets: tuple[str, ...] = ()
    maximum: bool = False
    limit_s: float | None = None
    program: str | None = None


def carry_out(work: Work, cell: Cell) -> Kept:
    """A cell simulated; where that cannot be, in words why."""
    started = time.perf_counter()
    try:
        kept = _carried_out(work, cell)
    except Exception as error:
        kept = failed(cell, sentence(error))
    return replace(kept, wall_s=time.perf_counter() - started)


def failed(cell: Cell, why: str) -> Kept:
    """A cell without a result."""
    return Kept(cell.number, "failed", packed(why))


def _carried_out(work: Work, cell: Cell) -> Kept:
    """The result of a cell, without the times that it took, so that the same cell gives the same bytes."""
    if work.program not in (None, program_digest()):
        return failed(cell, f"the worker on {gethostname()} has another simvirt than the coordinator: install the same version there")
    scenario = _source(work.source).scenario([*work.sets, *(f"{path}={value}" for path, value in cell.overrides)])
    with _cancelled_after(work.limit_s) as late:
        result = run(scenario, maximum=work.maximum, cancel=late)
    if late.is_set():
        return failed(cell, f"took longer than {work.limit_s:g} s")
    document = result.typed()
    return Kept(cell.number, "done", packed(_timeless(document.document())), packed(rows_of(document)))


def _timeless(document: dict[str, Any]) -> dict[str, Any]:
    """A result that does not say how long it took."""
    platforms = {name: found | {"wall_s": None} for name, found in document["platforms"].items()}
    return document | {"wall_s": 0.0, "platforms": platforms}


@contextmanager
def _cancelled_after(limit_s: float | None) -> Iterator[Event]:
    """An event that is set after so long, None is never."""
    late = Event()
    timer = Timer(limit_s, late.set) if limit_s is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        yield late
    finally:
        if timer is not None:
            timer.cancel()


@lru_cache(maxsize=1)
def _source(pickled: bytes) -> Source:
    """The written scenario, unpacked once a worker."""
    found: Source = pickle.loads(pickled)
    return found

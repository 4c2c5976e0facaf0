"""Everything that `simvirt validate` says, as one document: tables, theory, a Linux kernel's rows, scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from simvirt.catalog import Catalog
from simvirt.result import provenance
from simvirt.result.validation_document import LinuxResult, LinuxRow, TableResult, TopicResult, ValidationDocument
from simvirt.runs.pool import in_order, workers
from simvirt.validation.closed_forms import rows
from simvirt.validation.facts import Table, Topic, topics
from simvirt.validation.fitted import Fitted, fitted, fitted_cells
from simvirt.validation.leave_out import leave_one_out
from simvirt.validation.linux import compare_all, median_error, read_rows
from simvirt.validation.predict import Conditions, predicted
from simvirt.validation.score import Cell, cells, score, summary

Progress = Callable[[str], None]
Scored = tuple[Table, list[Cell]]
SAID = ("id", "topic", "title", "source", "found", "setup", "use", "better", "ranks", "missing")
"""What a table says of itself in a result."""


def validate(
    tables: Sequence[Table], conditions: Conditions, jobs: int = 1, with_theory: bool = True, reference: Path | None = None,
    progress: Progress | None = None, among: Sequence[Topic] | None = None, left_out: bool = False,
) -> ValidationDocument:
    """Predictions of tables, theory and measured Linux rows, scored; `jobs` tables at a time, 0 for one per CPU: it changes no number.

    `among` are the topics that the tables belong to, the shipped ones where none are given; with `left_out`, each table is also
    predicted by constants that were fitted to others.
    """
    started = time.perf_counter()
    if reference is not None:
        read_rows(reference)  # a mistake in it is reported before anything is simulated
    constants = fitted(Catalog.load())
    found = _predicted(tables, conditions, jobs, fitted_cells(constants), progress or (lambda what: None))
    more: dict[str, Any] = {"theory": rows(conditions)} if with_theory else {}
    if left_out:
        more |= {"leave_one_out": leave_one_out(found, among or topics(), constants, conditions, jobs, progress)}
    more |= {"linux": _linux(reference, conditions.replications)} if reference is not None else {}
    return ValidationDocument(
        simvirt=provenance.program(),
        seed=conditions.seed,
        replications=conditions.replications,
        topics=_topics(found, constants, topics() if among is None else among),
        tables=tuple(_table(table, own, constants) for table, own in found),
        summary=summary(found, constants),
        **more,
        wall_s=time.perf_counter() - started,
    )


def _predicted(tables: Sequence[Table], conditions: Conditions, jobs: int, given: set[str], progress: Progress) -> list[Scored]:
    """The cells of each table with their predictions."""

    def scored(table: Table) -> Scored:
        found = cells(table, predicted(table, conditions), given)
        progress(table.id)
        return table, found

    with workers(jobs) as pool:
        return list(in_order(pool, scored, tables))


def _topics(found: Sequence[Scored], constants: Sequence[Fitted], among: Sequence[Topic]) -> tuple[TopicResult, ...]:
    """The topics that tables belong to, each with its score."""
    return tuple(
        TopicResult(number=topic.number, title=topic.title, score=score(own, constants).typed(), left_out=topic.left_out)
        for topic in among
        if (own := [(table, cells_) for table, cells_ in found if table.topic == topic.number])
    )


def _table(table: Table, found: Sequence[Cell], constants: Sequence[Fitted]) -> TableResult:
    """A table with its cells and score."""
    said = {name: getattr(table, name) for name in SAID}
    return TableResult(
        **said,
        calibration=tuple(given.why for given in table.calibration),
        cells=tuple(cell.typed() for cell in found),
        score=score([(table, found)], constants).typed(),
    )


def _linux(reference: Path, replications: int) -> LinuxResult:
    """Replayed rows of a Linux kernel."""
    found = compare_all(reference, replications)
    lines = tuple(
        LinuxRow(row=f"{cell.row} {cell.seed}", measure=cell.measure, predicted_s=cell.predicted, measured_s=cell.measured,
                 error=cell.error, noisy=cell.noisy)
        for cell in found
    )
    return LinuxResult(rows=lines, median_error=median_error(found))

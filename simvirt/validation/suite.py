"""Everything that `simvirt validate` says, as one document: tables, theory, a Linux kernel's rows, scores."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from simvirt.catalog import Catalog
from simvirt.errors import sentence
from simvirt.result import provenance
from simvirt.result.validation_document import LinuxResult, LinuxRow, Summary, TableResult, TopicResult, ValidationDocument
from simvirt.runs.pool import in_order, workers
from simvirt.validation.closed_forms import rows
from simvirt.validation.facts import Table, Topic, topics
from simvirt.validation.fitted import Fitted, fitted, fitted_cells
from simvirt.validation.linux import compare_all, median_error, read_rows
from simvirt.validation.predict import Conditions, Predicted, predict
from simvirt.validation.score import Cell, cells, score

Progress = Callable[[str], None]
Scored = tuple[Table, list[Cell]]
SAID = ("id", "topic", "title", "source", "found", "setup", "use", "better", "ranks", "missing")
"""What a table says of itself in a result."""


def validate(
    tables: Sequence[Table], conditions: Conditions, jobs: int = 1, with_theory: bool = True, reference: Path | None = None,
    progress: Progress | None = None, among: Sequence[Topic] | None = None,
) -> ValidationDocument:
    """Predictions of tables, theory and measured Linux rows, scored; `jobs` tables at a time, which changes no number.

    `among` are the topics that the tables belong to, the shipped ones where none are given.
    """
    started = time.perf_counter()
    if reference is not None:
        read_rows(reference)  # a mistake in it is reported before anything is simulated
    constants = fitted(Catalog.load())
    found = _predicted(tables, conditions, jobs, fitted_cells(constants), progress or (lambda what: None))
    more: dict[str, Any] = {"theory": rows(conditions)} if with_theory else {}
    more |= {"linux": _linux(reference, conditions.replications)} if reference is not None else {}
    return ValidationDocument(
        simvirt=provenance.program(),
        seed=conditions.seed,
        replications=conditions.replications,
        topics=_topics(found, constants, topics() if among is None else among),
        tables=tuple(_table(table, own, constants) for table, own in found),
        summary=_summary(found, constants),
        **more,
        wall_s=time.perf_counter() - started,
    )


def _predicted(tables: Sequence[Table], conditions: Conditions, jobs: int, given: set[str], progress: Progress) -> list[Scored]:
    """The cells of each table with their predictions."""

    def scored(table: Table) -> Scored:
        found = cells(table, _of_table(table, conditions), given)
        progress(table.id)
        return table, found

    with workers(jobs) as pool:
        return list(in_order(pool, scored, tables))


def _of_table(table: Table, conditions: Conditions) -> dict[tuple[str, str], Predicted]:
    """The predictions of a table; what ends them fails its cells and no other table."""
    try:
        return predict(table, conditions)
    except Exception as error:
        failed = Predicted(None, sentence(error))
        return {(name, column): failed for name, row in table.rows.items() for column in row.values}


def _summary(found: Sequence[Scored], constants: Sequence[Fitted]) -> Summary:
    """The score of all tables, and of those that are used for one thing."""
    parts = {use: [(table, own) for table, own in found if table.use == use] for use in ("validate", "calibrate")}
    scores: dict[str, Any] = {name: score(own, constants).typed() for name, own in {"all": found, **parts}.items()}
    return Summary(**scores)


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

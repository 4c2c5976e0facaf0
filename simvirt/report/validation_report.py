"""The report of `simvirt validate`: predictions beside measurements, and how good they are; every compared number as data."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from simvirt.report.blocks import PAGE, SCREEN, Block, Cell, Data, Prose, Report, Table, Title, Where, cells
from simvirt.report.heading import counted, made_by
from simvirt.report.leave_one_out_report import blocks as left_out
from simvirt.report.scored import order, percent, share
from simvirt.result.validation_document import CellResult, LinuxRow, ScoreResult, TableResult, TheoryRow, ValidationDocument

GOOD, BAD = 0.15, 0.50  # absolute relative errors up to which a number is green, and from which red
CELL: Final = ("condition", "system", "predicted", "measured", "error", "")
SCORE: Final = (
    "predicted", "median error", "within 15 %", "platforms in order", "conditions in order", "calibrated", "fitted constants",
)
THEORY: Final = ("model", "measure", "simulated", "theory", "error", "95 % interval")
LINUX: Final = ("row", "measure", "predicted s", "measured s", "error", "")


def report(document: ValidationDocument) -> Report:
    """All that is said of predictions."""
    return Report(document, tuple(_blocks(document)))


def _blocks(document: ValidationDocument) -> Iterator[Block]:
    yield Title("Predictions beside measurements", (heading(document),), level=1)
    if document.tables:
        yield from (Title("Score", where=PAGE), scores(document, PAGE))
    for topic in document.topics:
        yield Title(f"{topic.number}  {topic.title}", where=SCREEN)
        yield Title(f"{topic.number} {topic.title}", where=PAGE)
        yield from (block for table in document.tables if table.topic == topic.number for block in about(table))
    if document.theory:
        yield from (Title("Theory beside simulation"), theory(document.theory))
    if document.linux is not None and document.linux.rows:
        yield from (Title("A Linux kernel, job by job"), linux(document.linux.rows))
    if document.tables:
        yield from (Title("Score", where=SCREEN), scores(document, SCREEN))
    yield from left_out(document)
    yield Data(tuple(_data(document)))


def heading(document: ValidationDocument) -> str:
    """What was run, and how."""
    return f"seed {document.seed}, {counted(document.replications, 'replication')}, {made_by(document.simvirt)}"


# -- figures ----------------------------------------------------------------------------------------------------------------


def figure(value: float | None) -> str:
    """A number with four digits, thousands set apart."""
    if value is None:
        return "-"
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 1000 else f"{value:.4g}"


def sentence(score: ScoreResult) -> str:
    """A table's score in one line."""
    parts = [f"{score.bounds_kept} of {score.bounds} bounds kept"] if score.bounds else []
    if score.predicted:
        parts.append(f"{score.predicted} predicted, median error {share(score.median_error)}")
        parts += [f"rank order right in {order(score.pairs_right, score.pairs)} pairs"] if score.pairs else []
        parts.append(f"{score.fitted_constants} fitted constants")
    return ", ".join(parts) or "nothing predicted: all cells calibrate"


def _error(error: float | None) -> Cell:
    """An error in its colour."""
    far = abs(error or 0.0)
    return Cell(percent(error), "" if error is None else "good" if far <= GOOD else "off" if far > BAD else "")


# -- tables -----------------------------------------------------------------------------------------------------------------


def about(table: TableResult) -> Iterator[Block]:
    """One table: what it is, its cells, its score; on a page also where it is from."""
    yield Title(table.id, (table.title,), 3, note=table.use)
    yield Prose(f"{table.source} ({table.found}). {table.setup}.", where=PAGE)
    yield Table(CELL, tuple(_compared(table.cells)), (0, 1, 5), names=2, prose=5, figures=False)
    yield Prose(sentence(table.score), tone="quiet", where=SCREEN)
    yield Prose(f"{sentence(table.score).capitalize()}.", where=PAGE)
    if table.calibration:
        yield Prose(f"Calibration: {'; '.join(table.calibration)}.", where=PAGE)
    if table.missing:
        yield Prose(f"not in the model: {table.missing}", tone="quiet", where=SCREEN)
        yield Prose(f"Not in the model: {table.missing}.", where=PAGE)


def _compared(found: Iterable[CellResult]) -> Iterator[tuple[Cell, ...]]:
    """A table's cells; a condition is named once, what calibrates steps back."""
    before = None
    for cell in found:
        measured = figure(cell.measured) if cell.low is None else f"{figure(cell.low)} to {figure(cell.high)}"
        told = cell.failure or ("" if cell.kind == "prediction" else cell.kind)
        name = cell.row if cell.row != before else ""
        row = cells(name, cell.column, figure(cell.predicted), f"{measured} {cell.unit}", _error(cell.error), told)
        yield tuple(Cell(part.text, "quiet") for part in row) if told == "calibration" else row
        before = cell.row


def scores(document: ValidationDocument, where: Where = "") -> Table:
    """The scores of topics and of all."""
    found = {f"{topic.number} {topic.title}": topic.score for topic in document.topics}
    summary = document.summary
    found |= {"tables to validate on": summary.validate_, "tables to calibrate on": summary.calibrate, "all": summary.all}
    rows = tuple(cells(title, *_scored(score)) for title, score in found.items())
    return Table(("", *SCORE), rows, figures=False, where=where)


def _scored(score: ScoreResult) -> Iterator[Any]:
    """A score as the cells of a row, in the order of SCORE."""
    pairs, right = score.platform_pairs, score.platform_pairs_right
    yield from (score.predicted, share(score.median_error), score.within_15)
    yield from (order(right, pairs), order(score.pairs_right - right, score.pairs - pairs))
    yield from (score.calibrated, score.fitted_constants)


def theory(found: Iterable[TheoryRow]) -> Table:
    """Closed forms beside simulation; a model is named once."""
    before, rows = "", []
    for row in found:
        name = row.measure.removesuffix("_per_s").removesuffix("_s").replace("_", " ")
        model, interval = row.model if row.model != before else "", f"{figure(row.low)} to {figure(row.high)}"
        rows.append(cells(model, name, figure(row.simulated), figure(row.theory), _error(row.error), interval))
        before = row.model
    return Table(THEORY, tuple(rows), (0, 1), figures=False)


def linux(found: Iterable[LinuxRow]) -> Table:
    """Replayed rows of a Linux kernel."""
    rows = [
        cells(row.row, row.measure, figure(row.predicted_s), figure(row.measured_s), _error(row.error), "noisy" if row.noisy else "")
        for row in found
    ]
    return Table(LINUX, tuple(rows), (0, 1, 5), figures=False)


def _data(document: ValidationDocument) -> Iterator[dict[str, Any]]:
    """Every compared number, flat: of tables, theory and the Linux kernel."""
    for table in document.tables:
        for cell in table.cells:
            numbers = {key: value for key, value in cell.document().items() if key != "failure"}
            yield {"topic": table.topic, "table": table.id, "use": table.use, **numbers}
    for without in document.leave_one_out.tables if document.leave_one_out else ():
        for cell in without.cells:
            numbers = {key: value for key, value in cell.document().items() if key != "failure"}
            yield {"topic": without.topic, "table": without.id, "use": "left out", **numbers}
    for row in document.theory:
        yield {
            "table": "theory", "row": row.model, "column": row.measure, "predicted": row.simulated, "measured": row.theory,
            "error": row.error, "kind": "theory",
        }
    for job in document.linux.rows if document.linux else ():
        yield {
            "table": "linux", "row": job.row, "column": job.measure, "unit": "s", "predicted": job.predicted_s,
            "measured": job.measured_s, "error": job.error, "kind": "prediction",
        }

"""What came of a sweep: rows by cell and platform, what they depend on, and the sentence that says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simvirt.result import figures, frames, provenance
from simvirt.result.displayed import Displayed
from simvirt.result.document import ScenarioName
from simvirt.result.sweep_document import AxisResult, Effect, SweepDocument
from simvirt.sweep.axes import columns_of
from simvirt.sweep.designs import cells_of
from simvirt.sweep.effects import READY, effects
from simvirt.sweep.files import Sweep
from simvirt.sweep.indices import sobol_indices
from simvirt.sweep.ledger import Ledger, unpacked
from simvirt.sweep.pareto import front
from simvirt.sweep.said import said
from simvirt.sweep.swept_knees import swept_knees


@dataclass(repr=False)
class Swept(Displayed):
    """The result of a sweep; `typed()` is the document, `frame()` one row a cell and platform as columns."""

    document_: SweepDocument

    def typed(self) -> SweepDocument:
        """The result as a typed document."""
        return self.document_

    def document(self) -> dict[str, Any]:
        """The result as the document that `--format json` prints."""
        return self.document_.document()

    def frame(self) -> frames.Frame:
        """One row a cell and platform as columns of equal length; NaN where nothing is known."""
        return frames.of_rows(self.document_.rows)

    def summary(self) -> str:
        """How many cells, and the answer."""
        return f"{self.document_.sweep.name}: {self.document_.done} of {self.document_.cells} cells. {self.document_.answer}"


def swept(asked: Sweep, ledger: Ledger, interrupted: bool = False) -> Swept:
    """The result of what a ledger keeps, by the order of cells: it depends on nothing else."""
    columns = ("cell", *columns_of(asked.axes))
    heads = [dict(zip(columns, (cell.number, *cell.labels), strict=True)) for cell in cells_of(asked.design, asked.axes, asked.seed)]
    rows, failed, done, base = list[dict[str, Any]](), dict[str, str](), 0, asked.scenario
    for kept in ledger.cells():
        if kept.status == "failed":
            failed[str(kept.number)] = unpacked(kept.content)
            continue
        done += 1
        rows += [heads[kept.number] | row for row in unpacked(kept.rows)]
    found = effects(asked.axes, asked.design, rows)
    indices, knees = sobol_indices(asked.axes, asked.design, rows, asked.seed), swept_knees(asked.axes, asked.design, rows)
    best = front(asked.pareto, rows)
    answers: dict[str, Any] = {key: value for key, value in (("indices", indices), ("pareto", best), ("knees", knees)) if value}
    where_it_applies: dict[str, Any] = ({"failed": failed} if failed else {}) | ({"interrupted": True} if interrupted else {})
    return Swept(SweepDocument(
        simvirt=provenance.program(), sweep=ScenarioName(name=asked.name, digest=asked.digest), scenario=provenance.name_of(base),
        answer=_answer(asked.cells, done, failed, rows, found, base.run.precision) + said(indices, knees, best),
        design=asked.design.kind, seed=asked.seed,
        axes=tuple(map(_axis, asked.axes)), cells=asked.cells, done=done, rows=tuple(rows), effects=found,
        **answers, **where_it_applies,
    ))


def _axis(axis: Any) -> AxisResult:
    return AxisResult(name=axis.name, sets=axis.paths, columns=axis.columns, levels=axis.levels)


def _answer(
    cells: int, done: int, failed: Mapping[str, str], rows: Sequence[Mapping[str, Any]], found: Sequence[Effect], precision: float | None,
) -> str:
    """What came of a sweep in a sentence or two."""
    parts = [f"{done} of {cells} cells were simulated" + (f", {len(failed)} failed" if failed else "")]
    if any(row["objective"] for row in rows):
        parts.append("the objective is met in " + _counts(rows))
    elif rows:
        parts += _extremes(rows)
    alone = [effect for effect in found if len(effect.axes) == 1 and effect.measure == found[0].measure]
    strongest = alone[0] if len({effect.axes for effect in alone}) > 1 else None  # of one axis alone it would be all
    subject = {"latency_p99_s": "The p99", READY: "When the last instance is ready"}.get("" if strongest is None else strongest.measure)
    depends = "" if strongest is None or subject is None else (
        f" {subject} on {strongest.platform} depends most on {strongest.axes[0]} ({figures.percent(strongest.share)} of its variance): "
        f"{figures.time(strongest.low_mean)} in the mean at {strongest.low}, {figures.time(strongest.high_mean)} at {strongest.high}."
    )
    return "; ".join(parts) + "." + depends + _imprecise(precision, rows)


def _imprecise(precision: float | None, rows: Sequence[Mapping[str, Any]]) -> str:
    """In how many cells a precision that was asked for is not reached."""
    if precision is None:
        return ""
    wide = {row["cell"] for row in rows if row["half_width"] is None or row["half_width"] > precision}
    said = f" A precision of {figures.percent(precision)} is not reached in {len(wide)} of the cells: raise run.max_replications."
    return said if wide else ""


def _counts(rows: Sequence[Mapping[str, Any]]) -> str:
    """In how many cells each platform meets the objective."""
    names = dict.fromkeys(row["platform"] for row in rows)
    met = {name: [row["objective"] == "met" for row in rows if row["platform"] == name] for name in names}
    return ", ".join(f"{sum(found)} of {len(found)} on {name}" for name, found in met.items())


def _extremes(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """When the last instance is ready, where some were started, and between what the p99 lies."""
    started = [row for row in rows if row.get("started")]
    ready = [row for row in started if row["ready"] == row["started"]]
    if ready:
        yield f"the last instance is ready between {_between(ready, READY)}"
    if len(ready) < len(started):
        yield f"in {len(started) - len(ready)} of {len(started)} rows not all instances are ready in the end"
    known = [row for row in rows if row["latency_p99_s"] is not None]
    yield f"p99 lies between {_between(known, 'latency_p99_s')}" if known else "none of them answered a request"


def _between(rows: Sequence[Mapping[str, Any]], column: str) -> str:
    """The smallest and the largest time in a column, with where they are."""
    ends = (best(rows, key=lambda row: row[column]) for best in (min, max))
    return " and ".join(f"{figures.time(row[column])} ({row['platform']}, cell {row['cell']})" for row in ends)

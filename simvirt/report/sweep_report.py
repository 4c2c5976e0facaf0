"""The report of `simvirt sweep`: the answer, what the measures depend on, the cells while they are few."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simvirt.report.blocks import Block, Cell, Data, Notes, Prose, Report, Table, Title, cells, titled
from simvirt.report.heading import counted, made_by, scenario
from simvirt.result import figures
from simvirt.result.compared_measures import MEASURES
from simvirt.result.sweep_document import Effect, SweepDocument, SweptKnee

MOST_ROWS: Final = 64
"""Rows beyond which a report leaves cells to the CSV."""
LEAST_SHARE: Final = 0.005
"""Interactions that explain less are not shown."""
NAMES: Final[Mapping[str, str]] = {
    "ready_last_s": "last ready", "latency_p99_s": "p99", "latency_mean_s": "mean latency", "throughput_per_s": "throughput",
}
TONES: Final[Mapping[str, Any]] = {"met": "good", "missed": "bad", "undecided": "quiet"}


def report(document: SweepDocument) -> Report:
    """All that is said of a sweep."""
    return Report(document, tuple(_blocks(document)))


def _blocks(document: SweepDocument) -> Iterator[Block]:
    yield Title(f"{document.sweep.name}: sweep", level=1)
    yield from (Prose(document.answer, tone="lead"), Prose(_heading(document), tone="quiet"))
    yield from titled("What it depends on: share of the variance over the cells", _effects(document))
    yield from titled("What it depends on: Sobol' indices, alone and with all interactions", _indices(document))
    yield from titled("Along the load", _knees(document))
    yield from titled("Pareto front: nothing beats these in one without losing in another", _front(document))
    if 0 < len(document.rows) <= MOST_ROWS:
        yield from titled("Cells", _cells(document))
    elif document.rows:
        yield Prose(f"{len(document.rows)} rows: they are in cells.csv", "Cells")
    yield from _failures(document)
    columns = ("cell", *(column for axis in document.axes for column in axis.columns), "platform", "objective")
    yield Data(document.rows, columns)


def _heading(document: SweepDocument) -> str:
    """How the sweep was made."""
    return ", ".join((f"{document.design} of {counted(document.cells, 'cell')}", scenario(document.scenario), made_by(document.simvirt)))


def _effects(document: SweepDocument) -> Table:
    """The effects, the strongest of a measure and platform first."""
    names = short(document)
    rows = [
        cells(NAMES[effect.measure], effect.platform, " x ".join(map(names.__getitem__, effect.axes)), *_share(effect), *_ends(effect))
        for effect in document.effects if len(effect.axes) == 1 or effect.share >= LEAST_SHARE
    ]
    return Table(("measure", "platform", "axis", "share", "lowest at", "highest at"), tuple(rows), (0, 1, 2, 4, 5), names=3, folds=True)


def _indices(document: SweepDocument) -> Table:
    """The indices of each axis, the largest total first."""
    names = short(document)
    rows = [
        cells(NAMES[one.measure], one.platform, names[one.axis], figures.percent(one.first), figures.percent(one.total))
        for one in document.indices
    ]
    return Table(("measure", "platform", "axis", "alone", "in all"), tuple(rows), (0, 1, 2), names=3, folds=True)


def _knees(document: SweepDocument) -> Table:
    """Where objectives break and platforms saturate along axes that are loads."""
    judged, found = any(one.met or one.missed for one in document.knees), document.knees[:MOST_ROWS]
    head = ("axis", "platform", "at", *(("met to", "missed from") if judged else ()), "saturated from", "most", "most power at")
    return Table(head, tuple(cells(*_knee(one, judged)) for one in found), (0, 1, 2), names=3, folds=True)


def _knee(one: SweptKnee, judged: bool) -> Iterator[str]:
    """A line of loads."""
    yield from (one.axis.rpartition(".")[2], one.platform, ", ".join(f"{key.rpartition('.')[2]}={value}" for key, value in one.at.items()))
    yield from (value or figures.UNKNOWN for value in ((one.met, one.missed) if judged else ()))
    yield from (one.saturated or figures.UNKNOWN, figures.rate(one.most_per_s), one.power or figures.UNKNOWN)


def _front(document: SweepDocument) -> Table:
    """What is on the Pareto front: its objectives, and what its cells set."""
    found = document.pareto
    if found is None:
        return Table((), ())
    columns = [column for axis in document.axes for column in axis.columns if column not in found.objectives]
    rows = {int(row["cell"] or 0): row for row in document.rows}
    head = ("cell", "platform", *(name.rpartition(".")[2] for name in columns), *map(_named, found.objectives))
    said = [
        cells(p.cell, p.platform, *(rows[p.cell][name] for name in columns), *(_valued(key, value) for key, value in p.values.items()))
        for p in found.points[:MOST_ROWS]
    ]
    return Table(head, tuple(said), tuple(range(2 + len(columns))), names=2)


def _named(column: str) -> str:
    """A column as the head of a table."""
    return MEASURES[column].name if column in MEASURES else column.rpartition(".")[2]


def _valued(column: str, value: float) -> str:
    """A value of an objective."""
    if column not in MEASURES:
        return f"{value:,g}"
    return {"time": figures.time, "rate": figures.rate, "answers": figures.rate, "share": figures.percent}[MEASURES[column].kind](value)


def short(document: SweepDocument) -> dict[str, str]:
    """Each axis as the last parts of its name, as many as tell it from the others."""
    names = [axis.name for axis in document.axes]
    return {name: next((part for part in _endings(name) if sum(_ends_with(other, part) for other in names) == 1), name) for name in names}


def _endings(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[-count:]) for count in range(1, len(parts) + 1))


def _ends_with(name: str, part: str) -> bool:
    return name == part or name.endswith(f".{part}")


def _share(effect: Effect) -> tuple[str]:
    return (figures.percent(effect.share),)


def _ends(effect: Effect) -> tuple[str, str]:
    """Where the measure is smallest and largest, and how much it is there."""
    if len(effect.axes) > 1:
        return "", ""
    shown = figures.rate if effect.measure == "throughput_per_s" else figures.time
    return f"{effect.low}: {shown(effect.low_mean)}", f"{effect.high}: {shown(effect.high_mean)}"


def _cells(document: SweepDocument) -> Table:
    """One row a cell and platform: when instances are ready, where some were started; how requests fare, where some were answered."""
    columns = [column for axis in document.axes for column in axis.columns]
    judged = any(row["objective"] for row in document.rows)
    said = [column.rpartition(".")[2] for column in columns]
    started, answered = any(row.get("started") for row in document.rows), any(row["latency_mean_s"] is not None for row in document.rows)
    starts = ("ready p50", "last ready") if started else ()
    requests = () if started and not answered else ("p99", "throughput") if started else ("mean", "p99", "throughput")
    head = (*said, "platform", *starts, *requests, "CPU", *(["objective"] if judged else []))
    rows = [
        cells(*_of_cell(row, columns, bool(starts), bool(requests)), *(_verdict(row) if judged else ())) for row in document.rows
    ]
    names = len(columns) + 1
    return Table(head, tuple(rows), tuple(range(names)), names=names)


def _of_cell(row: Mapping[str, Any], columns: Sequence[str], started: bool, answered: bool) -> Iterator[str]:
    """A row of the table: what a cell sets, and the measures that come first."""
    yield from (*(str(row[column]) for column in columns), str(row["platform"]))
    if started:
        yield from (figures.time(row.get("ready_p50_s")), _last_ready(row))
    else:
        yield figures.time(row["latency_mean_s"])
    if answered:
        yield from (figures.time(row["latency_p99_s"]), figures.rate(row["throughput_per_s"]))
    yield figures.percent(row["cpu_utilisation"])


def _last_ready(row: Mapping[str, Any]) -> str:
    """When the last instance is ready; where not all are in the end, how many."""
    if (row.get("ready") or 0) < (row.get("started") or 0):
        return f"{row['ready'] or 0:g} of {row['started']:g}"
    return figures.time(row.get("ready_last_s"))


def _verdict(row: Mapping[str, Any]) -> tuple[Cell]:
    """What the objective comes to in a cell."""
    said = str(row["objective"])
    return (Cell(said, TONES.get(said, "")),)


def _failures(document: SweepDocument) -> Iterator[Block]:
    """Cells that failed, the first few in words."""
    if document.failed:
        said = [f"cell {number} failed: {why}" for number, why in list(document.failed.items())[:5]]
        more = [f"and {len(document.failed) - 5} more cells failed: they are in sweep.json"] if len(document.failed) > 5 else []
        yield Notes((*said, *more))
    if document.interrupted:
        yield Notes((f"interrupted: {document.done} of {document.cells} cells are kept; go on with --resume",))

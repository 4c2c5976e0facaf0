"""The report of `simvirt fit`: fitted demands with their intervals, measured beside predicted, what to measure next."""

import math
from collections.abc import Iterator
from pathlib import PurePath

from simvirt.report.as_csv import flat
from simvirt.report.blocks import Block, Cell, Data, Prose, Report, Table, Title, Tone, cells, notes
from simvirt.report.heading import made_by, scenario
from simvirt.result import figures
from simvirt.result.document import Estimate
from simvirt.result.fit_document import Compared, FitDocument, FittedDemand

OFF = 0.15
"""Relative error of a prediction that is far from what it should be."""


def report(document: FitDocument) -> Report:
    """All that is said of a fit."""
    return Report(document, tuple(_blocks(document)))


def _blocks(document: FitDocument) -> Iterator[Block]:
    yield Title(f"{document.scenario.name}: fit", level=1)
    yield Prose(document.answer, tone="lead")
    yield Prose(_heading(document), tone="quiet")
    if document.fitted:
        rows = tuple(cells(name, *_demand(found)) for name, found in document.fitted.items())
        yield Table(("", "fitted", "± of it", "stated", "measured", "platform"), rows)
    if document.hold_out is not None:
        out = document.hold_out
        yield Prose(f"{out.points} values, each predicted by the others: {figures.percent(out.median)} off in the median, "
                    f"{figures.percent(out.worst)} at worst", "Left out")
    if document.usl is not None:
        yield from _usl(document)
    if document.compared:
        yield Title("Measured beside predicted")
        rows = tuple(_compared(row, short) for row, short in zip(document.compared, _short(document), strict=True))
        yield Table(("", "load", "", "measured", "predicted", "error"), rows, (0, 2), 3)
    yield Prose(document.next, "Measure next")
    yield from notes("", document.warnings)
    yield Data(tuple({"operation": name, **dict(flat(found.document()))} for name, found in document.fitted.items())
               or tuple(dict(flat(row.document())) for row in document.compared), ("operation", "point"))


def _heading(document: FitDocument) -> str:
    """From what it was made."""
    made = (f"seed {document.seed}", f"{document.simulations} simulations", scenario(document.scenario), made_by(document.simvirt))
    return ", ".join((f"{document.points} {'point' if document.points == 1 else 'points'}, measured on {document.platform}", *made))


def _demand(found: FittedDemand) -> Iterator[str]:
    """An operation's cells."""
    half, value = figures.half_width(found.cpu_s), found.cpu_s.value
    yield figures.time(found.cpu_s, interval=False)
    yield figures.UNKNOWN if half is None or not value else figures.percent(half / value)
    yield figures.time(found.stated_s)
    yield figures.time(found.measured_s, interval=False)
    yield figures.percent(found.platform)


def _usl(document: FitDocument) -> Iterator[Block]:
    """What the scalability law says."""
    law = document.usl
    assert law is not None
    peak = "throughput does not fall" if law.peak_clients is None else f"throughput is highest with {law.peak_clients:.0f} clients"
    yield Prose(f"one client alone gets {figures.rate(law.alone_per_s)}, contention {figures.percent(law.contention)}, coherence "
                f"{figures.percent(law.coherence)}: {peak}", "Scalability")


def _short(document: FitDocument) -> list[str]:
    """Points by the names of their files, those of several folders with their folder."""
    paths = [PurePath(row.point) for row in document.compared]
    folders = len({path.parent for path in paths}) > 1
    return ["/".join(path.parts[-2:]) if folders else path.name for path in paths]


def _compared(row: Compared, point: str) -> tuple[Cell, ...]:
    """A measured value beside the predicted one."""
    off = figures.UNKNOWN if row.error is None else figures.change(1 + row.error)
    tone: Tone = "off" if row.error is not None and abs(row.error) > OFF else ""
    return cells(point, figures.rate(row.throughput_per_s), _named(row.measure), _said(row.measure, row.measured),
                 _said(row.measure, row.predicted), Cell(off, tone))


def _named(measure: str) -> str:
    """`latency mean`, `web CPUs`."""
    plain = measure.removesuffix("_s").removesuffix("_bytes").replace(".cpu_cores", " CPUs")
    return plain.replace("host.cpu", "host CPU").replace("_", " ").replace(".", " ")


def _said(measure: str, value: float | Estimate) -> str:
    """A value with its unit."""
    if measure.startswith("latency"):
        return figures.time(value)
    if measure.endswith("_bytes"):
        return figures.size(value)
    if measure == "host.cpu":
        return figures.percent(value)
    return figures.scaled(value) if math.isfinite(figures.middle(value) or 0.0) else figures.UNKNOWN

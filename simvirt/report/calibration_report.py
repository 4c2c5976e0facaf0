"""The report of `simvirt calibrate`: what was measured beside the nearest host, and other measurements beside their predictions."""

from collections.abc import Iterator

from simvirt.report.blocks import Block, Data, Prose, Report, Table, Title, cells, notes, titled
from simvirt.report.heading import made_by
from simvirt.result import figures
from simvirt.result.calibration_document import CalibrationDocument, Measure


def report(document: CalibrationDocument) -> Report:
    """All that is said of a calibration."""
    return Report(document, tuple(_blocks(document)))


def _blocks(document: CalibrationDocument) -> Iterator[Block]:
    yield Title(f"{document.name}: calibration", level=1)
    yield Prose(document.answer, tone="lead")
    yield Prose(f"{'; '.join(f'{key} {value}' for key, value in document.machine.items())}; {made_by(document.simvirt)}", tone="quiet")
    rows = tuple(cells(name, *_measure(found)) for name, found in document.measured.items() if found.value is not None)
    yield Table(("", "measured", "lowest", "highest", document.nearest), rows)
    held = tuple(cells(each.what, _said(each.predicted, each.unit), _said(each.measured, each.unit), figures.change(1 + each.error))
                 for each in document.held_out)
    yield from titled("Predicted beside measured", Table(("", "predicted", "measured", "error"), held))
    yield from notes("", document.warnings)
    yield Data(tuple({"quantity": name, **found.document()} for name, found in document.measured.items()), ("quantity",))


def _measure(found: Measure) -> Iterator[str]:
    """A quantity's cells."""
    for value in (found.value, found.low, found.high, found.nearest):
        yield figures.UNKNOWN if value is None else _said(value, found.unit)


def _said(value: float, unit: str) -> str:
    """A value with its unit."""
    if unit == "s":
        return figures.time(value)
    if unit == "bytes/s":
        return f"{value / 1e6:,.0f} MB/s"
    return figures.rate(value) if unit == "per s" else f"{value:.3g}"

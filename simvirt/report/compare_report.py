"""The report of `simvirt compare`: what changed, what differs between the two, each measure before and after, cells of sweeps."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from simvirt.report.blocks import Block, Cell, Data, Notes, Prose, Report, Table, Title, Tone, cells, titled
from simvirt.report.heading import made_by, scenario
from simvirt.result import figures
from simvirt.result.compare_document import Asserted, Change, CompareDocument, Difference, Side
from simvirt.result.compared_measures import MEASURES
from simvirt.result.document import Estimate

MOST_DIFFERENCES: Final = 20
"""Differences beyond which a report leaves them to the JSON."""
MOST_ROWS: Final = 64
"""Rows beyond which a report leaves cells to the CSV."""
OF_CELLS: Final = "latency_p99_s"
"""The measure of single cells that a report shows."""
TONES: Final[Mapping[str, Tone]] = {"faster": "good", "slower": "bad", "undecided": "quiet", "no difference seen": "quiet"}
WORDS: Final[Mapping[bool | None, str]] = {True: "holds", False: "exceeded", None: "undecided"}


def report(document: CompareDocument) -> Report:
    """All that is said of a comparison."""
    return Report(document, tuple(_blocks(document)))


def _blocks(document: CompareDocument) -> Iterator[Block]:
    yield Title(f"{document.before.name} → {document.after.name}", level=1)
    yield Prose(document.answer, tone="lead")
    yield Prose(f"{_side(document.before)} → {_side(document.after)}; {_how(document)}", tone="quiet")
    yield from titled("What differs", _differences(document.differs))
    if len(document.differs) > MOST_DIFFERENCES:
        yield Notes((f"{len(document.differs) - MOST_DIFFERENCES} more differences are in compare.json",))
    yield Title("What changed" + (", over all cells" if document.cells else ""))
    yield _changes(document.platforms)
    yield from titled("Cells by what became of their p99", _counts(document))
    if 0 < len(document.cells) <= MOST_ROWS:
        yield from titled("Cells", _cells(document))
    elif document.cells:
        yield Prose(f"{len(document.cells)} rows: they are in compare.csv", "Cells")
    yield from titled("Asserted", _asserted(document.asserted))
    if document.warnings:
        yield Notes(document.warnings)
    yield Data(tuple(_rows(document)), tuple(dict.fromkeys(key for cell in document.cells for key in cell.cell)))


def _side(side: Side) -> str:
    """What one of the two is."""
    return ", ".join((side.scenario.name, scenario(side.scenario), f"seed {side.seed}", made_by(side.simvirt)))


def _how(document: CompareDocument) -> str:
    """How intervals came about, and what counts as a change."""
    methods = {one.method for measures in document.platforms.values() for one in measures.values()}
    paired = "replications paired, as their draws are the same" if "paired" in methods else "replications independent"
    within = figures.percent(document.margin)
    return f"{paired}; 95 % intervals: a change where they leave out none, no difference where they lie within {within}, else undecided"


def _differences(found: tuple[Difference, ...]) -> Table:
    """What differs, and how."""
    rows = [cells(one.what, _value(one.before), _value(one.after)) for one in found[:MOST_DIFFERENCES]]
    return Table(("", "before", "after"), tuple(rows), (0, 1, 2), folds=True)


def _value(value: Any) -> str:
    """A value of a scenario."""
    if value is None:
        return "default"
    return f"{value:,.12g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _changes(platforms: Mapping[str, Mapping[str, Change]]) -> Table:
    """One row a platform and measure."""
    rows = [
        cells(name, MEASURES[key].name, *_change(key, one))
        for name, measures in platforms.items() for key, one in measures.items() if one.before.value or one.after.value or one.ratio.low
    ]
    return Table(("", "", "before", "after", "change", "verdict"), tuple(rows), (0, 1, 5), names=2)


def _change(key: str, one: Change) -> tuple[str | Cell, ...]:
    """Before, after, the change and what it comes to."""
    shown, kind = _shown(key), MEASURES[key].kind
    changed = figures.points(one.difference) if kind == "share" else figures.change(one.ratio)
    return shown(_plain(one.before)), shown(_plain(one.after)), changed, Cell(one.verdict, TONES.get(one.verdict, ""))


def _plain(estimate: Estimate) -> float | None:
    """The value of an estimate, the middle of a range that has none."""
    if estimate.value is None and estimate.low is not None and estimate.high is not None:
        return (estimate.low + estimate.high) / 2
    return estimate.value


def _shown(key: str) -> Any:
    """How a measure is written."""
    return {"time": figures.time, "rate": figures.rate, "answers": figures.rate, "share": figures.percent}[MEASURES[key].kind]


def _counts(document: CompareDocument) -> Table:
    """In how many cells each platform is faster, slower or neither."""
    found: dict[str, Counter[str]] = {}
    for cell in document.cells:
        if OF_CELLS in cell.measures:
            found.setdefault(cell.platform, Counter())[cell.measures[OF_CELLS].verdict] += 1
    words = ("faster", "slower", "no difference seen", "undecided")
    rows = [cells(name, *(str(count[word]) for word in words)) for name, count in found.items()]
    return Table(("", "faster", "slower", "no difference", "undecided"), tuple(rows))


def _cells(document: CompareDocument) -> Table:
    """One row a cell and platform, with the measures that come first."""
    columns = tuple(dict.fromkeys(key for cell in document.cells for key in cell.cell))
    key = OF_CELLS
    rows = [
        cells(*(str(cell.cell.get(column, "")) for column in columns), cell.platform, *_change(key, cell.measures[key]))
        for cell in document.cells if key in cell.measures
    ]
    said = tuple(column.rpartition(".")[2] for column in columns)
    names = len(columns) + 1
    return Table((*said, "platform", "p99 before", "after", "change", "verdict"), tuple(rows), (*range(names), names + 3), names=names)


def _asserted(found: tuple[Asserted, ...]) -> Table:
    """What was asserted, and what came of it."""
    rows = [cells(f"{one.platform}{_where(one)}", one.said, _figure(one), _held(one)) for one in found]
    return Table(("", "", "change", "verdict"), tuple(rows), (0, 1, 3), names=2)


def _where(one: Asserted) -> str:
    """The cell of a sweep."""
    return f" ({', '.join(f'{key}={value}' for key, value in one.cell.items())})" if one.cell else ""


def _figure(one: Asserted) -> str:
    """The change that an assertion is about."""
    shift = 0.0 if MEASURES[one.measure].kind == "share" else 1.0
    ends = (None if end is None else end + shift for end in (one.change.value, one.change.low, one.change.high))
    return figures.change(Estimate(*ends)) if shift else figures.points(one.change)


def _held(one: Asserted) -> Cell:
    return Cell(WORDS[one.holds], "good" if one.holds else "quiet" if one.holds is None else "bad")


def failures(document: CompareDocument) -> Iterator[str]:
    """What does not surely hold of what was asserted, a line each."""
    for one in document.asserted:
        if not one.holds:
            said = "is beyond" if one.holds is False else "is not surely within"
            yield f"{one.platform}{_where(one)}: {MEASURES[one.measure].name} {_figure(one)} {said} {one.said}"


def _rows(document: CompareDocument) -> Iterator[dict[str, Any]]:
    """Flat rows: each platform and measure, of sweeps each cell too."""
    for name, measures in document.platforms.items():
        yield from (_row({}, name, key, one) for key, one in measures.items())
    for cell in document.cells:
        yield from (_row(cell.cell, cell.platform, key, one) for key, one in cell.measures.items())


def _row(cell: Mapping[str, Any], platform: str, key: str, one: Change) -> dict[str, Any]:
    """One measure's flat data."""
    found = {"before": one.before, "after": one.after, "difference": one.difference, "ratio": one.ratio}
    ends = {f"{name}.{end}": getattr(e, end) for name, e in found.items() for end in ("value", "low", "high")}
    return {**cell, "platform": platform, "measure": key, "verdict": one.verdict, "method": one.method, **ends}

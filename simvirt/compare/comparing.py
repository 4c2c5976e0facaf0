"""Two results compared, measure by measure, platform by platform, and of sweeps cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simvirt.compare.asserted import Allowed
from simvirt.compare.changes import change
from simvirt.compare.differences import differences
from simvirt.compare.overall import overall
from simvirt.compare.sentence import sentence
from simvirt.compare.sides import Given, Labels, Measures, Read, Simulate, read, simulated
from simvirt.errors import UsageError
from simvirt.result import frames, provenance
from simvirt.result.compare_document import Asserted, CellChange, Change, CompareDocument
from simvirt.result.compared_measures import MEASURES
from simvirt.result.displayed import Displayed

MARGIN = 0.05
"""A change that is no larger is none."""
Changes = dict[str, dict[str, Change]]
"""By platform and measure."""


@dataclass(repr=False)
class CompareResult(Displayed):
    """What changed from one result to another; `typed()` is the document, `document()` its JSON."""

    document_: CompareDocument

    def typed(self) -> CompareDocument:
        """The comparison as a typed document."""
        return self.document_

    def document(self) -> dict[str, Any]:
        """The comparison as the document that `--format json` prints."""
        return self.document_.document()

    def frame(self) -> dict[str, list[Any]]:
        """One row a platform and measure, of sweeps also one a cell, as columns of equal length; estimates with their ends."""
        return frames.of_comparison(self.document_)

    def summary(self) -> str:
        """What is compared, and what changed."""
        return f"{self.document_.before.name} to {self.document_.after.name}: {self.document_.answer}"


def compare(
    before: Given, after: Given, margin: float = MARGIN, asserts: Sequence[str] = (), simulate: Simulate = simulated,
) -> CompareResult:
    """What changed from one result to another: with the same seed from pairs of replications, which had the same draws.

    A result is what `run` or `sweep` returned, its document, its file or folder; a scenario, or its file, is simulated first. `margin` is
    the relative change, of shares the difference, that counts as none; `asserts` are changes that may not be exceeded (`p99 +5%`).
    UsageError where two things cannot be compared, or an assertion cannot be read.
    """
    allowed = [Allowed.of(text) for text in asserts]
    one, other = read(before, simulate), read(after, simulate)
    if one.is_sweep != other.is_sweep:
        raise UsageError(f"{one.side.name} and {other.side.name}: expected two runs or two sweeps, and not one of each")
    cells = dict(_cells(one, other, margin))
    platforms = _overall(cells, margin) if one.is_sweep else next(iter(cells.values()), {})
    if not platforms:
        raise UsageError(f"{one.side.name} and {other.side.name}: no platform{' of a cell' * one.is_sweep} is in both; nothing to compare")
    document = CompareDocument(
        simvirt=provenance.program(), before=one.side, after=other.side,
        differs=differences(one.side, other.side, (one.stated, other.stated)), margin=margin, platforms=platforms,
        cells=tuple(_of_cells(cells)) if one.is_sweep else (), asserted=tuple(_asserted(allowed, cells)),
        warnings=tuple(_left_out(one, other)),
    )
    _used(allowed, document)
    return CompareResult(document.model_copy(update={"answer": sentence(document)}))


def _cells(one: Read, other: Read, margin: float) -> Iterator[tuple[Labels, Changes]]:
    """What changed in each cell that both have."""
    same_draws = one.side.seed == other.side.seed
    for labels, platforms in one.cells.items():
        there = other.cells.get(labels, {})
        yield labels, {
            name: dict(_changes(platforms[name], there[name], same_draws, margin)) for name in platforms if name in there
        }


def _changes(before: Measures, after: Measures, same_draws: bool, margin: float) -> Iterator[tuple[str, Change]]:
    """What became of each measure that both know."""
    for key, measure in MEASURES.items():
        known = [side[key].estimate for side in (before, after) if key in side]
        if len(known) == 2 and all(e.value is not None or e.low is not None for e in known):
            yield key, change(before[key], after[key], measure.kind, same_draws, margin)


def _overall(cells: Mapping[Labels, Changes], margin: float) -> Changes:
    """What became of each platform and measure over all cells."""
    found: dict[str, dict[str, list[Change]]] = {}
    for platforms in cells.values():
        for name, changes in platforms.items():
            for key, one in changes.items():
                found.setdefault(name, {}).setdefault(key, []).append(one)
    return {name: {key: overall(every, MEASURES[key].kind, margin) for key, every in each.items()} for name, each in found.items()}


def _of_cells(cells: Mapping[Labels, Changes]) -> Iterator[CellChange]:
    for labels, platforms in cells.items():
        for name, changes in platforms.items():
            yield CellChange(cell=dict(labels), platform=name, measures=changes)


def _asserted(allowed: Sequence[Allowed], cells: Mapping[Labels, Changes]) -> Iterator[Asserted]:
    """What came of each assertion, in every cell."""
    for one in allowed:
        for labels, platforms in cells.items():
            for name, changes in platforms.items():
                yield from one.judged(name, changes, dict(labels))


def _used(allowed: Sequence[Allowed], document: CompareDocument) -> None:
    """UsageError for an assertion that is about nothing."""
    said = {found.said for found in document.asserted}
    for one in allowed:
        if one.said not in said:
            raise UsageError(f"--assert {one.said!r}: neither result has it; platforms of both are {', '.join(document.platforms)}")


def _left_out(one: Read, other: Read) -> Iterator[str]:
    """What is in one of the two only."""
    for mine, theirs in ((one, other), (other, one)):
        alone = [dict(labels) for labels in mine.cells if labels not in theirs.cells]
        if alone:
            yield f"{len(alone)} cells are in {mine.side.name} only, such as {', '.join(f'{k}={v}' for k, v in alone[0].items())}"
        shared = [(cell, theirs.cells[labels]) for labels, cell in mine.cells.items() if labels in theirs.cells]
        names = dict.fromkeys(name for cell, other_cell in shared for name in cell if name not in other_cell)
        yield from (f"{name} is in {mine.side.name} only" for name in names)
    if one.side.seed != other.side.seed:
        yield "the seeds differ, so that replications are not paired and intervals are wider: give both the same --seed"

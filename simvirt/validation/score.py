"""How good predictions are: relative errors, their median, and whether the order of what was compared comes out.

Calibrating cells (on which a demand or a constant of the catalogue was calibrated) are shown but not scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np

from simvirt.result.validation_document import CellResult, Kind, ScoreResult, Summary
from simvirt.validation.facts import WIDE, Table
from simvirt.validation.fitted import Fitted
from simvirt.validation.predict import Predicted

DIFFERENT: Final = 0.10  # ratio by which two measurements must differ for their order to count


@dataclass(frozen=True, slots=True)
class Cell:
    """One predicted number beside the measured one."""

    table: str
    row: str
    column: str
    unit: str
    low: float
    high: float
    predicted: float | None
    calibration: bool
    failure: str | None = None

    @property
    def measured(self) -> float:
        """The measured number, or the middle of its range."""
        return (self.low + self.high) / 2.0

    @property
    def error(self) -> float | None:
        """Relative error of the prediction: over the number, or over the nearest end of a range that it does not meet."""
        if self.predicted is None:
            return None
        return self.predicted / min(max(self.predicted, self.low), self.high) - 1.0

    @property
    def kind(self) -> Kind:
        """A given, a bound to be kept, or a prediction to be scored."""
        if self.calibration:
            return "calibration"
        return "bound" if self.high > WIDE * self.low else "prediction"

    @property
    def scored(self) -> bool:
        """Whether it counts as a prediction."""
        return self.kind == "prediction"

    def typed(self) -> CellResult:
        """The cell as it stands in a result."""
        found: dict[str, Any] = {"low": self.low, "high": self.high} if self.low != self.high else {}
        found |= {} if self.failure is None else {"failure": self.failure}
        return CellResult(
            row=self.row, column=self.column, unit=self.unit, predicted=self.predicted, measured=self.measured, error=self.error,
            kind=self.kind, **found,
        )


def cells(table: Table, predictions: Mapping[tuple[str, str], Predicted], given: set[str]) -> list[Cell]:
    """A table's cells; `given` are those that constants of the catalogue were fitted to."""
    return [
        Cell(
            table.id, row, column, table.unit_of(row), *spec.limits(column), predictions[row, column].value,
            _calibrates(table, row, column) or f"{table.id}/{row}/{column}" in given, predictions[row, column].failure,
        )
        for row, spec in table.rows.items()
        for column in spec.values
    ]


def _calibrates(table: Table, row: str, column: str) -> bool:
    """Whether a cell is a given of its table."""
    return any(column == told.by and told.row in (None, row) for told in table.calibration)


def pairs(table: Table, found: Sequence[Cell]) -> Iterator[tuple[Cell, Cell]]:
    """Two cells whose order the table is about: columns of a row, or rows of a column; one of them at least a prediction."""
    for one, other in combinations(found, 2):
        alike = one.row == other.row if table.ranks == "columns" else one.column == other.column and one.unit == other.unit
        bound = "bound" in (one.kind, other.kind)
        if alike and not bound and (one.scored or other.scored) and differ(one.measured, other.measured):
            yield one, other


def differ(one: float, other: float) -> bool:
    """Whether two measurements differ so much that their order means something."""
    return abs(one - other) > DIFFERENT * max(abs(one), abs(other))


def in_order(one: Cell | CellResult, other: Cell | CellResult) -> bool:
    """Whether two predictions stand in the order of their measurements."""
    if one.predicted is None or other.predicted is None:
        return False
    return (one.predicted - other.predicted) * (one.measured - other.measured) > 0


@dataclass(frozen=True, slots=True)
class Score:
    """The score of some cells: how many were predicted, how well, and with how many fitted constants."""

    predicted: int
    failed: int
    calibrated: int
    median_error: float | None
    within_15: int
    bounds: int
    bounds_kept: int
    pairs: int
    pairs_right: int
    platform_pairs: int  # those of the pairs that compare two platforms under one condition; the others two conditions on one platform
    platform_pairs_right: int
    fitted_constants: int

    def typed(self) -> ScoreResult:
        """The score as it stands in a result."""
        return ScoreResult(
            **asdict(self), rank_order=_ratio(self.pairs_right, self.pairs),
            platform_rank_order=_ratio(self.platform_pairs_right, self.platform_pairs),
        )


def _ratio(right: int, pairs: int) -> float | None:
    """Pairs in the measured order over all; None where there are none."""
    return right / pairs if pairs else None


def score(scored: Iterable[tuple[Table, Sequence[Cell]]], constants: Sequence[Fitted]) -> Score:
    """The score of several tables' cells together; a cell without a prediction is a failure and counts as an error of 100 %."""
    told = list(scored)
    predictions = [cell for _, found in told for cell in found if cell.scored]
    errors = [1.0 if cell.error is None else abs(cell.error) for cell in predictions]
    bounds = [cell for _, found in told for cell in found if cell.kind == "bound"]
    compared = [pair for table, found in told for pair in pairs(table, found)]
    platforms = [pair for table, found in told if table.ranks == "columns" for pair in pairs(table, found)]
    names = {table.id for table, _ in told}
    return Score(
        predicted=len(predictions),
        failed=sum(cell.predicted is None for cell in predictions),
        calibrated=sum(cell.calibration for _, found in told for cell in found),
        median_error=float(np.median(errors)) if errors else None,
        within_15=sum(error <= 0.15 for error in errors),
        bounds=len(bounds),
        bounds_kept=sum(cell.error == 0.0 for cell in bounds),
        pairs=len(compared),
        pairs_right=sum(in_order(one, other) for one, other in compared),
        platform_pairs=len(platforms),
        platform_pairs_right=sum(in_order(one, other) for one, other in platforms),
        fitted_constants=sum(bool(constant.tables & names) for constant in constants),
    )


def summary(found: Sequence[tuple[Table, Sequence[Cell]]], constants: Sequence[Fitted]) -> Summary:
    """The score of all tables, and of those that are used for one thing."""
    parts = {use: [(table, own) for table, own in found if table.use == use] for use in ("validate", "calibrate")}
    scores: dict[str, Any] = {name: score(own, constants).typed() for name, own in {"all": found, **parts}.items()}
    return Summary(**scores)

"""Predictions of a table's cells: its scenario with the overrides of row and column, run as any scenario is.

Model: every cell is a scenario of its own with one platform; all have equal draws. Where the table has a calibrating column, the value at
    the calibration's path is solved for until that column's number comes out, and then holds for all columns.
Ignores: what a setup does not state; the table's `missing` says what is known to be left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from simvirt.catalog import Catalog, HostEntry
from simvirt.errors import SimulationError, SimvirtError, sentence
from simvirt.result.run_document import PlatformResult
from simvirt.runs.run import run
from simvirt.scenario import loads
from simvirt.scenario.spec.models import Scenario
from simvirt.validation.facts import Calibration, Column, Measure, Row, Table
from simvirt.validation.known import Catalogue, Entries, Known, named
from simvirt.validation.measures import read
from simvirt.validation.solving import solve

RUN: Final[Mapping[str, Any]] = {"requests": 4000, "warmup": "0s"}
_QUANTITY = re.compile(r"([0-9.]+(?:e[+-]?\d+)?)\s*(\S*)")


FEW: Final = 64
"""Runs whose whole result is kept, as other cells may be read off it."""


@dataclass(frozen=True)
class Conditions:
    """How often and with which seed everything is run, and what is known of it already: numbers by their measure, the last results."""

    seed: int
    replications: int
    numbers: Known[float] = field(default_factory=Known, compare=False, repr=False)
    results: Known[tuple[PlatformResult, HostEntry, Entries]] = field(default_factory=lambda: Known(FEW), compare=False, repr=False)


@dataclass(frozen=True)
class Predicted:
    """A cell's number in the table's unit, or why there is none."""

    value: float | None
    failure: str | None = None


def predict(table: Table, conditions: Conditions) -> dict[tuple[str, str], Predicted]:
    """The predicted number of each (row, column) of a table."""
    try:
        once = _solved(table, [told for told in table.calibration if told.row is not None], None, {}, conditions)
    except SimvirtError as error:
        return {(name, column): _failed(error) for name, row in table.rows.items() for column in row.values}
    rows = {name: _row(table, name, once, conditions) for name in table.rows}
    return {(name, column): value for name, row in rows.items() for column, value in row.items()}


def predicted(table: Table, conditions: Conditions) -> dict[tuple[str, str], Predicted]:
    """`predict`, where what ends it fails the table's cells and nothing else."""
    try:
        return predict(table, conditions)
    except Exception as error:
        failed = Predicted(None, sentence(error))
        return {(name, column): failed for name, row in table.rows.items() for column in row.values}


def _row(table: Table, name: str, once: Mapping[str, Any], conditions: Conditions) -> dict[str, Predicted]:
    """The cells of a row."""
    row = table.rows[name]
    each = [told for told in table.calibration if told.row is None and told.path is not None and told.by in row.values]
    try:
        given = {**once, **_solved(table, each, name, once, conditions)}
    except SimvirtError as error:
        return dict.fromkeys(row.values, _failed(error))
    values = {column: _cell(table, name, column, given, conditions) for column in row.values}
    scale = _scale(row, table.calibration, values)
    return {column: _times(value, scale) for column, value in values.items()}


def _failed(error: SimvirtError) -> Predicted:
    """No number, and the reason in one short line."""
    return Predicted(None, str(error).splitlines()[0].partition(" (there are ")[0])


def _cell(table: Table, row: str, column: str, given: Mapping[str, Any], conditions: Conditions) -> Predicted:
    """One cell; what makes a scenario impossible is reported instead of a number."""
    try:
        return Predicted(number(table, row, column, given, conditions))
    except SimvirtError as error:
        return _failed(error)


def number(table: Table, row: str, column: str, given: Mapping[str, Any], conditions: Conditions) -> float:
    """A cell's number with some values of the scenario given, or, where the measure says so, its ratio to another platform's."""
    measure, there = table.measure_of(row, column), table.column_of(row, column)
    value = _known(Cell(table, row, there, given, conditions), measure)
    if measure.relative_to is None:
        return value
    base = Cell(table, row, Column(platform=measure.relative_to, set=there.set), given, conditions)
    ratio = value / _known(base, measure)
    return measure.times * (1.0 - ratio if measure.complement else ratio)


@dataclass(frozen=True)
class Cell:
    """What a cell asks: its table, row and column, values of the scenario that are given, how it is run."""

    table: Table
    row: str
    column: Column
    given: Mapping[str, Any]
    conditions: Conditions

    @property
    def text(self) -> dict[str, Any]:
        """The scenario as it would be written, before it is overridden."""
        run_spec = {
            **RUN, **self.table.scenario.get("run", {}), "seed": self.conditions.seed, "replications": self.conditions.replications}
        return {"simvirt": 1, "name": self.table.id, **self.table.scenario, "platforms": [self.column.platform], "run": run_spec}

    @property
    def sets(self) -> list[str]:
        """What is overridden."""
        sets = {**self.table.rows[self.row].set, **self.column.set, **self.given}
        return [f"{path}={json.dumps(value)}" for path, value in sets.items()]

    @property
    def catalogue(self) -> Catalogue:
        """The scenario's own entries."""
        found: Catalogue = self.table.scenario.get("catalog", {})
        return found

    @property
    def asked(self) -> str:
        """All that is asked but for the entries, as a short name."""
        return named([{key: value for key, value in self.text.items() if key != "catalog"}, self.sets])


def scenario_of(table: Table, row: str, column: Column, given: Mapping[str, Any], conditions: Conditions) -> Scenario:
    """The scenario of a cell."""
    return _scenario(Cell(table, row, column, given, conditions))


def _scenario(cell: Cell) -> Scenario:
    return loads(json.dumps(cell.text), cell.table.id, sets=cell.sets)


def _known(cell: Cell, measure: Measure) -> float:
    """A scenario's number; as it is known where nothing that it depends on has changed."""
    numbers, results, asked = cell.conditions.numbers, cell.conditions.results, cell.asked
    of = f"{asked} {measure.model_dump_json()}"
    if (number := numbers.find(of, cell.catalogue)) is not None:
        return number
    found = results.find(asked, cell.catalogue) or _simulated(cell)
    results.keep(asked, cell.catalogue, found[2], found)
    number = read(found[0], measure, found[1])
    numbers.keep(of, cell.catalogue, found[2], number)
    return number


def _simulated(cell: Cell) -> tuple[PlatformResult, HostEntry, Entries]:
    """What came of a cell's run, its host, and the entries that it read."""
    scenario = _scenario(cell)
    catalog = Catalog.of(scenario)
    host = catalog.resolve_host(scenario.first_host)
    result = run(scenario, maximum=False)
    (platform,) = result.typed().platforms.values()
    assert result.catalog is not None
    return platform, host, result.catalog.read | catalog.read


# --- calibration ---------------------------------------------------------------------------------------------------------


def _scale(row: Row, calibration: Sequence[Calibration], values: Mapping[str, Predicted]) -> float:
    """The factor that turns a row's simulated numbers into the table's unit."""
    told = next((told for told in calibration if told.scale), None)
    simulated = None if told is None else values[told.by].value
    return row.middle(told.by) / simulated if told is not None and simulated else 1.0


def _times(predicted: Predicted, factor: float) -> Predicted:
    """A prediction in another unit."""
    return Predicted(None if predicted.value is None else predicted.value * factor, predicted.failure)


def _solved(
    table: Table, calibration: Sequence[Calibration], row: str | None, given: Mapping[str, Any], conditions: Conditions
) -> dict[str, Any]:
    """The values at the calibrations' paths, one after the other; each in its own row, or else in the row given."""
    found: dict[str, Any] = {}
    for told in calibration:
        name = told.row or row
        assert told.path is not None and told.start is not None and name is not None
        found[told.path] = _solve(table, name, told, {**given, **found}, conditions)
    return found


def _solve(table: Table, row: str, told: Calibration, given: Mapping[str, Any], conditions: Conditions) -> str | float:
    """The value at which the calibrating column comes out; SimulationError where it does not within a few steps."""
    first, unit = _number(table, str(told.start))
    wanted, path = table.rows[row].middle(told.by), str(told.path)

    def error(x: float) -> float:
        return number(table, row, told.by, {**given, path: quantity(x, unit)}, conditions) / wanted - 1.0

    found = solve(error, first)
    if found is None:
        raise SimulationError(f"{table.id}, {row}: no {path} makes {told.by} {wanted:g} {table.unit_of(row)}")
    return quantity(found, unit)


def _number(table: Table, text: str) -> tuple[float, str]:
    """A first guess as number and unit."""
    try:
        return quantity_of(text)
    except ValueError as error:
        raise SimulationError(f"{table.id}: calibration.start: {error}") from None


def quantity_of(text: str) -> tuple[float, str]:
    """A text as number and unit; ValueError where it is none."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a number, perhaps with a unit, for example 10us; got {text}")
    return float(match.group(1)), match.group(2)


def quantity(x: float, unit: str) -> str | float:
    """A number with its unit, as a scenario takes it."""
    return f"{x:.9g}{unit}" if unit else float(f"{x:.9g}")

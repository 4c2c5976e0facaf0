"""Predictions of a table's cells: its scenario with the overrides of row and column, run as any scenario is.

Model: every cell is a scenario of its own with one platform; all meet the same luck. Where the table has a calibrating column, the value at
    the calibration's path is solved for until that column's number comes out, and then holds for all columns.
Ignores: what a setup does not tell; the table's `missing` says what is known to be left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from simvirt.catalog import Catalog
from simvirt.errors import SimulationError, SimvirtError
from simvirt.runs import run
from simvirt.scenario import loads
from simvirt.scenario.models import Scenario
from simvirt.validation.facts import Calibration, Column, Measure, Row, Table
from simvirt.validation.measures import read

SOLVED: Final = 1e-3  # relative error at which a calibration is good enough
MOST_STEPS: Final = 12
RUN: Final[Mapping[str, Any]] = {"requests": 4000, "warmup": "0s"}
_QUANTITY = re.compile(r"([0-9.]+(?:e[+-]?\d+)?)\s*(\S+)")


@dataclass(frozen=True)
class Conditions:
    """How often and with which seed everything is run."""

    seed: int
    replications: int


@dataclass(frozen=True)
class Predicted:
    """A cell's number in the table's unit, or why there is none."""

    value: float | None
    failure: str | None = None


def predict(table: Table, conditions: Conditions) -> dict[tuple[str, str], Predicted]:
    """The predicted number of each (row, column) of a table."""
    told = table.calibration
    try:
        once = {} if told is None or told.row is None else _solved(table, told.row, told, conditions)
    except SimvirtError as error:
        return {(name, column): _failed(error) for name, row in table.rows.items() for column in row.values}
    rows = {name: _row(table, name, once, conditions) for name in table.rows}
    return {(name, column): value for name, row in rows.items() for column, value in row.items()}


def _row(table: Table, name: str, once: Mapping[str, Any], conditions: Conditions) -> dict[str, Predicted]:
    """The cells of a row."""
    told, row = table.calibration, table.rows[name]
    try:
        given = once or ({} if told is None or told.path is None else _solved(table, name, told, conditions))
    except SimvirtError as error:
        return dict.fromkeys(row.values, _failed(error))
    values = {column: _cell(table, name, column, given, conditions) for column in row.values}
    scale = _scale(row, told, values)
    return {column: _times(value, scale) for column, value in values.items()}


def _failed(error: SimvirtError) -> Predicted:
    """No number, and the reason in one line."""
    return Predicted(None, str(error).splitlines()[0])


def _cell(table: Table, row: str, column: str, given: Mapping[str, Any], conditions: Conditions) -> Predicted:
    """One cell; what makes a scenario impossible is told instead of a number."""
    try:
        return Predicted(number(table, row, column, given, conditions))
    except SimvirtError as error:
        return _failed(error)


def number(table: Table, row: str, column: str, given: Mapping[str, Any], conditions: Conditions) -> float:
    """A cell's number with some values of the scenario given, over that of another platform where the measure says so."""
    measure = table.measure_of(row)
    value = _simulated(scenario_of(table, row, table.columns[column], given, conditions), measure)
    if measure.relative_to is None:
        return value
    base = scenario_of(table, row, Column(platform=measure.relative_to, set=table.columns[column].set), given, conditions)
    return value / (_simulated(base, measure) / measure.times)


def scenario_of(table: Table, row: str, column: Column, given: Mapping[str, Any], conditions: Conditions) -> Scenario:
    """The scenario of a cell."""
    run_spec = {**RUN, **table.scenario.get("run", {}), "seed": conditions.seed, "replications": conditions.replications}
    text = {"simvirt": 1, "name": table.id, **table.scenario, "platforms": [column.platform], "run": run_spec}
    sets = {**table.rows[row].set, **column.set, **given}
    return loads(json.dumps(text), table.id, sets=[f"{path}={json.dumps(value)}" for path, value in sets.items()])


def _simulated(scenario: Scenario, measure: Measure) -> float:
    """A scenario's number."""
    host = Catalog.of(scenario).resolve_host(scenario.host)
    (platform,) = run(scenario).document()["platforms"].values()
    return read(platform, measure, host.pcpus)


# --- calibration ---------------------------------------------------------------------------------------------------------


def _scale(row: Row, told: Calibration | None, values: Mapping[str, Predicted]) -> float:
    """The factor that turns a row's simulated numbers into the table's unit."""
    if told is None or not told.scale:
        return 1.0
    simulated = values[told.by].value
    return row.values[told.by] / simulated if simulated else 1.0


def _times(predicted: Predicted, factor: float) -> Predicted:
    """A prediction in another unit."""
    return Predicted(None if predicted.value is None else predicted.value * factor, predicted.failure)


def _solved(table: Table, row: str, told: Calibration, conditions: Conditions) -> dict[str, Any]:
    """The calibration's path with the value at which the calibrating column comes out: the secant method, from a first guess by proportion.

    SimulationError where it does not come out within a few steps.
    """
    assert told.path is not None and told.start is not None
    match = _QUANTITY.fullmatch(told.start)
    if match is None:
        raise SimulationError(f"{table.id}: calibration.start: expected a number with a unit, for example 10us; got {told.start}")
    wanted, unit = table.rows[row].values[told.by], match.group(2)

    def error(x: float) -> float:
        return number(table, row, told.by, {told.path: _quantity(x, unit)}, conditions) / wanted - 1.0  # type: ignore[dict-item]

    before = float(match.group(1))
    error_before = error(before)
    now = before * (1.02 if abs(error_before) > SOLVED else 1.0)
    for _ in range(MOST_STEPS):
        error_now = error(now)
        if abs(error_now) <= SOLVED:
            return {told.path: _quantity(now, unit)}
        step = -error_now * (now - before) / (error_now - error_before) if error_now != error_before else now
        before, error_before, now = now, error_now, min(max(now + step, now / 5.0), now * 5.0)
    raise SimulationError(f"{table.id}, {row}: no {told.path} makes {told.by} {wanted:g} {table.unit_of(row)}")


def _quantity(x: float, unit: str) -> str:
    """A number with its unit, as a scenario takes it."""
    return f"{x:.9g}{unit}"

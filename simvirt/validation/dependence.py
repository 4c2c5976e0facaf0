"""Which tables depend on which fitted constants: the constants are changed a little, and cells that move depend on them.

*Model*: a constant is changed by CHANGE in the catalogue of a table's scenario, everything else being equal: short runs with equal draws,
    calibrations at their start. Constants are tried together and parted in halves as long as cells move.
*Ignores*: constants whose effects cancel when they are changed together; dependence through a calibration alone.
*Source*: leaving out, Stone, Cross-Validatory Choice and Assessment of Statistical Predictions, J. R. Statist. Soc. B 36, 1974.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from simvirt.validation.changed import changed
from simvirt.validation.facts import Table
from simvirt.validation.fitted import Fitted
from simvirt.validation.predict import Conditions, Predicted, predict, quantity, quantity_of

CHANGE: Final = 1.05
MOVED: Final = 1e-4  # relative change of a cell from which it depends on what was changed
REQUESTS: Final = 200
Cells = Mapping[tuple[str, str], Predicted]
Moves = Mapping[tuple[str, str], float]
"""Relative change of a cell (row, column) over that of the constant."""


def dependences(table: Table, constants: Sequence[Fitted]) -> dict[str, Moves]:
    """By name of a constant the cells of a table that depend on it, and how much; constants that move none are left out."""
    short, once = _short(table), Conditions(seed=1, replications=1)
    return _parted(short, constants, predict(short, once), once)


def _parted(table: Table, constants: Sequence[Fitted], before: Cells, once: Conditions) -> dict[str, Moves]:
    """The dependences on some constants, tried together first."""
    cells = _moved(before, predict(changed(table, dict.fromkeys(constants, CHANGE)), once)) if constants else {}
    if not cells or len(constants) == 1:
        return {constant.name: cells for constant in constants if cells}
    half = len(constants) // 2
    return _parted(table, constants[:half], before, once) | _parted(table, constants[half:], before, once)


def _moved(before: Cells, after: Cells) -> Moves:
    """The cells whose numbers differ; one that has a number in one of both only moves without end."""
    moves = {key: _move(cell.value, after[key].value) for key, cell in before.items()}
    return {key: move for key, move in moves.items() if abs(move) > MOVED / (CHANGE - 1.0)}


def _move(one: float | None, other: float | None) -> float:
    """Relative change of a number over that of the constant."""
    if one is None or other is None:
        return 0.0 if one is other else math.inf
    return (other / one - 1.0) / (CHANGE - 1.0) if one else 0.0


def _short(table: Table) -> Table:
    """The table with short runs, and with the starts of its calibrations as values of the scenario."""
    told = table.scenario.get("run", {})
    without = told.get("requests", REQUESTS) is None  # nothing is asked for: how memory is laid out
    run = told if without else {**{key: value for key, value in told.items() if key != "duration"}, "requests": REQUESTS}
    starts = {told.path: _start(told.start) for told in table.calibration if told.path is not None and told.start is not None}
    rows = {name: row.model_copy(update={"set": {**row.set, **starts}}) for name, row in table.rows.items()}
    scenario = {**table.scenario, "run": run}
    return table.model_copy(update={"scenario": scenario, "rows": rows, "calibration": ()})


def _start(text: str) -> str | float:
    return quantity(*quantity_of(text))

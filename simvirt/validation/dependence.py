"""Which tables depend on which fitted constants: the constants are changed a little, and cells that move depend on them.

*Model*: a constant is changed by CHANGE in the catalogue of a table's scenario, everything else being equal: short runs with equal draws,
    calibrations at their start. Constants are tried together and parted in halves as long as cells move.
*Ignores*: constants whose effects cancel when they are changed together; dependence through a calibration alone.
*Source*: leaving out, Stone, Cross-Validatory Choice and Assessment of Statistical Predictions, J. R. Statist. Soc. B 36, 1974.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Final

from simvirt.catalog.loader import expand, shipped
from simvirt.validation.facts import Table
from simvirt.validation.fitted import Fitted
from simvirt.validation.predict import Conditions, Predicted, predict, quantity, quantity_of

CHANGE: Final = 1.05
MOVED: Final = 1e-4  # relative change of a cell from which it depends on what was changed
REQUESTS: Final = 200
ONCE: Final = Conditions(seed=1, replications=1)
Cells = Mapping[tuple[str, str], Predicted]


def dependences(table: Table, constants: Sequence[Fitted]) -> dict[str, set[tuple[str, str]]]:
    """By name of a constant the cells (row, column) of a table that depend on it; constants without any are left out."""
    short = _short(table)
    return _parted(short, constants, predict(short, ONCE))


def _parted(table: Table, constants: Sequence[Fitted], before: Cells) -> dict[str, set[tuple[str, str]]]:
    """The dependences on some constants, tried together first."""
    cells = _moved(before, predict(changed(table, constants), ONCE)) if constants else set()
    if not cells or len(constants) == 1:
        return {constant.name: cells for constant in constants if cells}
    half = len(constants) // 2
    return _parted(table, constants[:half], before) | _parted(table, constants[half:], before)


def _moved(before: Cells, after: Cells) -> set[tuple[str, str]]:
    """The cells whose numbers differ; one that has a number in one of both only differs."""
    return {key for key, cell in before.items() if _differ(cell.value, after[key].value)}


def _differ(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(other - one) > MOVED * abs(one)


def _short(table: Table) -> Table:
    """The table with short runs, and with the starts of its calibrations as values of the scenario."""
    run = {key: value for key, value in table.scenario.get("run", {}).items() if key not in ("duration", "requests")}
    starts = {told.path: _start(told.start) for told in table.calibration if told.path is not None and told.start is not None}
    rows = {name: row.model_copy(update={"set": {**row.set, **starts}}) for name, row in table.rows.items()}
    scenario = {**table.scenario, "run": {**run, "requests": REQUESTS}}
    return table.model_copy(update={"scenario": scenario, "rows": rows, "calibration": ()})


def _start(text: str) -> str | float:
    return quantity(*quantity_of(text))


# --- changed constants ---------------------------------------------------------------------------------------------------


def changed(table: Table, constants: Sequence[Fitted]) -> Table:
    """The table with some constants of its scenario's catalogue times CHANGE."""
    catalog = copy.deepcopy(dict(table.scenario.get("catalog", {})))
    for constant in constants:
        _change(catalog, *constant.place)
    return table.model_copy(update={"scenario": {**table.scenario, "catalog": catalog}})


def _change(catalog: dict[str, Any], kind: str, name: str, path: tuple[str, ...]) -> None:
    """Puts an entry with a constant changed into a catalogue."""
    section = catalog.setdefault(kind, {})
    entry = section.get(name) or copy.deepcopy(dict(shipped(kind)[name]))
    if not _written(entry, path):
        entry = copy.deepcopy(expand(name, {**shipped(kind), **section}, shipped(kind)))
    for number in _written(entry, path):
        value, unit = quantity_of(str(number["value"]))
        number["value"] = quantity(value * CHANGE, f" {unit}" if unit else "")
        number.pop("spread", None)
    section[name] = entry


def _written(entry: Any, path: tuple[str, ...]) -> list[dict[str, Any]]:
    """The numbers that an entry itself gives at a path: one, or the parts of a sum."""
    for part in path:
        entry = entry.get(part) if isinstance(entry, Mapping) else None
    return [number for number in (entry if isinstance(entry, list) else [entry]) if isinstance(number, dict) and "value" in number]

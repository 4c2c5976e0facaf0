"""A table whose scenario has other values of fitted constants: times a factor, or what the catalogue gives as `otherwise`."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from simvirt.catalog.loader import expand, shipped
from simvirt.validation.facts import Table
from simvirt.validation.fitted import Fitted
from simvirt.validation.predict import quantity, quantity_of

Values = Mapping[Fitted, float | None]
"""The factor by constant; None where it is to be what it would be taken as without its cells."""


def changed(table: Table, values: Values) -> Table:
    """The table with some constants changed in the catalogue of its scenario."""
    catalog = copy.deepcopy(dict(table.scenario.get("catalog", {})))
    for constant, factor in values.items():
        _change(catalog, constant, factor)
    return table.model_copy(update={"scenario": {**table.scenario, "catalog": catalog}})


def _change(catalog: dict[str, Any], constant: Fitted, factor: float | None) -> None:
    """Puts the entries that write a constant, changed, into a catalogue."""
    for kind, name, path in constant.places:
        section = catalog.setdefault(kind, {})
        entry = copy.deepcopy(dict(section.get(name, shipped(kind)[name])))
        if _written(shipped(kind)[name], path) and not _written(entry, path):
            entry = copy.deepcopy(expand(name, {**shipped(kind), **section}, shipped(kind)))
        for number in _written(entry, path):
            number["value"] = number["otherwise"]["value"] if factor is None else _times(number["value"], factor)
            number.pop("spread", None)
            section[name] = entry


def _times(value: object, factor: float) -> str | float:
    """A written number times a factor."""
    found, unit = quantity_of(str(value))
    return quantity(found * factor, f" {unit}" if unit else "")


def _written(entry: Any, path: tuple[str, ...]) -> list[dict[str, Any]]:
    """The fitted numbers that an entry itself gives at a path: one, or parts of a sum."""
    for part in path:
        entry = entry.get(part) if isinstance(entry, Mapping) else entry[int(part)] if isinstance(entry, list) and part.isdigit() else None
    return [number for number in (entry if isinstance(entry, list) else [entry]) if isinstance(number, dict) and number.get("fitted")]


def written(constant: Fitted) -> list[dict[str, Any]]:
    """The numbers of a constant as the catalogue writes them."""
    return [number for kind, name, path in constant.places for number in _written(shipped(kind)[name], path)]


def only(table: Table, cells: Collection[tuple[str, str]]) -> Table:
    """The table with the rows and columns of some cells, and those that it calibrates on."""
    own = {told.row for told in table.calibration} | {row for row, _ in cells}
    columns = {told.by for told in table.calibration} | {column for _, column in cells}
    rows = {name: row.model_copy(update={"values": dict(_kept(row.values, columns))}) for name, row in table.rows.items() if name in own}
    return table.model_copy(update={"rows": {name: row for name, row in rows.items() if row.values}})


def _kept(values: Mapping[str, Any], columns: Collection[str]) -> Iterator[tuple[str, Any]]:
    return ((column, value) for column, value in values.items() if column in columns)

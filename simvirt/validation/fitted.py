"""The constants of the catalogue that were calibrated on cells of published tables: with them those cells cannot be predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from simvirt.catalog import Catalog
from simvirt.catalog.entries.software import KINDS
from simvirt.catalog.sourced import Sourced

Place = tuple[str, str, tuple[str, ...]]
"""Kind and name of an entry, and the path in that."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """One fitted constant: the first place where it stands, and the cells (table/row/column) that it comes from."""

    name: str
    cells: tuple[str, ...]
    places: tuple[Place, ...] = ()

    @property
    def tables(self) -> set[str]:
        """The tables of its cells."""
        return {cell.partition("/")[0] for cell in self.cells}


def fitted(catalog: Catalog) -> list[Fitted]:
    """All fitted constants; what several entries take over from one, or several parts of an entry have in common, counts once."""
    found: dict[tuple[Any, ...], list[Place]] = {}
    for kind in KINDS:
        for name in catalog.names(kind):
            for path, number in _numbers(catalog.entry(kind, name)):
                if number.fitted:
                    key = (number.value, number.unit, number.source, number.fitted)
                    found.setdefault(key, []).append((kind, name, tuple(path.split("."))))
    return [Fitted(_name(places[0]), key[-1], tuple(dict.fromkeys(places))) for key, places in found.items()]


def _name(place: Place) -> str:
    """A place as text."""
    kind, name, path = place
    return f"{kind}.{name}.{'.'.join(path)}"


def _numbers(value: Any, path: str = "") -> Iterator[tuple[str, Sourced]]:
    """Every sourced number below an entry, with its path."""
    if isinstance(value, Sourced):
        yield path, value
    elif isinstance(value, BaseModel):
        for field in type(value).model_fields:
            yield from _numbers(getattr(value, field), f"{path}.{field}".lstrip("."))
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _numbers(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, tuple):
        for index, inner in enumerate(value):
            yield from _numbers(inner, f"{path}.{index}" if isinstance(inner, BaseModel) else path)


def fitted_cells(constants: list[Fitted]) -> set[str]:
    """All cells that constants were fitted to."""
    return {cell for constant in constants for cell in constant.cells}

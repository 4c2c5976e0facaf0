"""The constants of the catalogue that were calibrated on cells of published tables: with them those cells cannot be predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from simvirt.catalog import Catalog
from simvirt.catalog.entries.software import KINDS
from simvirt.catalog.sourced import Sourced


@dataclass(frozen=True, slots=True)
class Fitted:
    """One fitted constant: where it stands, and the cells (table/row/column) that it comes from."""

    name: str
    cells: tuple[str, ...]
    place: tuple[str, str, tuple[str, ...]] = ("", "", ())
    """Kind and name of its entry, and the path in that."""

    @property
    def tables(self) -> set[str]:
        """The tables of its cells."""
        return {cell.partition("/")[0] for cell in self.cells}


def fitted(catalog: Catalog) -> list[Fitted]:
    """All fitted constants; what several entries take over from one counts once."""
    found: dict[tuple[Any, ...], Fitted] = {}
    for kind in KINDS:
        for name in catalog.names(kind):
            for path, number in _numbers(catalog.entry(kind, name)):
                if number.fitted:
                    found.setdefault((path, number.value, number.source, number.fitted), _of(kind, name, path, number))
    return list(found.values())


def _of(kind: str, name: str, path: str, number: Sourced) -> Fitted:
    """A number of an entry as a fitted constant."""
    return Fitted(f"{kind}.{name}.{path}", number.fitted, (kind, name, tuple(path.split("."))))


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
        for inner in value:
            yield from _numbers(inner, path)


def fitted_cells(constants: list[Fitted]) -> set[str]:
    """All cells that constants were fitted to."""
    return {cell for constant in constants for cell in constant.cells}

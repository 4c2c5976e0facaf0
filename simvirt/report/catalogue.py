"""The catalogue as text: entries of a kind, and every constant behind one of them with its source."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simvirt.catalog.sourced import number
from simvirt.catalog.sources import Constant, Listed
from simvirt.report import grid

GAP = 2


def kinds(found: Iterable[tuple[str, Sequence[str]]]) -> RenderableType:
    """The kinds with the names of their entries."""
    table = _grid()
    for kind, entries in found:
        table.add_row(Text(kind, "bold cyan"), Text(", ".join(entries)))
    return table


def listing(rows: Iterable[Listed]) -> RenderableType:
    """Entries by name, each with what it is, its figures and its source."""
    table = _grid()
    for row in rows:
        table.add_row(Text(row.name, "bold"), _lines((row.title, ""), (row.figures, ""), (row.source, "dim")))
    return table


PLATFORM: Final = ("platform", "technique", "type", "isolation", "network", "disk", "sourced", "estimated")


def platforms(rows: Iterable[Listed], width: int) -> RenderableType:
    """Platforms side by side: how they virtualize and isolate, their devices, and how many of their costs sources give."""
    cells = [[Text(row.name, "bold"), *map(Text, _facts(row.facts))] for row in rows]
    return grid.table(PLATFORM, cells, width, left=range(6))


def _facts(facts: Mapping[str, Any]) -> Iterator[str]:
    """What a platform is, in the order of PLATFORM; the outermost layer first."""
    for name in ("technique", "type", "isolation", "net", "disk"):
        yield ", ".join(dict.fromkeys(map(str, facts[name]))) or "-"
    yield from (str(facts["numbers"] - facts["estimated"]), str(facts["estimated"]))


def constants(name: str, rows: Sequence[Constant]) -> RenderableType:
    """Every constant behind an entry, by the layer that it belongs to."""
    if not rows:
        return Text(f"{name}: no layer, no costs: what runs on it meets the bare machine")
    layers = groupby(rows, key=lambda row: (row.kind, row.layer))
    return Group(*(_layer(kind, layer, list(group)) for (kind, layer), group in layers))


def _layer(kind: str, layer: str, rows: Sequence[Constant]) -> RenderableType:
    """The constants of a layer; a source that several in a row share is told with the first."""
    table, told = _grid(columns=3), ""
    for row in rows:
        source = row.source if row.source != told else ""
        table.add_row(Text(f"{row.name} {row.part}".strip()), Text(_value(row)), _lines((_spread(row), ""), (source, "dim")))
        told = row.source
    return Group(Text.assemble((layer, "bold cyan"), (f"  {kind}", "dim")), Padding(table, (0, 0, 1, 2)))


def _value(row: Constant) -> str:
    """A constant with its unit; a cost in cycles also in the time that it takes on the host asked for."""
    if row.value is None:
        return row.unit
    shown = number(row.value, row.unit)
    return shown if row.ns is None or row.unit == "ns" else f"{shown} = {number(row.ns, 'ns')}"


def _spread(row: Constant) -> str:
    """What a constant may be instead, and whether it is an estimate."""
    spread = f"{number(row.spread[0], row.unit)} to {number(row.spread[1], row.unit)}" if row.spread else ""
    return ", ".join(part for part in (spread, "estimated" if row.estimated else "") if part)


def _lines(*parts: tuple[str, str]) -> Text:
    """Texts with their styles, each on its own line, without the empty ones."""
    lines = [Text(text, style) for text, style in parts if text]
    return Text("\n").join(lines)


def _grid(columns: int = 2) -> Table:
    """A table without lines, the last column as wide as it may be."""
    table = Table.grid(padding=(0, GAP, 0, 0), expand=False)
    for i in range(columns):
        table.add_column(no_wrap=i == 0, overflow="fold")
    return table


def documents(rows: Iterable[Any], lists: bool = True) -> list[dict[str, Any]]:
    """The rows as JSON takes them; without `lists`, as CSV does: lists as words."""
    found = [row.document() for row in rows]
    return found if lists else [{name: _words(value) for name, value in row.items()} for row in found]


def _words(value: Any) -> Any:
    return " ".join(map(str, value)) if isinstance(value, list) else value

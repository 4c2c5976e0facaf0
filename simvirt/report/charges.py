"""What a platform charges, as text: a table of costs with numbered sources, two platforms side by side, where a CPU-second goes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simvirt import units
from simvirt.catalog.cost_breakdown import Charge, Difference, Spent
from simvirt.catalog.sourced import number
from simvirt.catalog.sources import Constant, measured, settings

GAP = 2
BAR = 12  # columns of a full bar
NARROW = 76  # columns below which operations stand above their parts
WIDE = 96  # columns from which costs of several layers are also told in the terms of the catalogue
LONG = 12  # letters from which a platform's name is written on several lines


def platform(
    name: str, title: str, facts: Mapping[str, Any], rows: Sequence[Charge], sizes: Sequence[Constant], host: str, width: int
) -> RenderableType:
    """A platform: what it is, what each operation costs part by part, its sizes, and the sources by their numbers."""
    head = Text.assemble((name, "bold cyan"), f"  {title}")
    if not facts["stack"]:
        return Group(head, Text("no layer, no costs: what runs on it meets the bare machine"))
    numbers, several = _numbered([*(row.source for row in rows), *(row.source for row in sizes)]), len(facts["stack"]) > 1
    costs = Group(_costs(rows, numbers, several, width), _free(rows, numbers, several))
    tables = [_titled("costs " + host, costs), _titled("sizes and settings", _sizes(sizes, numbers))]
    return Group(head, _facts(facts), *tables, _sources(numbers))


def _titled(title: str, part: RenderableType) -> RenderableType:
    return Group(Text(title, "bold"), Padding(part, (0, 0, 1, 2)))


def _facts(facts: Mapping[str, Any]) -> RenderableType:
    """The layers of a platform, how they work, their devices."""
    table = _grid(2, folds=(1,))
    kinds = [*facts["technique"], *(f"type {number}" for number in facts["type"])]
    told = {
        "stack": " in ".join(reversed(facts["stack"])), "technique": ", ".join(kinds), "isolation": " and ".join(facts["isolation"]),
        "network": ", ".join(facts["net"]), "disk": ", ".join(facts["disk"]),
        "files": ", ".join(f"{name} (simvirt explain {name})" for name in facts["files"]),
        "set up": settings(facts), "numbers": measured(facts),
    }
    for label, value in told.items():
        if value:
            table.add_row(Text(label, "dim"), Text(value))
    return Padding(table, (0, 0, 1, 2))


def _costs(rows: Sequence[Charge], numbers: Mapping[str, int], several: bool, width: int) -> RenderableType:
    """The parts that cost something; an operation is named once. Layers are named where there are several."""
    narrow, given, labels = width < NARROW, width >= (WIDE if several else NARROW), 1 if width < NARROW else 2
    table, last = _grid(labels + 3, right=(labels,), folds=(labels + 1,)), ""
    for row in rows:
        if row.part:
            part = f"{row.part} ({row.layer})" if several else row.part
            cells = [_time(row.ns, row.estimated), _range(row.spread_ns, row.given if given else ""), _mark(numbers[row.source])]
            _add(table, row.operation, row.operation != last, part, cells, narrow)
            last = row.operation
    return table


def _add(table: Table, operation: str, new: bool, part: str, cells: Sequence[Text], narrow: bool) -> None:
    """A row under its operation, which stands beside it or, where a terminal is narrow, above it."""
    if narrow:
        if new:
            table.add_row(Text(operation, "bold"))
        table.add_row(Text(f"  {part}"), *cells)
    else:
        table.add_row(Text(operation if new else "", "bold"), Text(part), *cells)


def _free(rows: Sequence[Charge], numbers: Mapping[str, int], several: bool) -> RenderableType:
    """The operations that a layer charges nothing for, with the number of the reason."""
    free = [f"{row.operation}{f' ({row.layer})' if several else ''} [{numbers[row.source]}]" for row in rows if not row.part]
    return Text(f"nothing: {', '.join(free)}" if free else "", "dim")


def _sizes(rows: Sequence[Constant], numbers: Mapping[str, int]) -> RenderableType:
    """Memory, halt polling and the like."""
    table = _grid(5, right=(2,), folds=(3,))
    for row in rows:
        assert row.value is not None
        spread = "" if row.spread is None else f"{number(row.spread[0], row.unit)} to {number(row.spread[1], row.unit)}"
        value = Text(f"{'~ ' if row.estimated else ''}{number(row.value, row.unit)}")
        table.add_row(Text(row.layer, "bold"), Text(row.name), value, Text(spread, "dim"), _mark(numbers[row.source]))
    return table


def _numbered(sources: Iterable[str]) -> dict[str, int]:
    """Sources in the order in which they are first named."""
    return {source: i for i, source in enumerate(dict.fromkeys(sources), start=1)}


def _sources(numbers: Mapping[str, int]) -> RenderableType:
    """The numbered sources, and what the mark means."""
    table = _grid(2, right=(0,), folds=(1,))
    for source, i in numbers.items():
        table.add_row(_mark(i), Text(source))
    mark = Text("~ estimated: derived from mechanism or a sibling, not measured", "dim")
    return Group(Text("sources", "bold"), Padding(table, (0, 0, 0, 2)), mark)


def _mark(i: int) -> Text:
    return Text(f"[{i}]", "dim")


def _time(ns: float, estimated: bool = False) -> Text:
    return Text(f"{'~ ' if estimated else ''}{number(ns, 'ns')}")


def _range(spread: tuple[float, float] | None, given: str) -> Text:
    """From where to where a cost may lie, and in which terms the catalogue gives it."""
    told = "" if spread is None else f"{number(spread[0], 'ns')} to {number(spread[1], 'ns')}"
    return Text(f"{told}{f' ({given})' if given else ''}".strip(), "dim")


def against(names: tuple[str, str], rows: Sequence[Difference], host: str, width: int) -> RenderableType:
    """The costs of two platforms beside each other, and what the second has more."""
    narrow = width < NARROW + GAP
    header = ("operation", *(() if narrow else ("part",)), *map(_heading, names), "difference")
    figures = range(len(header) - 3, len(header))
    table, last = _grid(len(header), right=figures, header=header, folds=figures if narrow else ()), ""
    for row in rows:
        cells = [_or_none(row.ns), _or_none(row.against_ns), _signed(row.against_ns - row.ns)]
        _add(table, row.operation, row.operation != last, row.part, cells, narrow)
        last = row.operation
    return _titled(f"costs {host}, all layers", table)


def _heading(name: str) -> str:
    """A platform's name over a column, a long one in lines."""
    return name.replace("-", "-\n") if len(name) > LONG else name


def _or_none(ns: float) -> Text:
    return Text(number(ns, "ns")) if ns else Text("-", "dim")


def _signed(ns: float) -> Text:
    if abs(ns) < 1e-9:
        return Text("=", "dim")
    return Text(f"{'+' if ns > 0 else '-'}{number(abs(ns), 'ns')}", "red" if ns > 0 else "green")


BESIDES = "Packets, disk requests and wake-ups come on top, as often as a scenario makes them."
"""What is in no profile."""


def spending(profile: str, platforms: Sequence[Sequence[Spent]], host: str) -> RenderableType:
    """Where a second of CPU time goes: a table for one platform, columns beside each other for two."""
    table = _one(platforms[0]) if len(platforms) == 1 else _two(platforms)
    return _titled(f"a CPU-second of {profile} {host}", Group(table, Text(BESIDES, "dim")))


def _one(rows: Sequence[Spent]) -> RenderableType:
    table = _grid(5, right=(1, 2, 3), header=("", "share", "rate", "each", ""))
    for row in rows:
        rate, each = (units.format_rate(row.rate_per_s), number(row.ns, "ns")) if row.operation else ("", "")
        name = Text(row.operation or "application", "bold" if not row.operation else "")
        table.add_row(name, Text(_percent(row.share)), Text(rate), Text(each), Text("#" * round(BAR * row.share), "dim"))
    return table


def _two(platforms: Sequence[Sequence[Spent]]) -> RenderableType:
    """Shares of two platforms; operations in the order of the larger one."""
    shares = [{row.operation: row.share for row in rows} for rows in platforms]
    names = sorted({*shares[0], *shares[1]}, key=lambda name: (name != "", -max(share.get(name, 0.0) for share in shares)))
    table = _grid(4, right=(1, 2, 3), header=("", *(_heading(rows[0].platform) for rows in platforms), "points"))
    for name in names:
        one, two = (share.get(name, 0.0) for share in shares)
        style = "bold" if not name else ""
        table.add_row(Text(name or "application", style), Text(_percent(one)), Text(_percent(two)), Text(f"{100 * (two - one):+.2f}"))
    return table


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %" if share else "-"


def _grid(columns: int, right: Sequence[int] = (), header: Sequence[str] = (), folds: Sequence[int] = ()) -> Table:
    """A table without lines, whose columns stay whole except those that fold where a terminal is narrow."""
    table = Table(box=None, show_header=bool(header), show_edge=False, padding=(0, GAP, 0, 0), pad_edge=False, header_style="dim")
    for i in range(columns):
        justify: Literal["left", "right"] = "right" if i in right else "left"
        table.add_column(header[i] if header else "", no_wrap=i not in folds, overflow="fold", justify=justify)
    return table

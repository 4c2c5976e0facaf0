"""A result as text: platforms side by side, for terminals and files."""

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from simvirt.report.grid import GAP, LINES
from simvirt.report.sections import Cell, Section, heading, names, notes, sections, theory

STYLES = {"good": "green", "bad": "bold red", "quiet": "dim", "": ""}


def text(document: Mapping[str, Any], width: int = 100) -> str:
    """The report as plain text without colour, at most `width` columns wide where the platforms' names allow."""
    return printed(report(document, width), width)


def printed(renderable: RenderableType, width: int) -> str:
    """Something laid out as plain text without colour and without space at the ends of lines."""
    console = Console(file=io.StringIO(), width=width, color_system=None, legacy_windows=False)
    console.print(renderable, crop=False)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


def report(document: Mapping[str, Any], width: int) -> RenderableType:
    """Heading, tables of as many platforms as fit beside each other, theory and warnings."""
    found = sections(document)
    tables = [_table(found, names(document), block) for block in _blocks(found, names(document), width)]
    return Group(_heading(document), *tables, *_theory(document), *_notes(document))


def _heading(document: Mapping[str, Any]) -> RenderableType:
    name, how = heading(document)
    return Text.assemble("\n", (name, "bold"), "   ", (how, "dim"), overflow="fold")


# -- tables ---------------------------------------------------------------------------------------------------------------------


def _blocks(found: Sequence[Section], platforms: Sequence[str], width: int) -> Iterator[list[int]]:
    """Platforms (by position) that fit beside each other, at least one a block."""
    room = width - _label_width(found)
    block: list[int] = []
    used = 0
    for i, name in enumerate(platforms):
        wide = GAP + max([len(name), *(len(row.cells[i].text) for s in found for row in s.rows)])
        if block and used + wide > room:
            yield block
            block, used = [], 0
        block.append(i)
        used += wide
    if block:
        yield block


def _label_width(found: Sequence[Section]) -> int:
    """Columns that the first column takes."""
    return max([0, *(len(row.label) + 2 for s in found for row in s.rows), *(len(s.title) for s in found)])


def _table(found: Sequence[Section], platforms: Sequence[str], block: Sequence[int]) -> RenderableType:
    """All sections for one block of platforms."""
    table = Table(box=LINES, show_edge=False, pad_edge=False, padding=(0, 0, 0, GAP - 1), header_style="bold")
    table.add_column("", no_wrap=True, min_width=_label_width(found))
    for i in block:
        table.add_column(platforms[i], justify="right", no_wrap=False, overflow="fold")
    for k, section in enumerate(found):
        if k:
            table.add_row()
        table.add_row(Text(section.title, "bold cyan"))
        for row in section.rows:
            table.add_row("  " + row.label, *(_styled(row.cells[i]) for i in block))
    return Padding(table, (1, 0, 0, 0))


def _styled(cell: Cell) -> Text:
    return Text(cell.text, STYLES[cell.tone])


# -- below the tables -----------------------------------------------------------------------------------------------------------


def _theory(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Theory beside simulation."""
    for title, sentence in theory(document):
        yield Padding(Group(Text(f"Theory: {title}", "bold cyan"), Padding(Text(sentence), (0, 0, 0, 2))), (1, 0, 0, 0))


def _notes(document: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Warnings, each from its own line on."""
    for note in notes(document):
        yield Padding(Text.assemble(("warning: ", "bold yellow"), note), (1, 0, 0, 0))

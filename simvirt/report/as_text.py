"""A report as text, for terminals and files."""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from simvirt.report import grid
from simvirt.report.bars import bar
from simvirt.report.blocks import SCREEN, Block, Cell, Curve, Notes, Points, Prose, Report, Table, Title, Tone

HEAD: Final = "bold cyan"
STYLES: Final[Mapping[Tone, str]] = {
    "good": "green", "bad": "bold red", "off": "bold red", "quiet": "dim", "group": HEAD, "lead": "bold", "": "",
}
INDENT: Final = 2
LABEL: Final = 16
LABELS: Final = 5
"""Columns that labels of rows under groups may take: those of our own words, or a fifth of the width; longer ones go on below."""


def render(report: Report, width: int = 100) -> str:
    """The report as plain text without colour, at most `width` columns wide where names allow."""
    return printed(laid_out(report, width), width)


def printed(renderable: RenderableType, width: int) -> str:
    """Something laid out as plain text without colour and without space at the ends of lines."""
    out = io.StringIO()
    Console(file=out, width=width, color_system=None, legacy_windows=False).print(renderable, crop=False)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()).strip("\n") + "\n"


def laid_out(report: Report, width: int) -> RenderableType:
    """The blocks below each other; those under a title of the third level are indented."""
    return Group(*_below(report.on(SCREEN), width))


def _below(blocks: Iterable[Block], width: int) -> Iterator[RenderableType]:
    """Each block with the space above it and to its left."""
    level, first = 1, False
    for block in blocks:
        indent = INDENT if level == 3 else 0
        if isinstance(block, Title):
            level, first = block.level, block.level > 1
            yield from _title(block)
        elif isinstance(block, Table):
            made = _table(block, width - indent)
            yield from ([] if first else [Text("")])
            yield Padding(made, (0, 0, 0, indent)) if indent else made
        else:
            yield from (Padding(part, (0, 0, 0, indent)) for part in _other(block, width))


def _title(block: Title) -> Iterator[RenderableType]:
    """A title with what it is about: beside it, or below where that takes several lines."""
    if block.level == 2:
        yield Padding(Text(block.text, HEAD), (1, 0, 0, 0))
    elif block.level == 3:
        note = (f"  ({block.note})" if block.note else "", "dim")
        yield Padding(Text.assemble((block.text, "bold"), *(f"  {about}" for about in block.about), note), (1, 0, 0, INDENT))
    elif len(block.about) == 1:
        yield Text.assemble("\n", (block.text, "bold"), "   ", (block.about[0], "dim"), overflow="fold")
    else:
        yield from (Text.assemble("\n", (block.text, "bold")), *(Text(line, "dim") for line in block.about))


def _table(block: Table, width: int) -> RenderableType:
    """A table; where rows are grouped, an empty line before each group and its rows indented."""
    rows = [[_styled(cell) for cell in row] for row in block.rows]
    if any(row[0].tone == "group" for row in block.rows):
        most = max(LABEL, width // LABELS)
        rows = [styled for i, row in enumerate(block.rows) for styled in _grouped(row, i == 0, most)]
    return grid.table(block.head, rows, width, names=block.names, left=block.words, prose=block.prose, folds=block.folds)


def _grouped(row: tuple[Cell, ...], first: bool, most: int) -> Iterator[list[Text]]:
    """A row of a table with groups, its label in at most so many columns."""
    label, *others = map(_styled, row)
    if row[0].tone != "group":
        yield [Text(grid.hanging(" " * INDENT + row[0].text, most), label.style), *others]
        return
    if not first:
        yield [Text("")] * len(row)
    yield [label, *others]


def _styled(cell: Cell) -> Text:
    return Text(cell.text, STYLES[cell.tone])


def _other(block: Block, width: int) -> Iterator[RenderableType]:
    """What is no title and no table."""
    match block:
        case Prose(text=text, label="", tone=tone):
            yield Text(text, STYLES[tone])
        case Prose(text=text, label=label, tone=tone):
            yield Padding(Group(Text(label, HEAD), Padding(Text(text, STYLES[tone]), (0, 0, 0, INDENT))), (1, 0, 0, 0))
        case Points(items=items):
            yield Padding(_listed(items), (0, 0, 0, INDENT))
        case Notes(texts=texts):
            yield from (Padding(Text.assemble(("warning: ", "bold yellow"), text), (1, 0, 0, 0)) for text in texts)
        case Curve():
            yield Padding(_bars(block, width - INDENT), (0, 0, 0, INDENT))


def _listed(items: Iterable[tuple[str, str]]) -> RenderableType:
    """Names with a sentence each, which may wrap."""
    made = RichTable.grid(padding=(0, grid.GAP, 0, 0))
    made.add_column(no_wrap=True)
    made.add_column(overflow="fold")
    for name, sentence in items:
        made.add_row(Text(name), Text(sentence))
    return made


def _bars(block: Curve, width: int) -> RenderableType:
    """A curve: numbers to the right, bars and verdicts to the left; columns that do not fit are left out, the last ones first."""
    rows = [(name, bar(ratio), *more) for name, ratio, more in block.points]
    wide = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(wide) - 1
    kept = [*next(grid.blocks(wide[:-1], width - wide[-1] - grid.GAP, 2)), last]
    made = RichTable.grid(padding=(0, grid.GAP, 0, 0))
    for i in kept:
        made.add_column(justify="left" if i in (1, last) else "right", no_wrap=True)
    for row in rows:
        made.add_row(*(Text(row[i]) for i in kept))
    return made

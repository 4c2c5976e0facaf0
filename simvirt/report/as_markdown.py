"""A report as GitHub's Markdown, for issues and notebooks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from simvirt.report.bars import bar
from simvirt.report.blocks import PAGE, Block, Cell, Curve, Notes, Points, Prose, Report, Table, Title


def render(report: Report, width: int = 0) -> str:
    """The report, whatever the width."""
    return page(report.on(PAGE))


def page(blocks: Iterable[Block]) -> str:
    """Blocks, each set apart by an empty line."""
    return "\n\n".join(part for block in blocks for part in parts(block)) + "\n"


def parts(block: Block) -> Iterator[str]:
    """The paragraphs of a block."""
    match block:
        case Title():
            yield from _title(block)
        case Table():
            yield _grid(block.head, [[_cell(cell) for cell in row] for row in block.rows], block.figures)
        case Prose():
            yield _prose(block)
        case Points():
            yield "\n".join(f"* **{escape(name)}**: {escape(text)}" for name, text in block.items)
        case Notes():
            yield "\n".join(f"> **warning:** {escape(text)}" for text in block.texts)
        case Curve():
            yield _grid(block.head, [[escape(name), bar(ratio), *map(escape, more)] for name, ratio, more in block.points])


def _title(block: Title) -> Iterator[str]:
    """A title, and paragraphs or the rest of the line that say what it is about."""
    mark = "#" * block.level
    if block.level > 1:
        yield f"{mark} {': '.join(map(escape, (block.text, *block.about)))}"
    else:
        yield from (f"{mark} {escape(block.text)}", *map(escape, block.about))


def _prose(block: Prose) -> str:
    """A paragraph after its label; what a report begins with in bold."""
    if block.tone == "lead":
        return f"**{escape(block.text)}**"
    return (f"**{escape(block.label)}.** " if block.label else "") + escape(block.text)


def _cell(cell: Cell) -> str:
    """A cell; what must be seen, and the head of a group, in bold."""
    return f"**{escape(cell.text)}**" if cell.tone in ("bad", "group") else escape(cell.text)


def _grid(head: Sequence[str], rows: Iterable[Sequence[str]], right: bool = True) -> str:
    return "\n".join(table([escape(name) for name in head], rows, right))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: bool = True) -> Iterator[str]:
    """Lines of a table, the first column to the left, the others to the right by default."""
    yield line(head)
    yield "|---|" + ("---:|" if right else "---|") * (len(head) - 1)
    yield from (line(row) for row in rows)


def line(cells: Iterable[str]) -> str:
    """One line of a table."""
    return "| " + " | ".join(" ".join(cell.split()) for cell in cells) + " |"


def escape(text: str) -> str:
    """Text in which no character means more than itself."""
    for mark in ("\\", "|", "*", "_", "`", "<", "["):
        text = text.replace(mark, "\\" + mark)
    return text


def rows_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Flat rows as a table, columns as first seen."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not columns:
        return ""
    cells = ([escape("" if row.get(c) is None else str(row[c])) for c in columns] for row in rows)
    return _grid(columns, cells, right=False) + "\n"

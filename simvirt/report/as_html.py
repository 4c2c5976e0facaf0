"""A report as HTML, for notebooks: plain tables and paragraphs, every character of the data escaped, nothing loaded from elsewhere."""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from simvirt.report.bars import bar
from simvirt.report.blocks import PAGE, Block, Cell, Curve, Notes, Points, Prose, Report, Table, Title

RIGHT: Final = ' style="text-align:right"'


def render(report: Report, width: int = 0) -> str:
    """The report, whatever the width."""
    return "<div>\n" + "\n".join(part for block in report.on(PAGE) for part in parts(block)) + "\n</div>\n"


def parts(block: Block) -> Iterator[str]:
    """The elements of a block."""
    match block:
        case Title():
            yield f"<h{block.level + 2}>{escape(block.text)}</h{block.level + 2}>"
            yield from (f"<p>{escape(about)}</p>" for about in block.about)
        case Table():
            yield _table(block.head, block.rows, set(block.words) if block.figures else set(range(len(block.head))))
        case Prose():
            text = f"<strong>{escape(block.text)}</strong>" if block.tone == "lead" else escape(block.text)
            yield f"<p>{f'<strong>{escape(block.label)}.</strong> ' if block.label else ''}{text}</p>"
        case Points():
            yield f"<ul>{''.join(f'<li><strong>{escape(name)}</strong>: {escape(text)}</li>' for name, text in block.items)}</ul>"
        case Notes():
            yield from (f"<p><strong>warning:</strong> {escape(text)}</p>" for text in block.texts)
        case Curve():
            rows = [(Cell(name), Cell(bar(ratio)), *map(Cell, more)) for name, ratio, more in block.points]
            yield _table(block.head, rows, {1})


def _table(head: Iterable[str], rows: Iterable[Iterable[Cell]], left: set[int]) -> str:
    """A table; figures are to the right."""
    top = "".join(f"<th{'' if i in left else RIGHT}>{escape(name)}</th>" if name else "<td></td>" for i, name in enumerate(head))
    body = "\n".join(f"<tr>{''.join(_cell(cell, i in left) for i, cell in enumerate(row))}</tr>" for row in rows)
    return f"<table>\n<thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _cell(cell: Cell, left: bool) -> str:
    """A cell; what must be seen, and the head of a group, in bold."""
    text = f"<strong>{escape(cell.text)}</strong>" if cell.tone in ("bad", "group") else escape(cell.text)
    return f"<td{'' if left else RIGHT}>{text}</td>"

"""Tables that never break a word or part a number from its unit: where columns do not fit beside each other, the rest stands below.

*Model*: the first columns name a row and are repeated in each part; one column may be prose, which wraps between words.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from textwrap import wrap

from rich.box import Box
from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

LINES = Box("    \n    \n ── \n    \n    \n    \n    \n    \n")
GAP = 2  # columns between cells, of which the box draws one
PROSE = 32  # columns that prose is not narrower than, where there is room at all

Cells = Sequence[Text]


def table(
    head: Sequence[str], rows: Sequence[Cells], width: int, *, names: int = 1, left: Sequence[int] = (0,), prose: int | None = None,
    folds: bool = False,
) -> RenderableType:
    """A table at most `width` columns wide: its first `names` columns in every part, those in `left` to the left.

    A part whose one column beside the names does not fit stands out beyond the width, or is broken with `folds`.
    """
    wide, least = widths(head, rows, prose), widths(head, rows, prose, 1)
    parts = []
    for columns in blocks(wide, width, names):
        part = _part(head, rows, columns, left, range(names, len(head)) if folds else (prose,))
        needed = sum(least[i] + GAP for i in columns) - GAP
        part.width = needed if needed > width and not folds else None  # beyond the edge rather than cut
        parts.append(part)
    spaced = [piece for part in parts for piece in (Text(""), part)]
    return Group(*spaced[1:])


def widths(head: Sequence[str], rows: Sequence[Cells], prose: int | None = None, read: int = PROSE) -> list[int]:
    """Columns that each column takes; of prose as many as `read` and its longest word need."""
    found = [max([len(title), *(_widest(row[i]) for row in rows)]) for i, title in enumerate(head)]
    if prose is not None:
        words = [len(word) for row in rows for word in [head[prose], *row[prose].plain.split()]]
        found[prose] = min(found[prose], max([read, *words]))
    return found


def _widest(cell: Text) -> int:
    """Columns that the widest line of a cell takes."""
    return max(map(cell_len, cell.plain.split("\n")))


def hanging(label: str, most: int) -> str:
    """A label in lines of at most so many columns, broken between words where it can be; further lines stand a little to the right."""
    if cell_len(label) <= most:
        return label
    start = " " * (len(label) - len(label.lstrip()))
    return "\n".join(wrap(label.strip(), most, initial_indent=start, subsequent_indent=f"{start}  ")) or label


def blocks(wide: Sequence[int], room: int, names: int) -> Iterator[list[int]]:
    """Columns by their places that fit beside each other, the first `names` in each block and at least one more; empty ones nowhere."""
    first = list(range(names))
    block, used = list(first), sum(wide[i] + GAP for i in first) - GAP
    start = used
    for i in (i for i in range(names, len(wide)) if wide[i]):
        if len(block) > names and used + GAP + wide[i] > room:
            yield block
            block, used = list(first), start
        block.append(i)
        used += GAP + wide[i]
    yield block


def _part(
    head: Sequence[str], rows: Sequence[Cells], columns: Sequence[int], left: Sequence[int], wrapped: Container[int | None]
) -> Table:
    """One part of a table."""
    made = Table(box=LINES, show_edge=False, pad_edge=False, padding=(0, GAP - 1, 0, 0), header_style="bold")
    for i in columns:
        made.add_column(head[i], justify="left" if i in left else "right", no_wrap=i not in wrapped, overflow="fold")
    for row in rows:
        made.add_row(*(row[i] for i in columns))
    return made

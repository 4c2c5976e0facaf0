"""A result as Markdown: the text report's content, for issues and notebooks."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from simvirt.report.sections import Cell, heading, names, notes, sections, theory


def markdown(document: Mapping[str, Any]) -> str:
    """The report as GitHub's Markdown."""
    name, how = heading(document)
    parts = [f"# {escape(name)}", escape(how), "\n".join(_table(document)), *_below(document)]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: bool = True) -> Iterator[str]:
    """Lines of a table, the first column to the left, the others to the right unless told."""
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


def _table(document: Mapping[str, Any]) -> Iterator[str]:
    """All sections in one table, their titles in bold."""
    columns = names(document)
    rows: list[list[str]] = []
    for section in sections(document):
        rows.append([f"**{escape(section.title)}**", *("" for _ in columns)])
        rows += [[escape(row.label), *(_cell(cell) for cell in row.cells)] for row in section.rows]
    return table(["", *(escape(c) for c in columns)], rows)


def _cell(cell: Cell) -> str:
    return f"**{escape(cell.text)}**" if cell.tone == "bad" else escape(cell.text)


def _below(document: Mapping[str, Any]) -> Iterator[str]:
    """Theory beside simulation, and the warnings."""
    for title, sentence in theory(document):
        yield f"**Theory: {escape(title)}.** {escape(sentence)}"
    said = notes(document)
    if said:
        yield "\n".join(f"> **warning:** {escape(note)}" for note in said)


def rows_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Flat rows as a table, columns as first seen."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    if not columns:
        return ""
    cells = ([escape("" if row.get(c) is None else str(row[c])) for c in columns] for row in rows)
    return "\n".join(table([escape(c) for c in columns], cells, right=False)) + "\n"

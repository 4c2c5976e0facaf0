"""What a report is made of: a title, tables, prose, curves, and the flat rows behind them; every form renders these and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from simvirt.result.document import Document

Tone = Literal["", "good", "bad", "off", "quiet", "group", "lead"]
"""`bad` must be seen in every form, `off` is far from what it should be, `quiet` steps back, `group` begins a group of rows, `lead` a
report."""
Where = Literal["", "screen", "page"]
"""The only forms for which a block is meant: those that fill a screen, or pages that are kept; all by default."""
SCREEN: Final[Where] = "screen"
PAGE: Final[Where] = "page"


@dataclass(frozen=True, slots=True)
class Cell:
    """Text with a tone."""

    text: str
    tone: Tone = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A part of a report."""

    where: Where = ""


@dataclass(frozen=True, slots=True)
class Title(Block):
    """A title of the report (level 1), of a section (2) or of one of its parts (3), and what it is about."""

    text: str
    about: tuple[str, ...] = ()
    level: int = 2
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table(Block):
    """Rows under a head; the columns in `words` are to the left, the first `names` of them name a row, one may be `prose`.

    With `folds`, cells that are wider than the form are broken. Without `figures`, a page sets all columns to the left.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: tuple[int, ...] = (0,)
    names: int = 1
    prose: int | None = None
    folds: bool = False
    figures: bool = True


@dataclass(frozen=True, slots=True)
class Prose(Block):
    """A paragraph, under a label if it has one."""

    text: str
    label: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Points(Block):
    """Names, each with a sentence."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Notes(Block):
    """Warnings."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Curve(Block):
    """Points from left to right: what each is, a value over its limit, cells that say more."""

    head: tuple[str, ...]
    points: tuple[tuple[str, float, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Data(Block):
    """Flat rows for programs: columns of `first` before all others."""

    rows: tuple[Mapping[str, Any], ...]
    first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A document and the blocks that say it."""

    document: Document
    blocks: tuple[Block, ...]

    def on(self, where: Where) -> Iterator[Block]:
        """The blocks for one kind of form."""
        return (block for block in self.blocks if block.where in ("", where))


def cells(*values: Any) -> tuple[Cell, ...]:
    """A row of values, those that are cells as they are."""
    return tuple(value if isinstance(value, Cell) else Cell(str(value)) for value in values)


def titled(title: str, table: Table) -> Iterator[Block]:
    """A table under its title; neither where it has no rows."""
    if table.rows:
        yield from (Title(title), table)


def assumed(assumptions: Sequence[str]) -> Iterator[Block]:
    """What was assumed, where something was."""
    if assumptions:
        yield Prose("; ".join(assumptions), "Assumed", "quiet")


def notes(interrupted: str, warnings: Sequence[str]) -> Iterator[Block]:
    """The warnings, and first, unless it is empty, that something was interrupted."""
    if texts := (*([f"interrupted: only {interrupted}"] if interrupted else []), *warnings):
        yield Notes(texts)

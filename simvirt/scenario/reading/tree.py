"""A scenario as written: scalars, lists and tables (YAML's mappings), each with its place. Trees are never changed, only rebuilt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Callable, Mapping

Path = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""


@dataclass(frozen=True, slots=True)
class Place:
    """A file (or an option, as `--set run.seed`) with line and column from 1, as far as known."""

    file: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, number, truth value or nothing; `text` is how it was written."""

    place: Place
    value: str | int | float | bool | None
    text: str
    tag: str | None = None  # of those that the reader was asked to keep, as `!reset`; so with lists and tables


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    place: Place
    items: tuple[Node, ...]
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's place, and its value."""

    place: Place
    node: Node


@dataclass(frozen=True, slots=True)
class Table:
    """Entries by key; keys are texts."""

    place: Place
    entries: Mapping[str, Entry]
    tag: str | None = None

    def with_entry(self, key: str, entry: Entry) -> Table:
        """The mapping with one entry set."""
        return replace(self, entries={**self.entries, key: entry})

    def without(self, *keys: str) -> Table:
        """The mapping without some keys."""
        return replace(self, entries={key: entry for key, entry in self.entries.items() if key not in keys})


Node = Scalar | Sequence | Table


def plain(node: Node, rewrite: Callable[[Path, Scalar], Any], path: Path = ()) -> Any:
    """A tree as plain dicts, lists and scalars; `rewrite` gives the value of each scalar."""
    if isinstance(node, Table):
        return {key: plain(entry.node, rewrite, (*path, key)) for key, entry in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item, rewrite, (*path, index)) for index, item in enumerate(node.items)]
    return rewrite(path, node)


@dataclass(frozen=True, slots=True)
class Found:
    """How far a path leads: the steps taken, the node reached, where its key stands, and whether all of the path was followed."""

    path: Path
    node: Node
    key_place: Place
    complete: bool


def find(root: Node, path: Path) -> Found:
    """Follows `path` as far as it leads.

    An index into what is no list is passed over, since a branch of one step may stand without its list; so is the one
    key of a shorthand.
    """
    node, taken, place, complete = root, [], root.place, True
    for part in path:
        step = _step(node, part)
        if step is None:
            complete = isinstance(part, int) and complete
            if not complete:
                break
            continue
        node, place = step
        taken.append(part)
    return Found(tuple(taken), node, place, complete)


def _step(node: Node, part: str | int) -> tuple[Node, Place] | None:
    """The child of a node with the place of its key; None where there is none."""
    if isinstance(node, Table) and str(part) in node.entries:
        entry = node.entries[str(part)]
        return entry.node, entry.place
    if isinstance(node, Sequence) and isinstance(part, int) and 0 <= part < len(node.items):
        return node.items[part], node.items[part].place
    return None


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the values of a scenario were written; says nothing of a scenario that was not read from a text."""

    root: Node | None = field(default=None, compare=False)

    def place(self, path: Path, of_key: bool = False) -> Place | None:
        """Where the value at `path` stands: a scalar itself, else its key; `of_key` asks for the key. If missing, what is around it."""
        if self.root is None:
            return None
        found = find(self.root, path)
        return found.node.place if isinstance(found.node, Scalar) and not of_key else found.key_place

    def locate(self, path: Path) -> tuple[str | None, int | None, int | None]:
        """File, line and column of the value at `path`."""
        place = self.place(path)
        return (None, None, None) if place is None else (place.file, place.line, place.column)


def dotted(path: Path) -> str:
    """A path as messages show it: `services.web.threads`."""
    return ".".join(str(part) for part in path)

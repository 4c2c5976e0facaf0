"""YAML to a tree with marks: no Python objects, no duplicate keys, bounds on size, depth and aliases.

Works on the events of the C parser (the Python one where it is missing), one by one and without recursion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from simvirt.errors import Issue, ScenarioError
from simvirt.scenario.bounds import MOST_DEPTH, MOST_NODES
from simvirt.scenario.reading.files import NoText, check_printable, read_text
from simvirt.scenario.reading.scalars import scalar
from simvirt.scenario.reading.tree import Entry, Node, Place, Scalar, Sequence, Table

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAGS: Final = frozenset({None, "!", *(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq"))})
_TEXT: Final = "tag:yaml.org,2002:str"


class Unreadable(Exception):
    """The text cannot be read any further; `issue` says why."""

    def __init__(self, place: Place, message: str) -> None:
        self.issue = Issue(place.file, place.line, place.column, "", message)
        super().__init__(message)


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is being read; `size` counts the values in it."""

    place: Place
    anchor: str | None
    is_table: bool
    items: list[Node] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    merged: list[Table] = field(default_factory=list)
    key: tuple[str, Place] | None = None
    size: int = 1
    tag: str | None = None


class _Builder:
    """Puts a tree together from events."""

    def __init__(self, file: str, keep: frozenset[str] = frozenset(), several: bool = False) -> None:
        self.file = file
        self.before: list[Node] = []
        self._keep = keep
        self._several = several
        self.issues: list[Issue] = []
        self.root: Node | None = None
        self._open: list[_Frame] = []
        self._anchors: dict[str, tuple[Node, int] | None] = {}
        self._documents = 0
        self._size = 0

    def take(self, event: Any) -> None:
        """One event of the parser."""
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._start(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._end()
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent():
                self._document(event)
            case _:
                pass

    def _place(self, event: Any) -> Place:
        return Place(self.file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _tell(self, place: Place, message: str, *path: str) -> None:
        around = (frame.key[0] if frame.key else "" if frame.is_table else str(len(frame.items)) for frame in self._open)
        whole = ".".join(part for part in (*around, *path) if part)
        self.issues.append(Issue(place.file, place.line, place.column, whole, message))

    def _document(self, event: Any) -> None:
        self._documents += 1
        if self._several:
            self.before += [self.root] if self.root is not None else []
            self.root, self._anchors = None, {}
        elif self._documents > 1:
            raise Unreadable(self._place(event), "expected one YAML document in a file; got a second one")

    def _scalar(self, event: Any) -> None:
        place = self._place(event)
        tag = self._tag(event, place)
        plain = event.style is None or event.style == ""
        node = Scalar(place, scalar(event.value) if plain and event.tag != _TEXT else event.value, event.value, tag)
        self._remember(event.anchor, node, 1)
        self._put(node, 1)

    def _start(self, event: Any) -> None:
        place = self._place(event)
        tag = self._tag(event, place)
        if len(self._open) >= MOST_DEPTH:
            raise Unreadable(place, f"expected at most {MOST_DEPTH} nested lists and mappings")
        frame = self._open[-1] if self._open else None
        if frame is not None and frame.is_table and frame.key is None:
            raise Unreadable(place, "expected a name as key; got a list or mapping (are quotes missing around a text?)")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._open.append(_Frame(place, event.anchor, isinstance(event, yaml.MappingStartEvent), tag=tag))

    def _end(self) -> None:
        frame = self._open.pop()
        node: Node = Sequence(frame.place, tuple(frame.items), frame.tag)
        if frame.is_table:
            node = Table(frame.place, _merged(frame), frame.tag)
        self._remember(frame.anchor, node, frame.size)
        self._put(node, frame.size, counted=frame.size - 1)

    def _alias(self, event: Any) -> None:
        place = self._place(event)
        if event.anchor not in self._anchors:
            raise Unreadable(place, f'unknown alias "*{event.anchor}"; expected an anchor "&{event.anchor}" before it')
        target = self._anchors[event.anchor]
        if target is None:
            raise Unreadable(place, f'"*{event.anchor}" is inside the value that it repeats')
        self._put(target[0], target[1], place=place)

    def _remember(self, anchor: str | None, node: Node, size: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (node, size)

    def _tag(self, event: Any, place: Place) -> str | None:
        """A tag that is kept; tells of one that is not understood."""
        if event.tag in self._keep:
            return str(event.tag)
        if event.tag not in _TAGS:
            shown = event.tag.replace("tag:yaml.org,2002:", "!!")[:60]
            self._tell(place, f'expected plain data; got the tag "{shown}", which is not understood here')
        return None

    def _put(self, node: Node, size: int, counted: int = 0, place: Place | None = None) -> None:
        """Hands a finished node to the list or mapping around it; `counted` of its values have been counted before."""
        self._size += size - counted
        if self._size > MOST_NODES:
            raise Unreadable(place or node.place, f"expected at most {MOST_NODES} values in a file, those that aliases repeat included")
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        frame.size += size
        if not frame.is_table:
            frame.items.append(node)
        elif frame.key is None:
            self._take_key(frame, node, place)
        else:
            self._take_value(frame, *frame.key, node)

    def _take_key(self, frame: _Frame, node: Node, place: Place | None) -> None:
        if not isinstance(node, Scalar):
            raise Unreadable(place or node.place, "expected a name as key; got a list or mapping")
        if len(node.text) > 1000:
            raise Unreadable(node.place, "expected a key of at most 1000 characters")
        frame.key = (node.text, place or node.place)

    def _take_value(self, frame: _Frame, key: str, place: Place, node: Node) -> None:
        frame.key = None
        if key == "<<":
            self._merge(frame, node)
        elif key in frame.entries:
            before = frame.entries[key].place.line
            self._tell(place, f"duplicate key; it is already given in line {before}", key)
        else:
            frame.entries[key] = Entry(place, node)

    def _merge(self, frame: _Frame, node: Node) -> None:
        """`<<: *base` and `<<: [*a, *b]`."""
        for table in node.items if isinstance(node, Sequence) else (node,):
            if isinstance(table, Table):
                frame.merged.append(table)
            else:
                self._tell(table.place, 'expected a mapping to merge, for example "<<: *base"', "<<")


def _merged(frame: _Frame) -> dict[str, Entry]:
    """The entries of a mapping with those merged into it; its own win, then the first merged."""
    if not frame.merged:
        return frame.entries
    return {key: entry for entries in (*(t.entries for t in reversed(frame.merged)), frame.entries) for key, entry in entries.items()}


def read(text: str, file: str, keep: frozenset[str] = frozenset()) -> tuple[Node | None, list[Issue]]:
    """The tree of a YAML text and what is wrong with it; no tree where it is empty or cannot be read. Tags to `keep` stay."""
    builder = _Builder(file, keep)
    issues = _fed(text, builder)
    return (builder.root if issues is builder.issues else None), issues


def _fed(text: str, builder: _Builder) -> list[Issue]:
    """Hands a text to a builder; the builder's own issues where it could be read to its end, else those and what ended it."""
    try:
        check_printable(text)
        _feed(text, builder)
    except NoText as error:
        return [Issue(builder.file, error.line, error.column, "", str(error))]
    except Unreadable as error:
        return [*builder.issues, error.issue]
    except yaml.YAMLError as error:
        return [*builder.issues, _syntax(error, builder.file)]
    return builder.issues


def read_documents(text: str, file: str) -> tuple[list[Node], list[Issue]]:
    """The trees of all documents of a YAML text, without empty ones, and what is wrong with it."""
    builder = _Builder(file, several=True)
    issues = _fed(text, builder)
    return [*builder.before, *([builder.root] if builder.root is not None else [])], issues


def _feed(text: str, builder: _Builder) -> None:
    loader = _LOADER(text)
    try:
        while loader.check_event():
            builder.take(loader.get_event())
    finally:
        loader.dispose()


def read_file(name: str, keep: frozenset[str] = frozenset()) -> Node | None:
    """The tree of a file on its own, None of an empty one; ScenarioError where it cannot be read."""
    try:
        root, issues = read(read_text(name), name, keep)
    except NoText as error:
        raise ScenarioError([Issue(name, error.line, error.column, "", str(error))]) from None
    if issues:
        raise ScenarioError(issues)
    return root


_SENTENCES: Final = (
    ("maximum nesting depth", f"expected at most {MOST_DEPTH} nested lists and mappings"),
    ("cannot start any token", "this character cannot start a value; a text with it needs quotes, and a tab cannot indent"),
    ("mapping values are not allowed", 'a ":" is not expected here; a text with ": " needs quotes, and each key its own line'),
    ("could not find expected ':'", 'expected ":" after a key'),
    ("did not find expected ',' or '}'", 'expected "," or "}" in a mapping in braces'),
    ("did not find expected ',' or ']'", 'expected "," or "]" in a list in brackets'),
    ("expected ',' or '}'", 'expected "," or "}" in a mapping in braces'),
    ("expected ',' or ']'", 'expected "," or "]" in a list in brackets'),
    ("did not find expected key", "expected a key here; the indentation does not fit the lines above"),
    ("did not find expected '-' indicator", 'expected "- " here; the indentation does not fit the lines above'),
    ("expected <block end>", "the indentation does not fit the lines above"),
    ("found unexpected end of stream", "a quoted text does not end"),
    ("duplicate anchor", "this anchor is given twice"),
)
"""What YAML parsers say -> what is meant."""


def _syntax(error: yaml.YAMLError, file: str) -> Issue:
    """A complaint of the parser in the words of the other messages."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read")
    told = next((sentence for pattern, sentence in _SENTENCES if pattern in problem), problem)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return Issue(file, line, column, "", f"not YAML: {told}")

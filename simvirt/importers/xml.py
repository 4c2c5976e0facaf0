"""XML with the line of each element, read safely: no document type, so that no entity grows and no file outside is asked for.

*Source*: Python documentation, XML vulnerabilities (billion laughs, external entities): all of them need a document type declaration.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from xml.parsers.expat import ExpatError, ParserCreate

from simvirt.errors import Issue, ScenarioError
from simvirt.scenario.reading.files import NoText, read_text
from simvirt.scenario.reading.tree import Place

MOST_DEPTH: Final = 100
MOST_ELEMENTS: Final = 500_000


@dataclass(slots=True)
class Element:
    """An element: its name, attributes, text, elements in it, and where it begins."""

    tag: str
    attributes: dict[str, str]
    place: Place
    text: str = ""
    inside: list[Element] = field(default_factory=list)

    def each(self, *path: str) -> Iterator[Element]:
        """The elements at a path below."""
        for one in self.inside:
            if one.tag == path[0]:
                yield from one.each(*path[1:]) if path[1:] else (one,)

    def first(self, *path: str) -> Element | None:
        """The first element at a path below."""
        return next(self.each(*path), None)

    def said(self, *path: str, of: str | None = None) -> str:
        """The text of the first element at a path, or an attribute `of` it; empty where there is none."""
        found = self.first(*path)
        return "" if found is None else (found.text.strip() if of is None else found.attributes.get(of, ""))

    def wrong(self, message: str) -> ScenarioError:
        """A mistake here."""
        return ScenarioError([Issue(self.place.file, self.place.line, self.place.column, self.tag, message)])


def read_xml(file: str) -> Element:
    """The root of a file; ScenarioError where it is no XML, or has a document type."""
    try:
        text = read_text(file)
    except NoText as error:
        raise ScenarioError([Issue(file, error.line, error.column, "", str(error))]) from None
    reader = _Reader(file)
    try:
        reader.parser.Parse(text.encode("utf-8"), True)
    except (ExpatError, ValueError) as error:
        line, column = getattr(error, "lineno", None), getattr(error, "offset", None)
        raise ScenarioError([Issue(file, line, None if column is None else column + 1, "", f"expected XML; {error}")]) from None
    assert reader.root is not None
    return reader.root


class _Reader:
    """Builds the tree."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.root: Element | None = None
        self.open: list[Element] = []
        self.count = 0
        self.parser = ParserCreate("utf-8")
        self.parser.StartDoctypeDeclHandler = self.refuse_type
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.words

    def place(self) -> Place:
        return Place(self.file, self.parser.CurrentLineNumber, self.parser.CurrentColumnNumber + 1)

    def refuse(self, message: str) -> ScenarioError:
        place = self.place()
        return ScenarioError([Issue(place.file, place.line, place.column, "", message)])

    def refuse_type(self, *_: Any) -> None:
        raise self.refuse("expected XML without a document type, which may name other files; delete the line <!DOCTYPE ...>")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if len(self.open) >= MOST_DEPTH or self.count > MOST_ELEMENTS:
            raise self.refuse(f"expected at most {MOST_DEPTH} levels and {MOST_ELEMENTS} elements")
        element = Element(tag, attributes, self.place())
        if self.open:
            self.open[-1].inside.append(element)
        else:
            self.root = element
        self.open.append(element)

    def end(self, _: str) -> None:
        self.open.pop()

    def words(self, text: str) -> None:
        if self.open:
            self.open[-1].text += text

"""Puts a scenario together from its file and those that it includes; the including file lies over the included ones."""

from __future__ import annotations

import os
from typing import Any, Callable, Final, Iterable, Mapping

from simvirt.errors import Issue
from simvirt.scenario.bounds import MOST_FILES
from simvirt.scenario.reading.files import NoText, beside, read_text
from simvirt.scenario.reading.overlay import overlay
from simvirt.scenario.reading.reader import read
from simvirt.scenario.reading.tree import Node, Path, Place, Scalar, Sequence, Table
from simvirt.units import shown

SCENARIO_KEYS: Final = frozenset({
    "simvirt", "name", "host", "hosts", "platforms", "services", "workload", "workloads", "objective", "run", "tenants", "density",
    "timeline", "plan", "catalog", "include",
})
"""Keys of which a file that is included has at least one."""


class Assembly:
    """Reads files, follows their includes and keeps what is wrong with them."""

    def __init__(
        self, names: Callable[[Mapping[str, Any]], Iterable[tuple[Path, str]]] | None = None, files: list[str] | None = None
    ) -> None:
        self.names = names
        self.issues: list[Issue] = []
        self.files: list[str] = files or []

    def file(self, path: str, chain: tuple[str, ...] = (), asked: Place | None = None) -> Node | None:
        """The tree of a file with its includes; None where it cannot be read."""
        self.files.append(path)
        try:
            text = read_text(path)
        except NoText as error:
            self._unreadable(path, error, asked)
            return None
        return self.text(text, path, (*chain, path))

    def text(self, text: str, name: str, chain: tuple[str, ...] = ()) -> Node | None:
        """The tree of a text with its includes; `chain` are the files that lead to it."""
        node, issues = read(text, name)
        self.issues += issues
        if node is None and not issues:
            self.tell(Place(name, 1, 1), "empty; expected a scenario, which begins with simvirt: 1")
        return self._included(node, chain) if isinstance(node, Table) and "include" in node.entries else node

    def tell(self, place: Place, message: str, path: str = "") -> None:
        """Notes a mistake."""
        self.issues.append(Issue(place.file, place.line, place.column, path, message))

    def _unreadable(self, path: str, error: NoText, asked: Place | None) -> None:
        if asked is None or error.line is not None:
            self.issues.append(Issue(path, error.line, error.column, "", str(error)))
        else:
            self.tell(asked, f'"{path}": {error}', "include")

    def _included(self, top: Table, chain: tuple[str, ...]) -> Node:
        """`top` over the files that it includes, the later ones over the earlier."""
        bases = [self._base(item, chain) for item in self._names(top.entries["include"].node)]
        result: Node | None = None
        for base in bases:
            if base is not None:
                result = base if result is None else overlay(result, base)
        own = top.without("include")
        return own if result is None else overlay(result, own)

    def _names(self, node: Node) -> list[Scalar]:
        """The names in an `include`."""
        items = node.items if isinstance(node, Sequence) else (node,)
        names = [item for item in items if isinstance(item, Scalar) and isinstance(item.value, str)]
        for item in items:
            if item not in names:
                got = shown(item.value) if isinstance(item, Scalar) else "a list or mapping"
                self.tell(item.place, f"expected a file or a list of files, for example base.yaml; got {got}", "include")
        return names

    def _base(self, name: Scalar, chain: tuple[str, ...]) -> Node | None:
        """The tree of an included file."""
        path = beside(name.place.file, name.text)
        real = [os.path.realpath(file) for file in chain]
        if "\0" not in path and os.path.realpath(path) in real:
            around = " -> ".join((*chain[real.index(os.path.realpath(path)):], path))
            self.tell(name.place, f"files include one another in a cycle: {around}", "include")
            return None
        if len(self.files) >= MOST_FILES:
            self.tell(name.place, f"expected at most {MOST_FILES} files in a scenario", "include")
            return None
        before = len(self.issues)
        base = self.file(path, chain, name.place)
        if isinstance(base, Table) and (not base.entries or not SCENARIO_KEYS.isdisjoint(base.entries)):
            return base
        if base is not None or len(self.issues) > before:
            self._withhold(before, path, name.place)
        return None

    def _withhold(self, before: int, path: str, asked: Place) -> None:
        """Of a file that is no scenario says only that, and where it cannot be read: what it holds is nobody's business."""
        issues = self.issues[before:]
        if all(issue.file == asked.file for issue in issues) and issues:
            return
        line = next((issue.line for issue in issues if issue.file == path), None)
        del self.issues[before:]
        where = "" if line is None else f" (line {line})"
        self.tell(asked, f'"{path}": expected a scenario, a mapping with keys such as services or host{where}', "include")

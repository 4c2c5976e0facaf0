"""Kubernetes objects in files and folders, each with the place of what it says.

*Source*: YAML 1.2 (several documents; tabs may stand at a line's end), kubernetes.io, "Organizing resource configurations".
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simvirt.errors import Issue, ScenarioError
from simvirt.scenario.reading.files import NoText, read_text
from simvirt.scenario.reading.reader import read_documents
from simvirt.scenario.reading.tree import Marks, Node, Place, Scalar, Table, dotted, plain
from simvirt.scenario.reading.tree import Path as Keys

ENDINGS: Final = (".yaml", ".yml", ".json")
KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
MOST_FILES: Final = 10_000
TABS: Final = re.compile(r"[ ]*\t[ \t]*$", re.MULTILINE)
TEMPLATE: Final = re.compile(r"\{\{[-\s]*[.\w$]")


@dataclass(frozen=True, slots=True)
class Object:
    """An object: its data, and where each value of it stands."""

    root: Node
    data: Mapping[str, Any]
    file: str

    @property
    def kind(self) -> str:
        """What it is."""
        return str(self.data.get("kind") or "")

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.at("metadata", "name") or "")

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.at("metadata", "namespace") or "default")

    def at(self, *path: str | int) -> Any:
        """The value at a path, None where there is none."""
        return at(self.data, *path)

    def place(self, *path: str | int) -> Place:
        """Where the value at a path stands."""
        return Marks(self.root).place(path) or self.root.place

    def table(self, *path: str | int) -> Mapping[str, Any]:
        """The mapping at a path, empty where there is nothing; a mistake where there is something else."""
        return self._of(Mapping, "a mapping", path) or {}

    def list(self, *path: str | int) -> Sequence[Any]:
        """The list at a path."""
        return self._of(list, "a list", path) or []

    def _of(self, kind: type, said: str, path: Keys) -> Any:
        value = self.at(*path)
        if value is not None and not isinstance(value, kind):
            raise self.wrong(f"expected {said}; got {str(value)[:60]!r}", *path)
        return value

    def wrong(self, message: str, *path: str | int) -> ScenarioError:
        """A mistake at a path."""
        place = self.place(*path)
        return ScenarioError([Issue(place.file, place.line, place.column, f"{self.kind} {self.name}: {dotted(path)}", message)])


def at(data: Any, *path: str | int) -> Any:
    """The value at a path of plain data, None where there is none."""
    for part in path:
        if isinstance(part, int):
            data = data[part] if isinstance(data, list) and part < len(data) else None
        else:
            data = data.get(part) if isinstance(data, Mapping) else None
    return data


def objects(paths: Sequence[str]) -> list[Object]:
    """All objects in some files and folders, those of lists too; ScenarioError where they cannot be read."""
    return [found for path in paths for file in files_of(path) for found in objects_in(file)]


def files_of(path: str) -> list[str]:
    """A file, or the manifests in a folder and in those in it; links that lead out of it are passed over."""
    if not os.path.isdir(path):
        return [path]
    root = os.path.realpath(path)
    found = sorted(str(file) for file in Path(path).rglob("*") if file.suffix in ENDINGS and file.is_file())
    inside = [file for file in found if os.path.commonpath([os.path.realpath(file), root]) == root]
    if not inside or len(inside) > MOST_FILES:
        raise ScenarioError(
            [Issue(path, None, None, "", f"expected 1 to {MOST_FILES} manifests ({', '.join(ENDINGS)}); got {len(inside)}")]
        )
    return inside


def objects_in(file: str) -> Iterator[Object]:
    """The objects in one file."""
    try:
        text = TABS.sub("", read_text(file))
    except NoText as error:
        raise ScenarioError([Issue(file, error.line, error.column, "", str(error))]) from None
    documents, issues = read_documents(text, file)
    if issues:
        if TEMPLATE.search(text):
            raise ScenarioError(
                [
                    Issue(
                        file,
                        issues[0].line,
                        issues[0].column,
                        "",
                        "is a template of Helm; expected manifests, as helm template prints them",
                    )
                ]
            )
        raise ScenarioError(issues)
    for document in documents:
        if not isinstance(document, Scalar) or document.value is not None:
            yield from _of(document, file)


def _of(node: Node, file: str) -> Iterator[Object]:
    """The object in a document, or those in a list."""
    data = plain(node, lambda path, scalar: scalar.value)
    if not isinstance(node, Table) or not isinstance(data, dict):
        raise ScenarioError(
            [
                Issue(
                    file,
                    node.place.line,
                    node.place.column,
                    "",
                    "expected an object, with apiVersion and kind, for example kind: Deployment",
                )
            ]
        )
    found = Object(node, data, file)
    if not isinstance(data.get("kind"), str) or "apiVersion" not in data:
        raise found.wrong("expected apiVersion and kind, for example apiVersion: apps/v1, kind: Deployment")
    if found.kind.endswith("List") and isinstance(data.get("items"), list):
        items = node.entries["items"].node
        for inner in getattr(items, "items", ()):
            yield from _of(inner, file)
    else:
        yield found

"""Rule cases from a file: a list of `{id, kind, source, given, expected}`.

*Model*: `given` are the inputs of a rule, `expected` what it gives; an adapter reads them through `Given`, which notes
    what was looked at.
*Ignores*: whether a case's source says what the case says.
*Source*: docs/models/rules.md has an example.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from simvirt.errors import Issue, ScenarioError
from simvirt.scenario.reading.reader import read_file
from simvirt.scenario.reading.tree import Node, Sequence, Table, plain

EXAMPLE: Final = "- {id: mine, kind: hpa-replicas, given: {function: object_value, ...}, expected: {replicas: 4}}"
FORMS: Final[Mapping[str, tuple[type, str]]] = {
    "id": (str, "a name, for example id: mine"), "kind": (str, "a name, for example kind: hpa-replicas"),
    "given": (dict, "a mapping, for example given: {function: object_value, current_replicas: 3}"),
    "expected": (dict, "a mapping, for example expected: {replicas: 4}"),
}
"""Key of a case -> what it has to be."""
SILENT: Final = ("function", "plugin", "kind", "name", "note", "notes")
"""Keys of `given` that name the rule or explain it."""


class Given(dict[str, Any]):
    """Inputs of a rule: a mapping that notes which keys were looked at; `form` is that of what is expected, without its values."""

    def __init__(self, inputs: Mapping[str, Any], form: Any = None) -> None:
        super().__init__({key: Given(value) if isinstance(value, Mapping) else _listed(value) for key, value in inputs.items()})
        self.form = form
        self.seen: set[str] = set()

    def __getitem__(self, key: str) -> Any:
        self.seen.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self.seen.add(str(key))
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or a default where there is none."""
        self.seen.add(key)
        return super().get(key, default)

    def overlooked(self) -> list[str]:
        """Keys that no adapter looked at, those in mappings and lists included."""
        own = [key for key in self.keys() - self.seen if key not in SILENT]
        inner = [(key, part) for key, value in self.items() if key in self.seen for part in _parts(value)]
        return own + [f"{key}.{name}" for key, part in inner for name in part.overlooked()]

    def has(self, key: str) -> bool:
        """Whether a key is given, which does not count as a look at it."""
        return super().__contains__(key)

    def lacking(self, needed: Mapping[tuple[str, ...], str]) -> list[str]:
        """What is missing of what is needed, by the keys any of which says it."""
        return [what for keys, what in needed.items() if not any(map(self.has, keys))]

    def every(self) -> list[tuple[str, Any]]:
        """All keys with their values, looked at."""
        return [(key, self[key]) for key in self]


def _listed(value: Any) -> Any:
    """A value whose mappings in lists are inputs too."""
    return [Given(item) if isinstance(item, Mapping) else item for item in value] if isinstance(value, list) else value


def _parts(value: Any) -> list[Given]:
    """The inputs in a value that were looked into at all."""
    parts = value if isinstance(value, list) else [value]
    return [part for part in parts if isinstance(part, Given) and part.seen]


@dataclass(frozen=True, slots=True)
class Case:
    """One case: where it is from, what is given, what is expected."""

    id: str
    kind: str
    given: Mapping[str, Any]
    expected: Mapping[str, Any]
    source: str = ""

    def inputs(self) -> Given:
        """What an adapter sees."""
        return Given(self.given, form_of(self.expected))


def form_of(value: Any) -> Any:
    """Keys of mappings and lengths of lists of what is expected: what is asked for, without the answer."""
    if isinstance(value, Mapping):
        return {key: form_of(inner) for key, inner in value.items()}
    return [form_of(inner) for inner in value] if isinstance(value, list) else None


# --- the file --------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Mistakes:
    """What is wrong in a file."""

    file: str
    issues: list[Issue] = field(default_factory=list)

    def tell(self, node: Node, path: str, message: str) -> None:
        """Notes a mistake at a node."""
        self.issues.append(Issue(self.file, node.place.line, node.place.column, path, message))


def read_cases(path: str | os.PathLike[str]) -> tuple[Case, ...]:
    """The cases of a file; ScenarioError with every mistake."""
    name = os.fspath(path)
    root = read_file(name)
    if not isinstance(root, Sequence) or not root.items:
        hint = "; tables of measurements are read with --tables FILE" if isinstance(root, Table) else ""
        got = "nothing" if root is None or isinstance(root, Sequence) else "a mapping" if isinstance(root, Table) else "a single value"
        raise ScenarioError([Issue(name, 1, 1, "", f"expected a list of cases, for example {EXAMPLE}; got {got}{hint}")])
    mistakes = _Mistakes(name)
    found = [case for index, node in enumerate(root.items) if (case := _case(node, index, mistakes)) is not None]
    if mistakes.issues:
        raise ScenarioError(mistakes.issues)
    return tuple(found)


def _case(node: Node, index: int, mistakes: _Mistakes) -> Case | None:
    """A node as a case; None where it is none, which is noted."""
    if not isinstance(node, Table):
        got = "a list" if isinstance(node, Sequence) else "a value"
        mistakes.tell(node, str(index), f"expected a case, for example {EXAMPLE}; got {got}")
        return None
    raw = plain(node, lambda path, scalar: scalar.value)
    before = len(mistakes.issues)
    for key, (form, what) in FORMS.items():
        if not isinstance(raw.get(key), form):
            mistakes.tell(node, f"{index}.{key}", f"expected {what}; got {_said(raw.get(key))}")
    if len(mistakes.issues) > before:
        return None
    return Case(raw["id"], raw["kind"], raw["given"], raw["expected"], str(raw.get("source", "")))


def _said(value: Any) -> str:
    """What came instead, in short."""
    return "nothing" if value is None else "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else str(value)

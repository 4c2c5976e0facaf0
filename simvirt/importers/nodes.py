"""Values at the keys of a mapping that was read, with mistakes where they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Final

from simvirt.errors import Issue, ScenarioError
from simvirt.importers import values
from simvirt.importers.merging import formed
from simvirt.scenario.reading.tree import Node, Place, Scalar, Sequence, Table

EXAMPLES: Final = {
    "environment": ", for example {NAME: value}",
    "networks": ", for example {inside: {}}",
    "healthcheck": ", for example {interval: 10s}",
    "deploy": ", for example {replicas: 2}",
    "depends_on": ", for example [db]",
    "placement": ", for example {constraints: [node.role == manager]}",
}
"""Key -> what may stand there, as messages say it."""


def refuse(place: Place, path: str, message: str) -> ScenarioError:
    """A mistake at a place."""
    return ScenarioError([Issue(place.file, place.line, place.column, path, message)])


def table_at(node: Node | None, key: str, path: str = "") -> Table | None:
    """The mapping at a key, a list in its other form; a mistake where there is something else, in what lies at a path."""
    entry = node.entries.get(key) if isinstance(node, Table) else None
    if entry is None or (isinstance(entry.node, Scalar) and entry.node.value is None):
        return None
    found = formed(entry.node, key)
    if not isinstance(found, Table):
        raise refuse(entry.place, f"{path}.{key}" if path else key, f"expected a mapping{EXAMPLES.get(key, '')}")
    return found


def text_at(node: Node, key: str) -> str:
    """The text at a key, empty where there is none."""
    inner = node.entries[key].node if isinstance(node, Table) and key in node.entries else None
    return inner.text if isinstance(inner, Scalar) and inner.value is not None else ""


def items_at(node: Node, key: str) -> tuple[Node, ...]:
    """The items of the list at a key; a single value is a list of one."""
    inner = node.entries[key].node if isinstance(node, Table) and key in node.entries else None
    return inner.items if isinstance(inner, Sequence) else () if inner is None else (inner,)


def words_at(node: Node, key: str) -> list[str]:
    """The texts at a key: of a list its items, of a mapping in it the field that says most."""
    return [
        item.text if isinstance(item, Scalar) else text_at(item, "target") or text_at(item, "path")
        for item in items_at(node, key)
        if not isinstance(item, Scalar) or item.value is not None
    ]


def _quantity_at(node: Table, key: str, path: str, read: Callable[[str], float | None], example: str) -> float | None:
    """A quantity at a key; a mistake where it is none."""
    text = text_at(node, key)
    if not text:
        return None
    value = read(text)
    if value is None:
        raise refuse(node.entries[key].node.place, f"{path}.{key}", f'expected {example}; got "{text[:60]}"')
    return value


def number_at(node: Table, key: str, path: str) -> float | None:
    """The number at a key, None where there is nothing."""
    return _quantity_at(node, key, path, values.number, "a number, for example 0.5")


def whole_at(node: Table, key: str, path: str) -> int | None:
    """The whole number at a key, None where there is nothing."""
    value = _quantity_at(
        node, key, path, lambda text: values.number(text) if re.fullmatch(r"[+-]?\d+", text) else None, "a whole number, for example 2"
    )
    return None if value is None else int(value)


def size_at(node: Table, key: str, path: str) -> float | None:
    """The size at a key [bytes], -1 for none, None where there is nothing."""
    return _quantity_at(node, key, path, lambda text: -1.0 if text == "-1" else values.size(text), "a size, for example 512m")


def known(path: str, table: Table | None, keys: Iterable[str]) -> None:
    """A mistake where a mapping has a key that Compose does not have there."""
    for key, entry in table.entries.items() if table else ():
        if key not in keys and not key.startswith("x-"):
            raise refuse(entry.place, f"{path}.{key}", unknown(key, keys, ", ".join(sorted(keys)[:3])))


def unknown(key: str, keys: Iterable[str], example: str) -> str:
    """What is said of a key that is none."""
    near = get_close_matches(key, list(keys), 1)
    return (
        f'unknown key; did you mean "{near[0]}"?'
        if near
        else f"unknown key; Compose has none of that name here; expected for example {example}"
    )

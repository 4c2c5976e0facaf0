"""How one Compose document goes over another: mappings key by key, lists one after the other, some by what makes them one thing.

*Source*: compose-spec, 13-merge.md (rules, unique resources, `!reset`, `!override`), 05-services.md (forms of `environment`,
`depends_on`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from simvirt.scenario.reading.tree import Entry, Node, Scalar, Sequence, Table

RESET: Final = "!reset"
OVERRIDE: Final = "!override"
TAGS: Final = frozenset({RESET, OVERRIDE})
REPLACED: Final = frozenset({"command", "entrypoint", "test"})
"""Lists that are one value: the later one stands."""
PAIRS: Final = frozenset({"environment", "labels", "annotations", "args", "sysctls", "driver_opts", "extra_hosts"})
"""Keys whose list of `NAME=value` is another form of a mapping."""
NAMES: Final = frozenset({"depends_on", "networks"})
"""Keys whose list of names is another form of a mapping."""

STARTED: Final = "service_started"
"""What a name in a list of `depends_on` waits for."""


def merged(base: Node, over: Node, key: str = "") -> Node:
    """What stands where `over` goes over `base` at a key."""
    if over.tag == OVERRIDE:
        return over
    base, over = formed(base, key), formed(over, key)
    if isinstance(base, Table) and isinstance(over, Table):
        return _tables(base, over)
    if isinstance(base, Sequence) and isinstance(over, Sequence) and key not in REPLACED:
        return replace(over, items=_unique((*base.items, *over.items), key))
    return base if isinstance(over, Scalar) and over.value is None and key not in REPLACED else over


def _tables(base: Table, over: Table) -> Table:
    """Two mappings key by key."""
    entries = dict(base.entries)
    for key, entry in over.entries.items():
        if entry.node.tag == RESET:
            entries.pop(key, None)
        elif key in entries:
            entries[key] = Entry(entry.place, merged(entries[key].node, entry.node, key))
        else:
            entries[key] = entry
    return replace(over, entries=entries)


def settled(node: Node) -> Node:
    """A tree without what is reset, which nothing stands below any more."""
    if isinstance(node, Table):
        left = {key: Entry(entry.place, settled(entry.node)) for key, entry in node.entries.items() if entry.node.tag != RESET}
        return replace(node, entries=left)
    if isinstance(node, Sequence):
        return replace(node, items=tuple(settled(item) for item in node.items if item.tag != RESET))
    return node


def formed(node: Node, key: str) -> Node:
    """A value in the form that merges: pairs and names as a mapping."""
    if not isinstance(node, Sequence):
        return node
    if key in PAIRS:
        pairs = ((_pair(item), item) for item in node.items if isinstance(item, Scalar))
        return Table(node.place, {name: Entry(item.place, value) for (name, value), item in pairs}, node.tag)
    if key in NAMES and all(isinstance(item, Scalar) for item in node.items):
        names = [item for item in node.items if isinstance(item, Scalar)]
        return Table(node.place, {item.text: Entry(item.place, _named(item, key)) for item in names}, node.tag)
    return node


def _named(item: Scalar, key: str) -> Table:
    """What the mapping has for a name of the list."""
    started = Entry(item.place, replace(item, value=STARTED, text=STARTED))
    return Table(item.place, {"condition": started} if key == "depends_on" else {})


def _pair(item: Scalar) -> tuple[str, Scalar]:
    """`NAME=value`, or a name alone, whose value the shell has."""
    name, equals, value = item.text.partition("=")
    return name, replace(item, value=value if equals else None, text=value)


def _unique(items: tuple[Node, ...], key: str) -> tuple[Node, ...]:
    """A list in which the later of two that are the same thing stands; of lists of plain values each once."""
    same = SAME.get(key)
    kept = {(same(item) if same else _text(item)): item for item in items}
    return tuple(kept.values())


def _text(item: Node) -> object:
    return item.text if isinstance(item, Scalar) else item


def _volume(item: Node) -> object:
    """Volumes are one where they are mounted at one place."""
    if isinstance(item, Table):
        return _field(item, "target")
    parts = str(_text(item)).split(":")
    return parts[1] if len(parts) > 1 else parts[0]


def _port(item: Node) -> object:
    """Ports are one by address, target, published port and protocol."""
    if isinstance(item, Table):
        return tuple(_field(item, name) for name in ("host_ip", "target", "published", "protocol"))
    return _text(item)


def _grant(item: Node) -> object:
    """Secrets and configs are one where they are found at one place."""
    return (_field(item, "target") or _field(item, "source")) if isinstance(item, Table) else _text(item)


def _field(table: Table, key: str) -> str:
    node = table.entries[key].node if key in table.entries else None
    return node.text if isinstance(node, Scalar) else ""


SAME: Final[dict[str, Callable[[Node], object]]] = {"volumes": _volume, "ports": _port, "secrets": _grant, "configs": _grant}
"""Key of a list -> what makes two of its items the same thing."""

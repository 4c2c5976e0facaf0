"""`--set a.b.c=value`: sets one value of a tree. Parts of a path are keys, indexes of lists, and names of platforms.

A key may hold dots itself (`workload.mix.web.GET /`): the longest one that exists is taken.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from simvirt.errors import Issue
from simvirt.scenario.reading.overlay import alternatives, said_otherwise, shorthand
from simvirt.scenario.reading.reader import read
from simvirt.scenario.reading.tree import Entry, Node, Path, Place, Scalar, Sequence, Table

_EXAMPLE: Final = "--set services.web.threads=8"
_MOST_PARTS: Final = 60


class Misplaced(Exception):
    """A path that leads nowhere."""


def override(root: Node, text: str) -> tuple[Node, list[Issue]]:
    """The tree with one override, `path=value`, applied, and what is wrong with it."""
    path, equals, raw = text.partition("=")
    path = path.strip()
    place = Place(f"--set {path[:200]}")
    parts = path.split(".")
    if not equals or not all(parts) or len(parts) > _MOST_PARTS:
        return root, [Issue(f"--set {text[:200]}", None, None, "", f"expected path=value, for example {_EXAMPLE}")]
    value, issues = _value(raw, place)
    try:
        return _set(_said_once(root, parts, value), (), parts, value, place), issues
    except Misplaced as error:
        return root, [*issues, Issue(place.file, None, None, path[:200], str(error))]


def _said_once(root: Node, parts: list[str], value: Node) -> Node:
    """The tree without what the parts of a service say in the other form, `cpus` or `deploy.resources.limits.cpus`."""
    services = root.entries.get("services") if isinstance(root, Table) else None
    if len(parts) < 3 or parts[0] != "services" or services is None or not isinstance(services.node, Table):
        return root
    service = services.node.entries.get(parts[1])
    if service is None or not isinstance(root, Table):
        return root
    top = value
    for part in reversed(parts[2:]):
        top = Table(value.place, {part: Entry(value.place, top)})
    assert isinstance(top, Table)
    cleared = Entry(service.place, said_otherwise(service.node, top))
    return root.with_entry("services", Entry(services.place, services.node.with_entry(parts[1], cleared)))


def _value(raw: str, place: Place) -> tuple[Node, list[Issue]]:
    """The value of an override, read as YAML; nothing where it is empty, which takes the key away."""
    node, issues = read(raw, place.file)
    told = [Issue(place.file, None, None, "", issue.message) for issue in issues]
    return (Scalar(place, None, "") if node is None else moved(node, place)), told


def moved(node: Node, place: Place) -> Node:
    """A tree all of which stands at `place`."""
    if isinstance(node, Table):
        return Table(place, {key: Entry(place, moved(entry.node, place)) for key, entry in node.entries.items()})
    if isinstance(node, Sequence):
        return Sequence(place, tuple(moved(item, place) for item in node.items))
    return Scalar(place, node.value, node.text)


def _set(node: Node, path: Path, parts: list[str], value: Node, place: Place) -> Node:
    """`node`, which stands at `path`, with the value set at `parts` below it."""
    if not parts:
        return value
    node = shorthand(path, node)
    if isinstance(node, Sequence):
        return _set_item(node, path, parts, value, place)
    table = node if isinstance(node, Table) else Table(place, {})
    key, rest = _key(table, path, parts)
    below = table.entries[key].node if key in table.entries else Scalar(place, None, "")
    entry = Entry(place, _set(below, (*path, key), rest, value, place))
    return table.without(*alternatives(path, key)).with_entry(key, entry)


def _set_item(node: Sequence, path: Path, parts: list[str], value: Node, place: Place) -> Node:
    """A list with the value set in one of its items."""
    index, rest = _index(node, path, parts)
    item = _set(node.items[index], (*path, index), rest, value, place)
    return Sequence(node.place, (*node.items[:index], item, *node.items[index + 1:]))


def _key(table: Table, path: Path, parts: list[str]) -> tuple[str, list[str]]:
    """The longest key of a table that the parts begin with, and the parts after it."""
    for length in range(len(parts), 0, -1):
        key = ".".join(parts[:length])
        if key in table.entries:
            return key, parts[length:]
    return _new_key(table, path, parts)


def _new_key(table: Table, path: Path, parts: list[str]) -> tuple[str, list[str]]:
    """A key that is not there yet: fine for fields, which are checked later, but not for a part of what does not exist."""
    is_mix = path == ("workload", "mix") or (len(path) == 3 and path[0] == "workloads" and path[2] == "mix")
    if is_mix or (len(path) == 1 and path[0] == "services" and len(parts) == 1):
        return ".".join(parts), []
    kind = _named(path)
    if kind is not None and len(parts) > 1:
        raise Misplaced(_unknown(kind, parts[0], list(table.entries)))
    return parts[0], parts[1:]


def _named(path: Path) -> str | None:
    """What the entries of the mapping at `path` are where their names are the user's own."""
    if path in (("services",), ("workloads",)):
        return path[0].removesuffix("s")
    return "operation" if len(path) == 3 and path[0] == "services" and path[2] == "operations" else None


def _index(node: Sequence, path: Path, parts: list[str]) -> tuple[int, list[str]]:
    """The item of a list that the parts begin with: by index, or by the name of a platform."""
    names = [_name(item) for item in node.items]
    for length in range(len(parts), 0, -1):
        if ".".join(parts[:length]) in names:
            return names.index(".".join(parts[:length])), parts[length:]
    if parts[0].isascii() and parts[0].isdigit() and len(parts[0]) < 10 and int(parts[0]) < len(node.items):
        return int(parts[0]), parts[1:]
    raise Misplaced(_no_item(node, parts[0], [name for name in names if name]))


def _no_item(node: Sequence, part: str, names: list[str]) -> str:
    """The message for an item that does not exist."""
    if part.lstrip("-").isdigit() or not names:
        return f'no entry "{part[:40]}"; expected an index from 0 to {len(node.items) - 1}' if node.items else "the list is empty"
    return _unknown("entry", part, names)


def _name(item: Node) -> str | None:
    """The name of an item of a list, if it has one."""
    if isinstance(item, Table) and "name" in item.entries:
        item = item.entries["name"].node
    return item.text if isinstance(item, Scalar) and isinstance(item.value, str) else None


def _unknown(kind: str, name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    guess = f'; did you mean "{close[0]}"?' if close else f"; there is {', '.join(known[:10])}" if known else ""
    return f'unknown {kind} "{name[:60]}"{guess}'

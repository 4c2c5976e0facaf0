"""Writes a device tree: nodes with properties as the flat form that firmware and kernels read.

*Source.* Devicetree Specification 0.4, chapter 5.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

MAGIC: Final = 0xD00DFEED
VERSION: Final = 17
COMPATIBLE: Final = 16
BEGIN, END, PROPERTY, DONE = 1, 2, 3, 9
HEADER: Final = 40
NO_RESERVATIONS: Final = bytes(16)
UNDERSCORED: Final = ("device_type",)
"""Properties whose names have an underscore."""


def cells(*values: int) -> bytes:
    """Numbers of 32 bits."""
    return b"".join(struct.pack(">I", value) for value in values)


def wide(*values: int) -> bytes:
    """Numbers of 64 bits."""
    return b"".join(struct.pack(">Q", value) for value in values)


def text(*values: str) -> bytes:
    """Strings."""
    return b"".join(value.encode() + b"\0" for value in values)


@dataclass
class Node:
    """A node of the tree."""

    name: str
    properties: dict[str, bytes] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)

    def child(self, name: str, **properties: bytes) -> Node:
        """Add a node; `_` in the name of a property is `-`, `__` is `,` and `n_` before a name is `#`."""
        made = Node(name, {spelled(key): value for key, value in properties.items()})
        self.children.append(made)
        return made


def spelled(key: str) -> str:
    """The name of a property as it is written in a tree."""
    if key in UNDERSCORED:
        return key
    key = "#" + key[2:] if key.startswith("n_") else key
    return key.replace("__", ",").replace("_", "-")


def padded(data: bytes) -> bytes:
    """Up to the next multiple of four."""
    return data + bytes(-len(data) % 4)


class Strings:
    """Names of properties, each once."""

    def __init__(self) -> None:
        self.data = b""
        self.places: dict[str, int] = {}

    def place(self, name: str) -> int:
        """Where a name begins."""
        if name not in self.places:
            self.places[name] = len(self.data)
            self.data += text(name)
        return self.places[name]


def structure(node: Node, strings: Strings) -> Iterable[bytes]:
    """Tokens of a node and those below it."""
    yield cells(BEGIN) + padded(text(node.name))
    for name, value in node.properties.items():
        yield cells(PROPERTY, len(value), strings.place(name)) + padded(value)
    for child in node.children:
        yield from structure(child, strings)
    yield cells(END)


def flattened(root: Node) -> bytes:
    """The tree as firmware reads it."""
    strings = Strings()
    body = b"".join(structure(root, strings)) + cells(DONE)
    at = HEADER + len(NO_RESERVATIONS)
    total = at + len(body) + len(strings.data)
    head = cells(MAGIC, total, at, at + len(body), HEADER, VERSION, COMPATIBLE, 0, len(strings.data), len(body))
    return head + NO_RESERVATIONS + body + strings.data

"""Image references: which entry of the catalogue speaks for `registry.example:5000/library/nginx:1.27@sha256:...`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

GENERIC: Final = "generic"
"""The entry for unknown images, and the defaults of hosts that are not named."""


def short_name(reference: str) -> str:
    """The last path component of an image reference, without tag and digest."""
    path = reference.strip().partition("@")[0]
    return path.rsplit("/", 1)[-1].partition(":")[0].lower()


def resolve(reference: str, aliases: Mapping[str, str], names: Iterable[str]) -> str:
    """The name of the entry for an image reference; the generic one where there is none."""
    name = short_name(reference)
    return name if name in names else aliases.get(name, GENERIC)

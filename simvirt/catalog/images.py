"""Image references: which entry of the catalogue speaks for `registry.example:5000/library/nginx:1.27@sha256:...`."""

from __future__ import annotations

from typing import Final

from simvirt.catalog.problems import guesses
from simvirt.catalog.store import Store
from simvirt.scenario.spec.models import ServiceSpec

GENERIC: Final = "generic"
"""The entry for unknown images, and the defaults of hosts that are not named."""


def short_name(reference: str) -> str:
    """The last path component of an image reference, without tag and digest."""
    path = reference.strip().partition("@")[0]
    return path.rsplit("/", 1)[-1].partition(":")[0].lower()


def image_name(store: Store, image: str) -> str:
    """The entry that speaks for an image reference; the generic one where none does."""
    return _names(store).get(short_name(image), GENERIC)


def is_known(store: Store, image: str) -> bool:
    """Whether an entry speaks for an image reference, be it the generic one by its name."""
    return short_name(image) in _names(store)


def meant(store: Store, image: str) -> list[str]:
    """What an image reference that is not known may have meant."""
    return guesses(short_name(image), list(_names(store)))


def _names(store: Store) -> dict[str, str]:
    """Every name of an image, and the entry that speaks for it."""
    raw = store.raw("images")
    aliases = {alias: entry for entry, fields in raw.items() for alias in fields.get("aliases", ())}
    return aliases | {name: name for name in raw}


def footprint_name(store: Store, service: ServiceSpec) -> str:
    """The entry that speaks for a service: that of its image's own name, or of the image that the catalogue knows it as."""
    known = store.names("footprints")
    names = () if service.image is None else (short_name(service.image), image_name(store, service.image))
    return next((name for name in names if name in known), GENERIC)

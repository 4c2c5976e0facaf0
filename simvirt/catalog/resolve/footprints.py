"""Footprints of images and the costs of reclaiming memory, in internal units."""

from __future__ import annotations

from simvirt.catalog.entries.capacity import FootprintEntry, ReclaimEntry
from simvirt.catalog.images import GENERIC, image_name, short_name
from simvirt.catalog.store import Store
from simvirt.scenario.spec.models import ServiceSpec


def footprint(store: Store, service: ServiceSpec) -> FootprintEntry:
    """The footprint of a service's image; the generic one where the image is unknown."""
    return store.typed("footprints", footprint_name(store, service), FootprintEntry)


def footprint_name(store: Store, service: ServiceSpec) -> str:
    """The entry that speaks for a service: that of its image's own name, or of the image that the catalogue knows it as."""
    known = store.names("footprints")
    names = () if service.image is None else (short_name(service.image), image_name(store, service.image))
    return next((name for name in names if name in known), GENERIC)


def reclaim(store: Store) -> ReclaimEntry:
    """The costs of memory management on a host."""
    return store.typed("reclaim", GENERIC, ReclaimEntry)

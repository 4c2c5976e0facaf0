"""Footprints of images and the costs of reclaiming memory, in internal units."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simvirt.catalog.entries.capacity import FootprintSpec, ReclaimSpec
from simvirt.catalog.images import GENERIC, short_name
from simvirt.catalog.records import FootprintEntry, ReclaimEntry

if TYPE_CHECKING:
    from simvirt.catalog.catalog import Catalog
    from simvirt.scenario.spec.models import ServiceSpec


def footprint(catalog: Catalog, service: ServiceSpec) -> FootprintEntry:
    """The footprint of a service's image; the generic one where the image is unknown."""
    name = footprint_name(catalog, service)
    spec = catalog.typed("footprints", name, FootprintSpec)
    return FootprintEntry(
        name=name, base=int(spec.base.value), per_connection=int(spec.per_connection.value), files=int(spec.files.value),
        hot=spec.hot.value, same=spec.same.value, touch=int(spec.touch.value), disk=int(spec.disk.value), writable=int(spec.writable.value),
    )


def footprint_name(catalog: Catalog, service: ServiceSpec) -> str:
    """The entry that speaks for a service: that of its image's own name, or of the image that the catalogue knows it as."""
    known = catalog.names("footprints")
    names = () if service.image is None else (short_name(service.image), catalog.image_name(service.image))
    return next((name for name in names if name in known), GENERIC)


def reclaim(catalog: Catalog) -> ReclaimEntry:
    """The costs of memory management on a host."""
    spec = catalog.typed("reclaim", GENERIC, ReclaimSpec)
    return ReclaimEntry(
        swap_fault_ns=spec.swap_fault.value, unpack_ns=spec.unpack.value, evict_ns=spec.evict.value, scan_ns=spec.scan.value,
        unshare_ns=spec.unshare.value, inflate_ns=spec.inflate.value, cluster=int(spec.cluster.value), compression=spec.compression.value,
        balloon_most=spec.balloon_most.value, idle_tax=spec.idle_tax.value,
        flush_interval_ns=spec.flush_interval.value, dirty_expiry_ns=spec.dirty_expiry.value, dirty_background=spec.dirty_background.value,
        dirty_most=spec.dirty_most.value, write_chunk=int(spec.write_chunk.value),
    )

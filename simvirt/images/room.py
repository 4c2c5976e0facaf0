"""Whether images that hosts are to fetch fit onto their disks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from simvirt.catalog import Catalog
from simvirt.catalog.images import short_name
from simvirt.catalog.problems import Path
from simvirt.catalog.records import Platform
from simvirt.images.resolve import disk_image_of, engine, image_of
from simvirt.scenario.spec.models import Scenario
from simvirt.units import format_size


def beyond_disks(scenario: Scenario, catalog: Catalog, platforms: Sequence[Platform]) -> Iterator[tuple[Path, str]]:
    """Images that no host's disk has room for: their files, and their packed layers where those are kept, alone on it."""
    if scenario.state is None or scenario.state.images != "none":
        return
    hosts = {host.disk.name: host for host in catalog.resolve_hosts(scenario)}
    sizes = [int(host.disk.size or 0) for host in hosts.values()]
    if not all(sizes):
        return
    largest = max(hosts.values(), key=lambda host: int(host.disk.size or 0))
    found: dict[Path, int] = {}
    room = int(largest.disk.size or 0)
    for index, platform in enumerate(platforms):
        for path, size in _needs(scenario, catalog, platform, index):
            keeps = bool(platform.runtimes) and path[0] != "platforms" and engine(catalog, platform, largest).puller.keeps
            found.setdefault(path, size[1] + size[0] * keeps)
    for path, needed in found.items():
        if needed > room:
            whose = f"the largest disk of the hosts, {largest.disk.name}," if len(hosts) > 1 else f"the disk {largest.disk.name}"
            yield path, f"takes {format_size(needed)} on a host; expected at most the {format_size(room)} of {whose} or another disk"


def _needs(scenario: Scenario, catalog: Catalog, platform: Platform, index: int) -> Iterator[tuple[Path, tuple[int, int]]]:
    """What each image of a platform takes, packed and unpacked, where it is written."""
    for name, service in scenario.services.items():
        image = image_of(catalog, scenario, platform, name)
        if image is not None:
            own = service.image is not None and short_name(service.image) in scenario.images
            path = ("images", short_name(service.image or "")) if own else ("services", name, "image")
            yield path, (image.size, image.unpacked)
    disk = disk_image_of(catalog, platform)
    if disk is not None and not disk.shared:
        yield ("platforms", index, "disk_image"), (0, disk.actual)

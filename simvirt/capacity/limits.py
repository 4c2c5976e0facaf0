"""Everything of which a host or kernel has only so many: what a replica of each service takes, and how much there is.

*Model*: demand = fixed + what each replica takes x its number. Containers in VMs use up the limits of the guests' kernels, and there
    are as many of those as VMs.
*Ignores*: what other programs of the host use beyond `fixed`.
*Source*: see the entries of kind `limits`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from simvirt.catalog import Catalog
from simvirt.catalog.entries.capacity import LimitSpec
from simvirt.catalog.records import HostEntry, Layer, Platform
from simvirt.catalog.sourced import Sourced
from simvirt.memory import Load, Occupancy, footprint
from simvirt.memory.guests import container_memory, daemons, guest_os, runtimes_around
from simvirt.memory.visible import own_vcpus
from simvirt.memory.working_set import IDLE
from simvirt.scenario.spec.models import ServiceSpec

ENDLESS = float("inf")


@dataclass(frozen=True, slots=True)
class Limit:
    """A resource: what one replica of each service takes, what is taken without any, how much there is, and the source of that."""

    resource: str
    per_instance: Mapping[str, float]
    fixed: float
    capacity: float
    source: str
    raised: str = ""
    """How a scenario states twice as much of it, where an entry of the catalogue does."""

    def demand(self, replicas: Mapping[str, int]) -> float:
        """What so many replicas take."""
        return self.fixed + math.fsum(self.per_instance.get(name, 0.0) * n for name, n in replicas.items())

    def most(self, service: str, others: Mapping[str, int] | None = None) -> float:
        """How many replicas of a service fit beside those of others; infinitely many where they take nothing."""
        each = self.per_instance.get(service, 0.0)
        rest = {name: n for name, n in (others or {}).items() if name != service}
        return max(0, math.floor((self.capacity - self.demand(rest)) / each + 1e-9)) if each > 0 else ENDLESS


def limits(there: Occupancy, catalog: Catalog) -> list[Limit]:
    """Memory, disk space, and each limit of the catalogue that replicas take something of, each at its load."""
    found = [_memory(there), *_guest_memory(there), *_committed(there), *_disk_space(there)]
    for name in catalog.names("limits"):
        found += _limit(name, catalog.typed("limits", name, LimitSpec), there)
    return found


def _memory(there: Occupancy) -> Limit:
    """Memory: the difference between two replicas and one is what each takes; the rest is there without them.

    *Ignores*: that replicas dealt out to shared VMs stop fitting into those before the host is full.
    """
    fixed = 0.0
    each: dict[str, float] = {}
    empty = footprint(there.with_counts()).demand
    for name in there.scenario.services:
        one, two = (footprint(there.with_counts(**{name: n})).demand for n in (1, 2))
        each[name] = float(two - one)
        fixed += one - empty - each[name]
    host = there.host
    return Limit("memory", each, empty + max(0.0, fixed), float(host.memory), f"memory of the host {host.name}")


def promised(there: Occupancy) -> tuple[dict[str, float], int]:
    """Memory that is promised to a replica of each service, and without any [bytes]."""
    empty = footprint(there.with_counts()).committed
    one = {name: footprint(there.with_counts(**{name: 1})).committed for name in there.scenario.services}
    return {name: float(size - empty) for name, size in one.items()}, empty


def _committed(there: Occupancy) -> Iterator[Limit]:
    """Memory that may be promised, where the host says how much of it over what there is."""
    ratio = there.scenario.host.memory_ratio
    if ratio is not None:
        each, empty = promised(there)
        most = ratio * there.host.memory
        yield Limit("memory.committed", each, float(empty), most, f"memory_ratio {ratio:g} of the host")


def _guest_memory(there: Occupancy) -> Iterator[Limit]:
    """Memory of the VMs that replicas share: what their own systems leave, the file pages of each image once in each."""
    shape, platform = there.shared_vms, there.platform
    if shape is None:
        return
    guest, (_, inside) = platform.hypervisors[-1].guest, runtimes_around(platform)
    assert guest is not None
    runtime = container_memory(inside)
    services = there.scenario.services.items()
    images = {service.image or name: float(there.needs[name].files) for name, service in services}
    fixed = guest_os(guest, shape.memory) + daemons(inside) + sum(images.values())
    each = {name: need.anonymous(there.loads.get(name, IDLE)) + runtime for name, need in there.needs.items()}
    yield Limit("guest.memory", each, shape.count * fixed, float(shape.count * shape.memory), f"memory of the VMs of {platform.name}")


def _disk_space(there: Occupancy) -> Iterator[Limit]:
    """Disk space: containers share the layers of an image and write beside it; a VM has a disk of its own, cloned in full."""
    disk, platform = there.host.disk, there.platform
    if disk.size is None:
        return
    images = {service.image or name: float(there.needs[name].disk) for name, service in there.scenario.services.items()}
    own = platform.vms is None and bool(platform.hypervisors)
    each = {name: float(need.writable + (need.disk if own else 0)) for name, need in there.needs.items()}
    copies = platform.vms.count if platform.vms is not None else 1
    fixed = 0.0 if own else copies * sum(images.values())
    yield Limit("disk.space", each, fixed, float(disk.size), f"size of the disk {disk.name}")


def _limit(name: str, spec: LimitSpec, there: Occupancy) -> Iterator[Limit]:
    """A limit of the catalogue on this platform; nothing where its instances do not take it."""
    platform, host = there.platform, there.host
    if not _concerns(spec, platform):
        return
    services = there.scenario.services.items()
    each = {one: _each(spec, service, there.loads.get(one, IDLE), platform, host) for one, service in services}
    kernels = platform.vms.count if platform.vms is not None and platform.runtimes else 1
    if any(each.values()):
        cores = host.sockets * host.cores if spec.per_core else 1
        most = kernels * cores * spec.capacity.value
        yield Limit(spec.resource, each, kernels * _value(spec.fixed), most, spec.capacity.source, _raised(name, spec))


def _raised(name: str, spec: LimitSpec) -> str:
    """Twice the capacity of an entry, as a section of a scenario."""
    capacity = f"{{value: {2 * spec.capacity.value:.0f}, source: as set on my host}}"
    return f"catalog: {{limits: {{{name}: {{like: {name}, capacity: {capacity}}}}}}}"


def _concerns(spec: LimitSpec, platform: Platform) -> bool:
    """Whether a limit is one of this platform's instances: of their kind, of a layer that it names, on a network that it is about.

    *Model*: a container with a VM of its own is a VM to the host; it is a container to a limit that names its runtime.
    """
    named = bool(set(spec.layers) & {layer.name for layer in platform.layers})
    if spec.layers and not named:
        return False
    outside = _outside(platform)
    net = outside.net.name if outside is not None else ""
    kinds = {"process" if outside is None else "vm" if outside.kind == "hypervisor" else "container"}
    kinds |= {"container"} if named and platform.runtimes else set()
    return bool(kinds & set(spec.of)) and net not in spec.except_nets and (not spec.nets or net in spec.nets)


def _outside(platform: Platform) -> Layer | None:
    """The layer that ties an instance to the kernel whose limits it takes: its own VM, or the runtime of the kernel that it shares."""
    if platform.runtimes and (platform.vms is not None or not platform.hypervisors):
        return platform.runtimes[-1]
    return platform.layers[0] if platform.layers else None


def _each(spec: LimitSpec, service: ServiceSpec, load: Load, platform: Platform, host: HostEntry) -> float:
    """What one replica takes of a limit."""
    vcpus = own_vcpus(service, host) if platform.hypervisors else 0
    inside = service.workers if isinstance(service.workers, int) else load.requests
    outside = _outside(platform)
    threads = vcpus if outside is not None and outside.kind == "hypervisor" else inside
    return (
        _value(spec.per_instance) + _value(spec.per_thread) * threads + _value(spec.per_connection) * load.connections
        + _value(spec.per_vcpu) * vcpus
    )


def _value(number: Sourced | None) -> float:
    return 0.0 if number is None else number.value

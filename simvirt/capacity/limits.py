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
from simvirt.memory.footprint import footprint, guest_os, runtimes_around, vcpus_of
from simvirt.memory.working_set import IDLE, Load, expected_loads, needs
from simvirt.scenario.spec.models import Scenario, ServiceSpec

ENDLESS = float("inf")


@dataclass(frozen=True, slots=True)
class Limit:
    """A resource: what one replica of each service takes, what is taken without any, how much there is, and the source of that."""

    resource: str
    per_instance: Mapping[str, float]
    fixed: float
    capacity: float
    source: str

    def demand(self, replicas: Mapping[str, int]) -> float:
        """What so many replicas take."""
        return self.fixed + math.fsum(self.per_instance.get(name, 0.0) * n for name, n in replicas.items())

    def most(self, service: str, others: Mapping[str, int] | None = None) -> float:
        """How many replicas of a service fit beside those of others; infinitely many where they take nothing."""
        each = self.per_instance.get(service, 0.0)
        rest = {name: n for name, n in (others or {}).items() if name != service}
        return max(0, math.floor((self.capacity - self.demand(rest)) / each + 1e-9)) if each > 0 else ENDLESS


def limits(
    scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry, load: Mapping[str, Load] | None = None
) -> list[Limit]:
    """Memory, disk space, and each limit of the catalogue that the platform's instances take something of.

    A replica takes what it needs at `load`, by default at the load that Little's law expects for the scenario's own replicas.
    """
    counts = {name: service.replicas for name, service in scenario.services.items()}
    loads = expected_loads(scenario, host, counts) if load is None else load
    found = [_memory(scenario, catalog, platform, host, loads), *_guest_memory(scenario, catalog, platform, host, loads)]
    found += _committed(scenario, catalog, platform, host, loads)
    found += _disk_space(scenario, catalog, platform, host)
    for spec in catalog.limits():
        found += _limit(spec, scenario, platform, host, loads)
    return found


def _memory(scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry, loads: Mapping[str, Load]) -> Limit:
    """Memory: what the first two replicas take apart tells what each takes, and what is there without them.

    *Ignores*: that replicas dealt out to shared VMs stop fitting into those before the host is full.
    """
    none = dict.fromkeys(scenario.services, 0)
    fixed = 0.0
    each: dict[str, float] = {}
    empty = footprint(scenario, catalog, platform, host, none, loads).demand
    for name in scenario.services:
        one, two = (footprint(scenario, catalog, platform, host, none | {name: n}, loads).demand for n in (1, 2))
        each[name] = float(two - one)
        fixed += one - empty - each[name]
    return Limit("memory", each, empty + max(0.0, fixed), float(host.memory), f"memory of the host {host.name}")


def _committed(
    scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry, loads: Mapping[str, Load]
) -> Iterator[Limit]:
    """Memory that may be promised, where the host says how much of it over what there is."""
    ratio = scenario.host.memory_ratio
    if ratio is None:
        return
    none = dict.fromkeys(scenario.services, 0)
    empty = footprint(scenario, catalog, platform, host, none, loads).committed
    each = {name: float(footprint(scenario, catalog, platform, host, none | {name: 1}, loads).committed - empty) for name in none}
    yield Limit("memory.committed", each, float(empty), ratio * host.memory, f"memory_ratio {ratio:g} of the host")


def _guest_memory(
    scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry, loads: Mapping[str, Load]
) -> Iterator[Limit]:
    """Memory of the VMs that replicas share: what their own systems leave, the file pages of each image once in each."""
    if platform.vms is None or not platform.hypervisors:
        return
    shape, guest = platform.vms.on(host), platform.hypervisors[-1].guest
    assert guest is not None
    _, inside = runtimes_around(platform)
    wanted = {name: needs(catalog, service) for name, service in scenario.services.items()}
    runtime = sum(layer.memory_bytes + layer.container.kernel for layer in inside)
    images = {service.image or name: float(wanted[name].files) for name, service in scenario.services.items()}
    fixed = guest_os(guest, shape.memory) + sum(layer.container.daemon for layer in inside) + sum(images.values())
    each = {name: need.anonymous(loads.get(name, IDLE)) + runtime for name, need in wanted.items()}
    yield Limit("guest.memory", each, shape.count * fixed, float(shape.count * shape.memory), f"memory of the VMs of {platform.name}")


def _disk_space(scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry) -> Iterator[Limit]:
    """Disk space: containers share the layers of an image and write beside it; a VM has a disk of its own, cloned in full."""
    if host.disk.size is None:
        return
    wanted = {name: needs(catalog, service) for name, service in scenario.services.items()}
    images = {service.image or name: float(wanted[name].disk) for name, service in scenario.services.items()}
    own = platform.vms is None and bool(platform.hypervisors)
    each = {name: float(need.writable + (need.disk if own else 0)) for name, need in wanted.items()}
    copies = platform.vms.count if platform.vms is not None else 1
    fixed = 0.0 if own else copies * sum(images.values())
    yield Limit("disk.space", each, fixed, float(host.disk.size), f"size of the disk {host.disk.name}")


def _limit(
    spec: LimitSpec, scenario: Scenario, platform: Platform, host: HostEntry, loads: Mapping[str, Load]
) -> Iterator[Limit]:
    """A limit of the catalogue on this platform; nothing where its instances do not take it."""
    if not _concerns(spec, platform):
        return
    each = {name: _each(spec, service, loads.get(name, IDLE), platform, host) for name, service in scenario.services.items()}
    kernels = platform.vms.count if platform.vms is not None and platform.runtimes else 1
    if any(each.values()):
        cores = host.sockets * host.cores if spec.per_core else 1
        yield Limit(spec.resource, each, kernels * _value(spec.fixed), kernels * cores * spec.capacity.value, spec.capacity.source)


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
    vcpus = vcpus_of(service, host) if platform.hypervisors else 0
    inside = service.threads if isinstance(service.threads, int) else load.requests
    outside = _outside(platform)
    threads = vcpus if outside is not None and outside.kind == "hypervisor" else inside
    return (
        _value(spec.per_instance) + _value(spec.per_thread) * threads + _value(spec.per_connection) * load.connections
        + _value(spec.per_vcpu) * vcpus
    )


def _value(number: Sourced | None) -> float:
    return 0.0 if number is None else number.value

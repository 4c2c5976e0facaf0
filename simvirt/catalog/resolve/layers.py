"""From a scenario's platform to its layers, and from layers to what an operation costs on a host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from simvirt.catalog.entries.costs import CostSpec
from simvirt.catalog.entries.software import DeviceSpec, GuestSpec, HypervisorSpec, PlatformEntrySpec, RuntimeSpec, TechniqueSpec
from simvirt.catalog.operations import OPERATIONS
from simvirt.catalog.problems import Path
from simvirt.catalog.records import (
    ContainerMemory,
    Cost,
    DeviceEntry,
    Dom0,
    GuestEntry,
    HostEntry,
    HostLoad,
    Layer,
    MonitorMemory,
    Platform,
    PlatformCosts,
    ProfileEntry,
    Vms,
)
from simvirt.catalog.sourced import Sourced
from simvirt.scenario.spec.models import PlatformSpec

if TYPE_CHECKING:
    from simvirt.catalog.catalog import Catalog

BARE = PlatformEntrySpec(title="as the scenario says", source="the scenario", stack=())
"""What a platform with a stack of its own starts from."""


def platform(catalog: Catalog, spec: PlatformSpec, path: Path) -> Platform:
    """The platform of `spec`: the stack it states, or that of the catalogue's platform of its name; what it sets up otherwise wins."""
    base = catalog.typed("platforms", spec.name, PlatformEntrySpec, path) if spec.stack is None else BARE
    stack = base.stack if spec.stack is None else spec.stack
    layers = stack_layers(catalog, stack, (*path, "stack"))
    for role in ("net", "disk"):
        name = getattr(spec, role) or getattr(base, role)
        if name is not None:
            layers = with_device(catalog, layers, role, name, (*path, role))
    _check_dom0(layers)
    return Platform(
        name=spec.name, layers=layers, vms=_vms(spec, base), pin=base.pin if spec.pin is None else spec.pin,
        topology=spec.topology or base.topology, pages=spec.pages or base.pages, balloon=spec.balloon,
        free_page_reporting=spec.free_page_reporting, guest_swap=spec.guest_swap,
    )


def _check_dom0(layers: tuple[Layer, ...]) -> None:
    """ValueError where a device is served in a domain that the hypervisor has not."""
    for layer in layers:
        for path in (layer.net, layer.disk):
            if path.backend == "dom0" and layer.dom0 is None:
                raise ValueError(f'device "{path.name}" is served in dom0, which "{layer.name}" has not')


def named_platform(catalog: Catalog, name: str) -> Platform:
    """A platform of the catalogue as it is; ScenarioError where it does not exist."""
    return platform(catalog, PlatformSpec(name=name), ())


def _vms(spec: PlatformSpec, base: PlatformEntrySpec) -> Vms | None:
    """The VMs that replicas share, as the scenario or the catalogue's platform says."""
    if spec.vms is not None:
        return Vms(spec.vms.count, spec.vms.vcpus, spec.vms.memory)
    if base.vms is not None:
        return Vms(base.vms.count, cpu_share=base.vms.cpus.value, memory_share=base.vms.memory.value)
    return None


def with_device(catalog: Catalog, layers: tuple[Layer, ...], role: str, name: str, path: Path) -> tuple[Layer, ...]:
    """The layers with another network or disk path in the innermost layer on whose side it is.

    ScenarioError at `path` where no device has that name and role, or no layer its side.
    """
    known = [device for device in catalog.names("devices") if catalog.typed("devices", device, DeviceSpec).role == role]
    if name not in known:
        catalog.fail(path, "devices", name, known)
    spec = catalog.typed("devices", name, DeviceSpec)
    at = [index for index, layer in enumerate(layers) if layer.kind == spec.side]
    if not at:
        catalog.fail(path, f"{spec.side}s", "that this device could belong to", ())
    old, path_entry = layers[at[-1]], device(spec, name)
    changed = replace(
        old, net=path_entry if role == "net" else old.net, disk=path_entry if role == "disk" else old.disk,
        costs=MappingProxyType({**old.costs, **spec.costs}),
    )
    return (*layers[: at[-1]], changed, *layers[at[-1] + 1 :])


def stack_layers(catalog: Catalog, stack: Sequence[str], path: Path) -> tuple[Layer, ...]:
    """The layers of a stack, outermost first; each knows how many hypervisors are below it."""
    found: list[Layer] = []
    for index, name in enumerate(stack):
        depth = sum(below.kind == "hypervisor" for below in found)
        found.append(layer(catalog, name, depth, (*path, index)))
    return tuple(found)


def layer(catalog: Catalog, name: str, depth: int, path: Path) -> Layer:
    """One hypervisor or runtime as a layer; ScenarioError at `path` where neither has that name."""
    if name in catalog.names("hypervisors"):
        return _hypervisor(catalog, name, depth)
    if name in catalog.names("runtimes"):
        return _runtime(catalog, name, depth)
    catalog.fail(path, "layers", name, (*catalog.names("hypervisors"), *catalog.names("runtimes")))


def _hypervisor(catalog: Catalog, name: str, depth: int) -> Layer:
    spec = catalog.typed("hypervisors", name, HypervisorSpec)
    vmm_memory = int(spec.vmm_memory.value)
    return Layer(
        kind="hypervisor", name=name, technique=spec.technique, type=spec.type, isolation=spec.isolation,
        guest=catalog.guest(spec.guest, vmm_memory), memory_bytes=vmm_memory, costs=costs_of(catalog, spec), depth=depth,
        net=_device(catalog, spec.net), disk=_device(catalog, spec.disk), halt_poll_ns=spec.halt_poll.value if spec.halt_poll else 0.0,
        scheduler=spec.scheduler, spin_wait=spec.spin_wait.value if spec.spin_wait else 1.0,
        dom0=Dom0(int(spec.dom0.vcpus.value), int(spec.dom0.memory.value)) if spec.dom0 else None, host_load=_host_load(spec),
        monitor=_monitor(spec),
    )


def _size(number: Sourced | None) -> int:
    """A size that may be left out [bytes]."""
    return int(number.value) if number else 0


def _monitor(spec: HypervisorSpec) -> MonitorMemory:
    """The memory of a hypervisor's monitors in internal units."""
    return MonitorMemory(
        shared=_size(spec.vmm_shared), per_vcpu=_size(spec.vmm_per_vcpu),
        per_memory=spec.vmm_per_memory.value if spec.vmm_per_memory else 0.0,
        video=_size(spec.video_memory), host=_size(spec.host_memory), preallocated=spec.preallocated,
    )


def _host_load(spec: HypervisorSpec) -> HostLoad | None:
    """The load of a hosted hypervisor in internal units."""
    load = spec.host_load
    return HostLoad(int(load.threads.value), load.duty.value, load.period.value) if load else None


def _runtime(catalog: Catalog, name: str, depth: int) -> Layer:
    spec = catalog.typed("runtimes", name, RuntimeSpec)
    return Layer(
        kind="runtime", name=name, technique=spec.technique, type=None, isolation=spec.isolation, guest=None,
        memory_bytes=int(spec.shim_memory.value), costs=costs_of(catalog, spec), depth=depth,
        net=_device(catalog, spec.net), disk=_device(catalog, spec.disk),
        container=ContainerMemory(_size(spec.kernel_memory), _size(spec.daemon_memory), spec.shares_files),
    )


def costs_of(catalog: Catalog, spec: HypervisorSpec | RuntimeSpec) -> Mapping[str, CostSpec]:
    """Every operation's cost in a layer: those of its technique and of its devices, and what it has otherwise."""
    technique = catalog.typed("techniques", spec.technique, TechniqueSpec)
    paths = [catalog.typed("devices", name, DeviceSpec) for name in (spec.net, spec.disk)]
    found = {**technique.costs, **paths[0].costs, **paths[1].costs, **spec.costs}
    return MappingProxyType({operation: found[operation] for operation in OPERATIONS})


def _device(catalog: Catalog, name: str) -> DeviceEntry:
    return device(catalog.typed("devices", name, DeviceSpec), name)


def device(spec: DeviceSpec, name: str) -> DeviceEntry:
    """A network or disk path in internal units."""
    return DeviceEntry(
        name=name, role=spec.role, side=spec.side, model=spec.model, backend=spec.backend, serial=spec.serial, cache=spec.cache,
        moderation_ns=spec.moderation.value if spec.moderation else 0.0, poll_ns=spec.poll.value if spec.poll else 0.0,
    )


def guest(spec: GuestSpec, name: str, vmm_memory_bytes: int) -> GuestEntry:
    """A guest operating system in internal units."""
    return GuestEntry(
        name=name, memory_bytes=int(spec.memory.value), background_duty=spec.background_duty.value,
        background_period_ns=spec.background_period.value, scheduler=spec.scheduler, tick_ns=spec.tick.value,
        vmm_memory_bytes=vmm_memory_bytes, page_structs=spec.page_structs.value if spec.page_structs else 0.0,
        bounce_buffer=_size(spec.bounce_buffer), file_cache=_size(spec.file_cache), boot_memory=_size(spec.boot_memory),
        same=spec.same.value if spec.same else 0.0,
    )


def platform_costs(platform: Platform, host: HostEntry) -> PlatformCosts:
    """The cost of each operation on `host`, summed over the layers of `platform` [ns].

    *Model*: an operation inside a container inside a VM pays both layers; nothing is multiplied.
    """
    costs = {operation: _sum(platform, operation, host) for operation in OPERATIONS}
    parts = {field.name: MappingProxyType({name: getattr(cost, field.name) for name, cost in costs.items()}) for field in fields(Cost)}
    return PlatformCosts(**parts)


def software_costs(costs: PlatformCosts, platform: Platform, host: HostEntry, profile: ProfileEntry) -> PlatformCosts:
    """The costs of a platform for software with a profile."""
    return costs.with_walks(walk_miss_ns(platform, host) * (profile.walk_miss or 0.0))


def walk_miss_ns(platform: Platform, host: HostEntry) -> float:
    """What a TLB miss costs beyond `platform_costs` where its walk misses the caches [ns]: the host's last entry is read from memory.

    *Model*: of the references beyond a plain walk the one for the page itself is as rare in the caches as the guest's own last entry.
    """
    walks = [term for layer in platform.layers if layer.depth == 0 for term in layer.costs["tlb_miss"].cpu or ()]
    count = sum(work.value for work in walks if work.unit == "nested_walks")
    reach = (host.family.huge_reach or 1.0) if platform.pages == "huge" else 1.0
    return count * (host.family.memory_latency_ns or 0.0) / reach


def _sum(platform: Platform, operation: str, host: HostEntry) -> Cost:
    return sum((layer.cost(operation, host, platform.pages) for layer in platform.layers), Cost())

"""From a scenario's platform to its layers, and from layers to what an operation costs on a host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from simvirt.catalog.entries.capacity import BurstableEntry
from simvirt.catalog.entries.costs import CostSpec
from simvirt.catalog.entries.files import FilesystemEntry
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.catalog.entries.software import (
    DeviceEntry,
    GuestEntry,
    HypervisorSpec,
    PlatformEntrySpec,
    ProfileEntry,
    RuntimeSpec,
    TechniqueSpec,
)
from simvirt.catalog.operations import NET_OPERATIONS, OPERATIONS
from simvirt.catalog.problems import Path
from simvirt.catalog.records import ContainerMemory, Cost, Credits, HostEntry, Layer, MonitorMemory, Platform, PlatformCosts, Vms
from simvirt.catalog.store import Store
from simvirt.scenario.spec.host import CreditsSpec, DiskCache
from simvirt.scenario.spec.models import PlatformSpec

CREDIT_NS = 60e9
"""CPU time of a credit: a vCPU for a minute. Source: AWS, Amazon EC2 user guide, key concepts for burstable performance instances."""
BARE = PlatformEntrySpec(title="as the scenario says", source="the scenario", stack=())
"""What a platform with a stack of its own starts from."""


def platform(store: Store, spec: PlatformSpec, path: Path) -> Platform:
    """The platform of `spec`: the stack it states, or that of the catalogue's platform of its name; what it sets up otherwise wins."""
    base = store.typed("platforms", spec.name, PlatformEntrySpec, path) if spec.stack is None else BARE
    stack = base.stack if spec.stack is None else spec.stack
    layers = stack_layers(store, stack, (*path, "stack"))
    for role in ("net", "disk"):
        name = getattr(spec, role) or getattr(base, role)
        if name is not None:
            layers = with_device(store, layers, role, name, (*path, role))
    layers = _with_cache(layers, spec.disk_cache)
    _check_dom0(layers)
    return Platform(
        name=spec.name, layers=_without_network_threads(layers), vms=_vms(spec, base), pin=base.pin if spec.pin is None else spec.pin,
        topology=spec.topology or base.topology, pages=spec.pages or base.pages, balloon=spec.balloon,
        free_page_reporting=spec.free_page_reporting, guest_swap=spec.guest_swap, cap=spec.cap,
        credits=None if spec.credits is None else credits(store, spec.credits, (*path, "credits")),
        puller=_entry(store, "pullers", spec.puller, (*path, "puller")),
        disk_image=_entry(store, "disk_images", spec.disk_image, (*path, "disk_image")),
        own_migrator=_entry(store, "migrators", spec.migrator, (*path, "migrator")),
        **_orchestrated(store, spec.orchestrator, (*path, "orchestrator")),
    )


def _orchestrated(store: Store, name: str | None, path: Path) -> dict[str, Any]:
    """What acts on instances, and how it places them."""
    if name is None:
        return {}
    entry = store.typed("orchestrators", name, OrchestratorEntry, path)
    return {
        "orchestrator": entry.name, "reserves": entry.reserves, "places": entry.places, "acts": entry.acts,
        "priorities": entry.priorities, "balances": entry.balance is not None,
    }


def _entry(store: Store, kind: str, name: str | None, path: Path) -> str | None:
    """The name of an entry, where one is named; ScenarioError at `path` where there is none."""
    return None if name is None else store.entry(kind, name, path).name


def _with_cache(layers: tuple[Layer, ...], mode: DiskCache | None) -> tuple[Layer, ...]:
    """The layers where the host's page cache does for the disks of the innermost VMs what is stated, and what is copied from and to it."""
    at = [index for index, layer in enumerate(layers) if layer.kind == "hypervisor"]
    if mode is None or not at:
        return layers
    old = layers[at[-1]]
    copied = old.disk.cached if mode != "none" and old.disk.cache == "none" else None
    costs = MappingProxyType({**old.costs, **(copied or {})})
    changed = replace(old, disk=old.disk.model_copy(update={"cache": mode}), costs=costs)
    return (*layers[: at[-1]], changed, *layers[at[-1] + 1 :])


def credits(store: Store, spec: CreditsSpec, path: Path) -> Credits:
    """What a VM earns and saves up, as a scenario or an instance of the catalogue says."""
    of = None if spec.of is None else store.typed("burstable", spec.of, BurstableEntry, (*path, "of"))
    earned = spec.earn if spec.earn is not None or of is None else of.earned
    most = spec.most if spec.most is not None or of is None else of.most
    assert earned is not None and most is not None
    balance = spec.balance if spec.balance is not None else (of.launch if of is not None else None) or 0.0
    return Credits(earned * CREDIT_NS / 1e9, most * CREDIT_NS, balance * CREDIT_NS)


def _without_network_threads(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """The layers where containers in VMs have no network threads of their own: what those would do is work of the instance.

    *Ignores*: that a guest's receive softirqs and a network stack inside it run beside the application on the guest's CPUs.
    """
    if all(layer.kind == "runtime" for layer in layers):
        return layers
    return tuple(layer if layer.kind == "hypervisor" else replace(layer, costs=_own_work(layer.costs)) for layer in layers)


def _own_work(costs: Mapping[str, CostSpec]) -> Mapping[str, CostSpec]:
    """Costs in which the work of a network thread is the instance's own, and the thread's wake-up a latency."""
    found = dict(costs)
    for operation in NET_OPERATIONS:
        cost = found[operation]
        cpu, latency = (*(cost.cpu or ()), *(cost.host_cpu or ())), (*(cost.latency or ()), *(cost.wake or ()))
        found[operation] = cost.model_copy(update={"cpu": cpu or None, "latency": latency or None, "host_cpu": None, "wake": None})
    return MappingProxyType(found)


def _check_dom0(layers: tuple[Layer, ...]) -> None:
    """ValueError where a device is served in a domain that the hypervisor has not."""
    for layer in layers:
        for path in (layer.net, layer.disk):
            if path.backend == "dom0" and layer.dom0 is None:
                raise ValueError(f'device "{path.name}" is served in dom0, which "{layer.name}" has not')


def named_platform(store: Store, name: str) -> Platform:
    """A platform of the catalogue as it is; ScenarioError where it does not exist."""
    return platform(store, PlatformSpec(name=name), ())


def _vms(spec: PlatformSpec, base: PlatformEntrySpec) -> Vms | None:
    """The VMs that replicas share, as the scenario or the catalogue's platform says."""
    if spec.vms is not None:
        return Vms(spec.vms.count, spec.vms.vcpus, spec.vms.memory)
    if base.vms is not None:
        return Vms(base.vms.count, cpu_share=base.vms.cpus, memory_share=base.vms.memory)
    return None


def with_device(store: Store, layers: tuple[Layer, ...], role: str, name: str, path: Path) -> tuple[Layer, ...]:
    """The layers with another network or disk path in the innermost layer on whose side it is.

    ScenarioError at `path` where no device has that name and role, or no layer its side.
    """
    spec = _device(store, role, name, path)
    at = [index for index, layer in enumerate(layers) if layer.kind == spec.side]
    if not at:
        store.fail(path, f"{spec.side}s", "that this device could belong to", ())
    old = layers[at[-1]]
    changed = replace(
        old, net=spec if role == "net" else old.net, disk=spec if role == "disk" else old.disk,
        costs=MappingProxyType({**old.costs, **spec.costs}), files=filesystem(store, spec) if role == "disk" else old.files,
    )
    return (*layers[: at[-1]], changed, *layers[at[-1] + 1 :])


def _device(store: Store, role: str, name: str, path: Path) -> DeviceEntry:
    """A network or disk path by name; ScenarioError at `path` where no device of that role has it."""
    found = store.typed("devices", name, DeviceEntry) if name in store.raw("devices") else None
    if found is not None and found.role == role:
        return found
    known = [device for device in store.names("devices") if store.typed("devices", device, DeviceEntry).role == role]
    store.fail(path, "devices", name, known)


def stack_layers(store: Store, stack: Sequence[str], path: Path) -> tuple[Layer, ...]:
    """The layers of a stack, outermost first; each knows how many hypervisors are below it."""
    found: list[Layer] = []
    for index, name in enumerate(stack):
        depth = sum(below.kind == "hypervisor" for below in found)
        found.append(layer(store, name, depth, (*path, index)))
    return tuple(found)


def layer(store: Store, name: str, depth: int, path: Path) -> Layer:
    """One hypervisor or runtime as a layer; ScenarioError at `path` where neither has that name."""
    if name in store.names("hypervisors"):
        return _hypervisor(store, name, depth)
    if name in store.names("runtimes"):
        return _runtime(store, name, depth)
    store.fail(path, "layers", name, (*store.names("hypervisors"), *store.names("runtimes")))


def _hypervisor(store: Store, name: str, depth: int) -> Layer:
    spec = store.typed("hypervisors", name, HypervisorSpec)
    net, disk = _devices(store, spec)
    return Layer(
        kind="hypervisor", name=name, technique=spec.technique, type=spec.type, isolation=spec.isolation,
        guest=store.typed("guests", spec.guest, GuestEntry), memory_bytes=spec.vmm_memory, costs=costs_of(store, spec), depth=depth,
        net=net, disk=disk, files=filesystem(store, disk), halt_poll_ns=spec.halt_poll or 0.0, scheduler=spec.scheduler,
        spin_wait=1.0 if spec.spin_wait is None else spec.spin_wait, dom0=spec.dom0, host_load=spec.host_load, migrator=spec.migrator,
        monitor=MonitorMemory(
            spec.vmm_shared or 0, spec.vmm_per_vcpu or 0, spec.vmm_per_memory or 0.0, spec.video_memory or 0, spec.host_memory or 0,
            spec.preallocated,
        ),
    )


def _runtime(store: Store, name: str, depth: int) -> Layer:
    spec = store.typed("runtimes", name, RuntimeSpec)
    net, disk = _devices(store, spec)
    return Layer(
        kind="runtime", name=name, technique=spec.technique, type=None, isolation=spec.isolation, guest=None, migrator=spec.migrator,
        memory_bytes=spec.shim_memory, costs=costs_of(store, spec), depth=depth, net=net, disk=disk,
        files=filesystem(store, disk), container=ContainerMemory(spec.kernel_memory or 0, spec.daemon_memory or 0, spec.shares_files),
    )


def _devices(store: Store, spec: HypervisorSpec | RuntimeSpec) -> tuple[DeviceEntry, DeviceEntry]:
    """The network and the disk path of a layer."""
    return store.typed("devices", spec.net, DeviceEntry), store.typed("devices", spec.disk, DeviceEntry)


def filesystem(store: Store, disk: DeviceEntry) -> FilesystemEntry | None:
    """The file system that a path to a disk is, beyond a local one; None where it is a block device.

    ValueError where a thread is to serve it, and the path has none.
    """
    if disk.filesystem is None:
        return None
    found = store.typed("filesystems", disk.filesystem, FilesystemEntry)
    if found.server == "backend" and (disk.side != "hypervisor" or disk.backend in ("none", "vcpu")):
        raise ValueError(f'file system "{found.name}" is served by the backend of a VM, which device "{disk.name}" has not')
    return found


def costs_of(store: Store, spec: HypervisorSpec | RuntimeSpec) -> Mapping[str, CostSpec]:
    """Every operation's cost in a layer: those of its technique and of its devices, and what it has otherwise."""
    technique = store.typed("techniques", spec.technique, TechniqueSpec)
    net, disk = _devices(store, spec)
    found = {**technique.costs, **net.costs, **disk.costs, **spec.costs}
    return MappingProxyType({operation: found[operation] for operation in OPERATIONS})


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
    return count * (host.family.memory_latency or 0.0) / reach


def _sum(platform: Platform, operation: str, host: HostEntry) -> Cost:
    return sum((layer.cost(operation, host, platform.pages) for layer in platform.layers), Cost())

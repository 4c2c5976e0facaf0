"""From a scenario's platform to its layers, and from layers to what an operation costs on a host."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from simvirt.catalog.entries import GuestSpec, HypervisorSpec, PlatformEntrySpec, RuntimeSpec
from simvirt.catalog.operations import OPERATIONS
from simvirt.catalog.problems import Path
from simvirt.catalog.resolved import Cost, GuestEntry, HostEntry, Layer, Platform, PlatformCosts

if TYPE_CHECKING:
    from simvirt.catalog.catalog import Catalog
    from simvirt.scenario.models import PlatformSpec


def platform(catalog: Catalog, spec: PlatformSpec, path: Path) -> Platform:
    """The platform of `spec`: the stack it states, or that of the catalogue's platform of its name."""
    stack = spec.stack
    if stack is None:
        stack = catalog.typed("platforms", spec.name, PlatformEntrySpec, path).stack
    return Platform(name=spec.name, layers=stack_layers(catalog, stack, (*path, "stack")), vms=spec.vms)


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
        guest=catalog.guest(spec.guest, vmm_memory), memory_bytes=vmm_memory, costs=MappingProxyType(spec.costs), depth=depth,
    )


def _runtime(catalog: Catalog, name: str, depth: int) -> Layer:
    spec = catalog.typed("runtimes", name, RuntimeSpec)
    return Layer(
        kind="runtime", name=name, technique=spec.technique, type=None, isolation=spec.isolation, guest=None,
        memory_bytes=int(spec.shim_memory.value), costs=MappingProxyType(spec.costs), depth=depth,
    )


def guest(spec: GuestSpec, name: str, vmm_memory_bytes: int) -> GuestEntry:
    """A guest operating system in internal units."""
    return GuestEntry(
        name=name, memory_bytes=int(spec.memory.value), background_duty=spec.background_duty.value,
        background_period_ns=spec.background_period.value, scheduler=spec.scheduler, tick_ns=spec.tick.value,
        vmm_memory_bytes=vmm_memory_bytes,
    )


def platform_costs(platform: Platform, host: HostEntry) -> PlatformCosts:
    """The cost of each operation on `host`, summed over the layers of `platform` [ns].

    *Model*: an operation inside a container inside a VM pays both layers; nothing is multiplied.
    """
    costs = {operation: _sum(platform, operation, host) for operation in OPERATIONS}
    return PlatformCosts(
        cpu_ns=MappingProxyType({operation: cost.cpu_ns for operation, cost in costs.items()}),
        latency_ns=MappingProxyType({operation: cost.latency_ns for operation, cost in costs.items()}),
        host_cpu_ns=MappingProxyType({operation: cost.host_cpu_ns for operation, cost in costs.items()}),
    )


def _sum(platform: Platform, operation: str, host: HostEntry) -> Cost:
    return sum((layer.cost(operation, host) for layer in platform.layers), Cost())

"""The entries of the catalogue as written in YAML: one pydantic model for each kind, frozen, unknown keys refused.

Plain fields (cores, clock, memory of a host) are data-sheet facts and share the `source` of their entry; everything measured
or derived is a `Sourced` number with a source of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from simvirt import units
from simvirt.catalog.operations import DEVICE_OPERATIONS, OPERATIONS, RATE_OPERATIONS
from simvirt.catalog.quantities import (
    SourcedCount,
    SourcedCycles,
    SourcedRate,
    SourcedRatio,
    SourcedSize,
    SourcedThroughput,
    SourcedTime,
    SourcedWork,
)

Count = Annotated[int, Field(ge=1)]
Hertz = Annotated[float, BeforeValidator(units.parse_frequency)]
Bytes = Annotated[int, BeforeValidator(units.parse_size)]
BitsPerSecond = Annotated[float, BeforeValidator(units.parse_bandwidth)]
Source = Annotated[str, Field(min_length=8)]
Technique = Literal[
    "none", "full-emulation", "binary-translation", "paravirtualization", "shadow-paging", "nested-paging", "user-space-kernel",
]
Isolation = Literal["namespaces", "user-space-kernel", "hardware", "software"]


class Entry(BaseModel):
    """What all entries share: what it is, and where its plain facts come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    source: Source


class FamilySpec(Entry):
    """A processor family: what a VM exit, a page walk and a busy sibling cost on it."""

    smt_yield: SourcedRatio
    vm_exit: SourcedCycles
    nested_vm_exit: SourcedCycles
    native_walk: SourcedCycles
    nested_walk: SourcedCycles

    @model_validator(mode="after")
    def _ordered(self) -> FamilySpec:
        if self.nested_walk.value < self.native_walk.value:
            raise ValueError("nested_walk: expected at least native_walk, a two-dimensional walk includes the plain one")
        if not 1.0 <= self.smt_yield.value <= 2.0:
            raise ValueError("smt_yield: expected 1 to 2, the throughput of two siblings over that of one")
        return self


class CpuSpec(Entry):
    """A processor model: cores, threads per core, clock, family."""

    family: str
    cores: Count
    smt: Annotated[int, Field(ge=1, le=8)]
    clock: Hertz


class HostModelSpec(Entry):
    """A host model: processors, memory, disk, NIC and the timer tick of its kernel."""

    cpu: str
    sockets: Count
    memory: Bytes
    disk: str
    nic: str
    tick: SourcedTime | None = None


class DiskModelSpec(Entry):
    """A block device: how many requests it serves at once, how long one takes, how many bytes pass."""

    channels: SourcedCount
    read_latency: SourcedTime
    write_latency: SourcedTime
    flush_latency: SourcedTime
    read_throughput: SourcedThroughput
    write_throughput: SourcedThroughput


class NicModelSpec(Entry):
    """A network interface: line rate, MTU and the largest segment handed over as one packet."""

    bandwidth: BitsPerSecond
    mtu: SourcedSize
    segment: SourcedSize


class CostSpec(BaseModel):
    """What one operation costs on a platform; `none` says why it costs nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cpu: SourcedWork | None = None
    latency: SourcedWork | None = None
    host_cpu: SourcedWork | None = None
    none: Source | None = None

    @model_validator(mode="after")
    def _complete(self) -> CostSpec:
        parts = (self.cpu, self.latency, self.host_cpu)
        if (self.none is None) == all(part is None for part in parts):
            raise ValueError('expected cpu, latency or host_cpu, or else none: "why it costs nothing", with its source')
        return self


def _operations(costs: Any) -> Any:
    """Refuses unknown and missing operations, all at once."""
    if isinstance(costs, Mapping):
        unknown = sorted(set(costs) - set(OPERATIONS))
        missing = [name for name in OPERATIONS if name not in costs]
        if unknown or missing:
            raise ValueError(f"expected a cost for each of {', '.join(OPERATIONS)}; unknown: {unknown}; missing: {missing}")
    return costs


def _rates(rates: Any) -> Any:
    """Refuses unknown and missing rates, all at once."""
    if isinstance(rates, Mapping):
        unknown = sorted(set(rates) - set(RATE_OPERATIONS))
        missing = [name for name in RATE_OPERATIONS if name not in rates]
        if unknown or missing:
            raise ValueError(f"expected a rate for each of {', '.join(RATE_OPERATIONS)}; unknown: {unknown}; missing: {missing}")
    return rates


Costs = Annotated[dict[str, CostSpec], BeforeValidator(_operations)]


def acting_parts(operation: str, vm: bool) -> tuple[str, ...]:
    """The parts of an operation's cost that a simulation charges, in a VM or in a container."""
    if operation == "call_hop":
        return ("latency",)
    if operation == "idle_wakeup":
        return ("cpu", "latency") if vm else ()
    return ("cpu", "latency", "host_cpu") if vm and operation in DEVICE_OPERATIONS else ("cpu", "latency")


def _refuse_idle_parts(costs: Mapping[str, CostSpec], vm: bool) -> None:
    """ValueError where a cost has a part that nothing would charge."""
    for operation, cost in costs.items():
        known = acting_parts(operation, vm)
        idle = [part for part in ("cpu", "latency", "host_cpu") if getattr(cost, part) is not None and part not in known]
        if idle:
            raise ValueError(f"costs.{operation}.{idle[0]}: has no effect; expected {' or '.join(known) or 'none'}")


class HypervisorSpec(Entry):
    """A hypervisor: its technique, its guest, the memory of its monitor, and what each operation costs."""

    technique: Technique
    type: Literal[1, 2]
    isolation: Isolation
    guest: str
    vmm_memory: SourcedSize
    costs: Costs

    @model_validator(mode="after")
    def _costs_act(self) -> HypervisorSpec:
        _refuse_idle_parts(self.costs, vm=True)
        return self


class RuntimeSpec(Entry):
    """A container runtime with its network and storage path: what each operation costs."""

    technique: Technique
    isolation: Isolation
    shim_memory: SourcedSize
    costs: Costs

    @model_validator(mode="after")
    def _costs_act(self) -> RuntimeSpec:
        _refuse_idle_parts(self.costs, vm=False)
        return self


class GuestSpec(Entry):
    """A guest operating system: memory it takes, CPU it uses while idle, its scheduler."""

    scheduler: Literal["eevdf", "cfs", "round-robin"]
    tick: SourcedTime
    memory: SourcedSize
    background_duty: SourcedRatio
    background_period: SourcedTime


class ImageSpec(Entry):
    """An image: how often its software performs each operation in a second of CPU time."""

    aliases: tuple[str, ...] = ()
    rates: Annotated[dict[str, SourcedRate], BeforeValidator(_rates)]


class PlatformEntrySpec(Entry):
    """A platform: the layers between host and application, outermost first."""

    stack: tuple[str, ...]


KINDS: Final[Mapping[str, type[Entry]]] = {
    "hosts": HostModelSpec,
    "families": FamilySpec,
    "cpus": CpuSpec,
    "disks": DiskModelSpec,
    "nics": NicModelSpec,
    "hypervisors": HypervisorSpec,
    "runtimes": RuntimeSpec,
    "guests": GuestSpec,
    "images": ImageSpec,
    "platforms": PlatformEntrySpec,
}
"""Kind of entry, which is also the name of its section and of its file -> its model."""

REFERENCES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "hosts": {"cpu": ("cpus",), "disk": ("disks",), "nic": ("nics",)},
    "cpus": {"family": ("families",)},
    "hypervisors": {"guest": ("guests",)},
    "platforms": {"stack": ("hypervisors", "runtimes")},
}
"""Kind -> field that names other entries -> the kinds it may name."""

"""The entries of hardware as written in YAML: processors, hosts, disks and NICs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from simvirt import units
from simvirt.catalog.entries.entry import Entry
from simvirt.catalog.sourced import SourcedCount, SourcedCycles, SourcedRate, SourcedRatio, SourcedSize, SourcedThroughput, SourcedTime
from simvirt.scenario.spec.host import Mitigations

Count = Annotated[int, Field(ge=1)]
Hertz = Annotated[float, BeforeValidator(units.parse_frequency)]
Bytes = Annotated[int, BeforeValidator(units.parse_size)]
BitsPerSecond = Annotated[float, BeforeValidator(units.parse_bandwidth)]


class CstateSpec(BaseModel):
    """An idle state: the shortest idleness that it pays for, and the time that leaving it takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    residency: SourcedTime
    exit: SourcedTime


class FamilySpec(Entry):
    """A processor family: what a VM exit, a page walk, an entry of a kernel and a busy sibling cost on it, and how it sleeps.

    `kernel_entry` is a trivial system call, there and back, of a kernel without mitigations of the family's flaws, `mitigated_entry` of one
    that mitigates what it finds (page-table isolation against Meltdown, cleared buffers, guarded branches).
    """

    smt_yield: SourcedRatio
    work_per_cycle: SourcedRatio
    vm_exit: SourcedCycles
    nested_vm_exit: SourcedCycles
    native_walk: SourcedCycles
    nested_walk: SourcedCycles
    kernel_entry: SourcedCycles
    mitigated_entry: SourcedCycles
    memory_bandwidth: SourcedThroughput | None = None
    memory_latency: SourcedTime | None = None
    llc: SourcedSize | None = None
    remote_latency: SourcedRatio | None = None
    huge_reach: SourcedRatio | None = None
    cstates: Mapping[str, CstateSpec] = {}

    @model_validator(mode="after")
    def _ordered(self) -> FamilySpec:
        if self.nested_walk.value < self.native_walk.value:
            raise ValueError("nested_walk: expected at least native_walk, a two-dimensional walk includes the plain one")
        if self.mitigated_entry.value < self.kernel_entry.value:
            raise ValueError("mitigated_entry: expected at least kernel_entry, mitigations add to an entry")
        if not 1.0 <= self.smt_yield.value <= 2.0:
            raise ValueError("smt_yield: expected 1 to 2, the throughput of two siblings over that of one")
        depths = list(self.cstates.values())
        if any(deep.residency.value <= shallow.residency.value for shallow, deep in pairwise(depths)):
            raise ValueError("cstates: expected from shallow to deep, each with a longer residency than the one before")
        return self


class CpuSpec(Entry):
    """A processor model: cores, threads per core, clock, family, and its mitigated entry where a stepping differs from its family."""

    family: str
    cores: Count
    smt: Annotated[int, Field(ge=1, le=8)]
    clock: Hertz
    mitigated_entry: SourcedCycles | None = None


class HostModelSpec(Entry):
    """A host model: processors, memory, disk, NIC, the timer tick of its kernel, and the memory that its own system takes.

    `max_cstate` is the deepest idle state that its processors enter; those of which none is told stay awake.
    `kernel_entry` is a trivial system call as measured on the machine with mitigations; where it is not known, that of its processor.
    """

    cpu: str
    sockets: Count
    memory: Bytes
    disk: str
    nic: str
    tick: SourcedTime | None = None
    price: str = "generic"
    power: str = "generic"
    system_memory: SourcedSize | None = None
    max_cstate: str | None = None
    kernel_entry: SourcedTime | None = None
    mitigations: Mitigations = "auto"


class DiskModelSpec(Entry):
    """A block device: how many requests it serves at once, how long one of 4 KiB takes, how many requests and bytes pass in a second.

    `*_stream` is what one request gets beyond its first 4 KiB, all of the throughput where it is not told; `*_cv` how its latency varies.
    `medium: memory` is a file system in memory, or files that the host's page cache holds: no thread waits for a drive.
    """

    medium: Literal["drive", "memory"] = "drive"
    channels: SourcedCount
    read_latency: SourcedTime
    write_latency: SourcedTime
    flush_latency: SourcedTime
    read_throughput: SourcedThroughput
    write_throughput: SourcedThroughput
    read_iops: SourcedRate | None = None
    write_iops: SourcedRate | None = None
    read_stream: SourcedThroughput | None = None
    write_stream: SourcedThroughput | None = None
    read_cv: SourcedRatio | None = None
    write_cv: SourcedRatio | None = None
    size: SourcedSize | None = None


class NicModelSpec(Entry):
    """A network interface: line rate, MTU and the largest segment handed over as one packet."""

    bandwidth: BitsPerSecond
    mtu: SourcedSize
    segment: SourcedSize

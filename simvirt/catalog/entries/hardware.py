"""The entries of hardware: processors, hosts, disks and NICs, and what a request takes of a device."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from math import ceil
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, model_validator

from simvirt import units
from simvirt.catalog.entries.entry import Entry, Part
from simvirt.catalog.sourced import (
    Period,
    SourcedCycles,
    SourcedRate,
    SourcedRatio,
    SourcedSize,
    SourcedThroughput,
    SourcedTime,
    SourcedWhole,
    within,
)
from simvirt.scenario.fields import HostBytes
from simvirt.scenario.spec.host import Mitigations

TCP_HEADERS: Final = 52
FRAME: Final = 38
LEAST_FRAME: Final = 84
"""Bytes of the headers of IP and TCP in a frame, around it on the wire, and of the least frame."""
SMALL_BYTES: Final = 4096
"""Size of the requests whose latency a disk's entry tells."""
Entering = Annotated[SourcedCycles, within(1, 1e9)]
"""Cycles of an entry into a kernel."""
Hertz = Annotated[float, BeforeValidator(units.parse_frequency)]
BitsPerSecond = Annotated[float, BeforeValidator(units.parse_bandwidth)]


class Cstate(Part):
    """An idle state of a processor: the shortest idleness that it pays for, and the time that leaving it takes [ns]."""

    residency: SourcedTime
    exit: SourcedTime


class CpuFamily(Entry):
    """A processor family: what a VM exit, a page walk, an entry of a kernel and a busy sibling cost on it, and how it sleeps.

    `kernel_entry` is a trivial system call, there and back, of a kernel without mitigations of the family's flaws, `mitigated_entry` of one
    that mitigates what it finds (page-table isolation against Meltdown, cleared buffers, guarded branches); all in cycles.
    `smt_yield` is the throughput of two busy siblings over that of one; `work_per_cycle` is what a core does in a cycle over what one of
    Skylake-SP does.

    Of a socket: memory bandwidth [bytes/s], latency of its memory [ns], bytes of its last-level cache; `remote_latency` is the latency of
    another socket's memory over that of its own, `remote_bandwidth` what one socket gets of another's [bytes/s], `llc_latency` the latency
    of a load that the last-level cache serves [cycles]. `core_cache` is what a core has for itself [bytes], `process_switch` and
    `vcpu_switch` are what changing from one process or vCPU to another takes while caches are warm [cycles]. `huge_reach` is the rate of
    TLB misses with small pages over that with huge ones, `sha256` what a byte of a digest takes [cycles].
    None where nothing is known: there is no limit then. `cstates` are its idle states, shallow ones first.
    """

    smt_yield: Annotated[SourcedRatio, within(1, 2)]
    work_per_cycle: Annotated[SourcedRatio, within(0.01, 100)]
    vm_exit: SourcedCycles
    nested_vm_exit: SourcedCycles
    native_walk: SourcedCycles
    nested_walk: SourcedCycles
    kernel_entry: Entering
    mitigated_entry: Entering
    memory_bandwidth: SourcedThroughput | None = None
    memory_latency: SourcedTime | None = None
    llc: SourcedSize | None = None
    llc_latency: SourcedCycles | None = None
    core_cache: SourcedSize | None = None
    process_switch: SourcedCycles | None = None
    vcpu_switch: SourcedCycles | None = None
    remote_latency: Annotated[SourcedRatio, within(1, 100)] | None = None
    remote_bandwidth: SourcedThroughput | None = None
    huge_reach: Annotated[SourcedRatio, within(1, 1e5)] | None = None
    sha256: Annotated[SourcedCycles, within(0.1, 1000)] | None = None
    cstates: Mapping[str, Cstate] = {}

    @model_validator(mode="after")
    def _ordered(self) -> CpuFamily:
        if self.nested_walk.value < self.native_walk.value:
            raise ValueError("nested_walk: expected at least native_walk, a two-dimensional walk includes the plain one")
        if self.mitigated_entry.value < self.kernel_entry.value:
            raise ValueError("mitigated_entry: expected at least kernel_entry, mitigations add to an entry")
        depths = list(self.cstates.values())
        if any(deep.residency.value <= shallow.residency.value for shallow, deep in pairwise(depths)):
            raise ValueError("cstates: expected from shallow to deep, each with a longer residency than the one before")
        return self


class CpuSpec(Entry):
    """A processor model: cores, threads per core, clock, family, and its mitigated entry where a stepping differs from its family."""

    family: str
    cores: Annotated[int, Field(ge=1, le=4096)]
    smt: Annotated[int, Field(ge=1, le=8)]
    clock: Hertz
    mitigated_entry: Entering | None = None


class HostModelSpec(Entry):
    """A host model: processors, memory, disk, NIC, the timer tick of its kernel, and the memory that its own system takes.

    `receive` is the CPU time of a packet from the interrupt to its socket, in the host's kernel and in those of guests;
    `thread_switch` that of the switch to a thread that was asleep, `connection` that of opening and closing a TCP connection.

    `max_cstate` is the deepest idle state that its processors enter; those of which none is told stay awake.
    `kernel_entry` is a trivial system call as measured on the machine with mitigations; where it is not known, that of its processor.
    """

    cpu: str
    sockets: Annotated[int, Field(ge=1, le=64)]
    memory: HostBytes
    disk: str
    nic: str
    tick: Period | None = None
    price: str = "generic"
    power: str = "generic"
    system_memory: SourcedSize | None = None
    receive: SourcedTime | None = None
    thread_switch: SourcedTime | None = None
    connection: SourcedTime | None = None
    max_cstate: str | None = None
    kernel_entry: Annotated[SourcedTime, within(1, 1e9)] | None = None
    mitigations: Mitigations = "auto"


class DiskEntry(Entry):
    """A block device: how many requests it serves at once, how long one of 4 KiB takes, how many requests and bytes pass in a second.

    `*_stream` is what one request gets beyond its first 4 KiB, all of the throughput where it is not told; `*_cv` how its latency varies.
    `medium: memory` is a file system in memory, or files that the host's page cache holds: no thread waits for a drive.
    Times in ns, throughput in bytes per second, size in bytes; None where nothing bounds or nothing is known.
    """

    medium: Literal["drive", "memory"] = "drive"
    channels: Annotated[SourcedWhole, within(1, 65536)]
    read_latency: SourcedTime
    write_latency: SourcedTime
    flush_latency: SourcedTime
    read_throughput: SourcedThroughput
    write_throughput: SourcedThroughput
    read_iops: Annotated[SourcedRate, within(1, 1e12)] | None = None
    write_iops: Annotated[SourcedRate, within(1, 1e12)] | None = None
    read_stream: SourcedThroughput | None = None
    write_stream: SourcedThroughput | None = None
    read_cv: Annotated[SourcedRatio, within(0, 100)] | None = None
    write_cv: Annotated[SourcedRatio, within(0, 100)] | None = None
    size: SourcedSize | None = None

    def latency_ns(self, write: bool) -> float:
        """Mean time of a request of 4 KiB alone on the device."""
        return self.write_latency if write else self.read_latency

    def cv(self, write: bool) -> float:
        """Coefficient of variation of that time."""
        return (self.write_cv if write else self.read_cv) or 0.0

    def longer_ns(self, size: int, write: bool) -> float:
        """How much longer a request of so many bytes takes than one of 4 KiB, alone on the device."""
        stream = (self.write_stream or self.write_throughput) if write else (self.read_stream or self.read_throughput)
        return max(size - SMALL_BYTES, 0) / stream * 1e9

    def passage_ns(self, size: int, write: bool) -> float:
        """Time for which a request keeps the device's path from all others."""
        iops, rate = (self.write_iops, self.write_throughput) if write else (self.read_iops, self.read_throughput)
        return max(size / rate * 1e9, 1e9 / iops if iops else 0.0)


class NicEntry(Entry):
    """A network interface: line rate [bit/s], MTU and the largest segment handed over as one packet [bytes].

    `tunnels`: whether its segmentation reaches into tunnels (VXLAN, Geneve, IP in IP). `queues`: receive queues, each bound to a CPU; where
    they are not told there is one for each CPU.
    """

    bandwidth: BitsPerSecond
    mtu: Annotated[SourcedSize, within(68, 2**20)]
    segment: Annotated[SourcedSize, within(68, 2**24)]
    tunnels: bool = True
    queues: Annotated[SourcedWhole, within(1, 4096)] | None = None

    def frames(self, payload: float, headers: float = 0.0, mtu: float | None = None) -> int:
        """Frames of a payload on a path that adds so many bytes of headers to each, and whose own MTU may be smaller."""
        least = self.mtu - headers if mtu is None else min(self.mtu - headers, mtu)
        return ceil(payload / max(least - TCP_HEADERS, 1))

    def acknowledgements(self, payload: float) -> int:
        """Packets by which its receiver acknowledges a payload: one for each packet, where it fills more than one frame.

        Source: RFC 5681, section 4.2; Linux net/ipv4/tcp_input.c, __tcp_ack_snd_check: more than a frame's payload at once.
        """
        return ceil(payload / self.segment) if self.frames(payload) > 1 else 0

    def wire_bytes(self, payload: float, headers: float = 0.0, mtu: float | None = None) -> float:
        """Bytes that a payload takes on the wire: each frame has headers, checksum, preamble and gap, and 84 bytes at least.

        Source: IEEE 802.3 (18 bytes of header and checksum, 20 of preamble and gap, no frame below 64), RFC 791, 9293 and 7323
        (20 + 20 + 12 bytes of headers, with timestamps).
        """
        frames = self.frames(payload, headers, mtu)
        return max(payload + frames * (TCP_HEADERS + headers + FRAME), frames * LEAST_FRAME)

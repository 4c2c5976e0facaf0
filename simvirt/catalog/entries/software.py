"""The entries of the catalogue as written in YAML: one pydantic model for each kind, frozen, unknown keys refused.

Plain fields (cores, clock, memory of a host) are data-sheet facts and share the `source` of their entry; everything measured
or derived is a `Sourced` number with a source of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from simvirt.catalog.entries.autoscalers import AutoscalerEntry
from simvirt.catalog.entries.capacity import BurstableEntry, FootprintEntry, LimitSpec, ReclaimEntry
from simvirt.catalog.entries.costs import Costs, Rates, check_costs, refuse_idle_parts
from simvirt.catalog.entries.demands import DemandEntry
from simvirt.catalog.entries.entry import Entry, Part
from simvirt.catalog.entries.files import FileHabits, FilesystemEntry
from simvirt.catalog.entries.hardware import CpuFamily, CpuSpec, DiskEntry, HostModelSpec, NicEntry
from simvirt.catalog.entries.hosted import Dom0, HostLoad
from simvirt.catalog.entries.images import CodecEntry, ContentEntry, DiskImageEntry, DriverEntry, PullerEntry, RegistryEntry
from simvirt.catalog.entries.machine_autoscalers import MachineAutoscalerEntry
from simvirt.catalog.entries.migrators import MigratorEntry
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.catalog.entries.prices import PowerSpec, PriceSpec, Site
from simvirt.catalog.entries.priorities import PriorityEntry
from simvirt.catalog.entries.startups import StartupEntry
from simvirt.catalog.entries.vertical_autoscalers import VerticalAutoscalerEntry
from simvirt.catalog.entries.volumes import VolumeDriverEntry
from simvirt.catalog.operations import DISK_OPERATIONS, NET_OPERATIONS, RATE_OPERATIONS, TECHNIQUE_OPERATIONS
from simvirt.catalog.sourced import (
    Period,
    Share,
    SourcedRate,
    SourcedRatio,
    SourcedSize,
    SourcedThroughput,
    SourcedTime,
    SourcedWhole,
    SourcedWork,
    within,
)
from simvirt.scenario.fields import Version
from simvirt.scenario.spec.host import DiskCache, Policy

THREAD_PARTS: Final = ("host_cpu", "drive", "kick", "notify", "wake", "host_wake", "host_interrupt")
"""Parts of a cost that only a backend with a thread has."""
Isolation = Literal["file-system", "namespaces", "user-space-kernel", "hardware", "software"]


class TechniqueSpec(Entry):
    """How privileged work is virtualized, and what each operation of the guest costs because of it."""

    costs: Costs

    @model_validator(mode="after")
    def _costs_act(self) -> TechniqueSpec:
        check_costs(self.costs, TECHNIQUE_OPERATIONS, vm=True)
        return self


Direction = Literal["in", "out"]
NETWORK_THREADS: Final = ("softirq", "netstack", "proxy")
"""Backends of a container's network path: the host's receive softirqs, threads of a network stack in user space, a proxy process."""


class Frames(Part):
    """What a network path does with the frames of a payload.

    `headers` are the bytes that it adds to each, `mtu` the largest that its interface sends where that of the NIC is larger.
    `frame_in` and `frame_out` are the CPU work for each frame beyond that of packets: of aggregating received ones, and of cutting what
    is sent where the NIC cannot cut it inside a tunnel. In the directions of `lost` a packet is a frame, because nothing is aggregated
    or cut late; in those of `tunnel` only where the NIC's offloads leave tunnels out.
    """

    headers: SourcedSize | None = None
    mtu: Annotated[SourcedSize, within(68, 2**20)] | None = None
    frame_in: SourcedWork | None = None
    frame_out: SourcedWork | None = None
    lost: tuple[Direction, ...] = ()
    tunnel: tuple[Direction, ...] = ()


class Tracking(Part):
    """What a network path does for a new connection beyond its packets: rules of NAT, an entry of a table, an end point of its own.

    `locked` is the part during which a lock of the kernel is held that all connections share.
    """

    work: SourcedWork
    locked: SourcedWork | None = None


class DeviceEntry(Entry):
    """A path to the network or to a disk: a device of a VM with the thread that serves it, or a driver on the host's kernel.

    `moderation` and `poll` are how long its interrupts and the sleep of its thread are put off [ns]. `threads` is how many threads a
    container's stack in user space or proxy has, one for each CPU where it is not told; `frames` what it does with frames of a payload,
    `tracking` with a new connection.
    `cache`: whether writes of a VM are done when the page cache of the host has them (`writeback`, whose flushes wait for the drive;
    `unsafe`, whose flushes are acknowledged and not done), or wait for a flush each (`writethrough`); with all of them the page cache of
    the host holds what is read.
    `cached`: costs of a KiB read and written instead of those of `costs`, where a platform puts the page cache of the host in between.
    `suppresses`: whether a VM and its device leave out kicks and interrupts that the other side, which is looking for work, does not need.
    `segments`: most pieces of memory that one of its requests consists of; unlimited where it is not told.
    `filesystem`: what a path to a disk that is one of files adds to operations on them.
    """

    role: Literal["net", "disk"]
    side: Literal["hypervisor", "runtime"]
    model: Literal["emulated", "paravirtual", "passthrough", "software"]
    backend: Literal["none", "vcpu", "vhost", "io-thread", "vmm", "dom0", "softirq", "netstack", "proxy"] = "none"
    threads: Annotated[SourcedWhole, within(1, 4096)] | None = None
    frames: Frames | None = None
    tracking: Tracking | None = None
    serial: bool = False
    cache: DiskCache = "none"
    cached: Costs | None = None
    suppresses: bool = True
    segments: Annotated[SourcedWhole, within(1, 65536)] | None = None
    moderation: SourcedTime | None = None
    poll: SourcedTime | None = None
    filesystem: str | None = None
    costs: Costs

    @model_validator(mode="after")
    def _costs_act(self) -> DeviceEntry:
        expected = NET_OPERATIONS if self.role == "net" else DISK_OPERATIONS
        check_costs(self.costs, expected, vm=self.side == "hypervisor", served=self.backend in NETWORK_THREADS)
        if self.backend in ("none", "vcpu"):
            threads = [f"costs.{name}.{part}" for name, cost in self.costs.items() for part in THREAD_PARTS
                       if getattr(cost, part) is not None]
            if threads:
                raise ValueError(f"{threads[0]}: has no effect, for backend {self.backend} is no thread")
        if self.cached is not None:
            check_costs(self.cached, ("kib_read", "kib_written"), vm=True)
        self._refuse_idle_fields()
        return self

    def _refuse_idle_fields(self) -> None:
        """ValueError where the path has a field that nothing would read."""
        threadless = self.backend in ("none", "vcpu", *NETWORK_THREADS)
        contained = self.side == "runtime" and self.role == "net"
        idle = {
            "backend": self.backend != "none" and contained != (self.backend in NETWORK_THREADS),
            "threads": self.threads is not None and self.backend not in ("netstack", "proxy"),
            "frames": self.frames is not None and not contained,
            "tracking": self.tracking is not None and not contained,
            "serial": self.serial and (self.side == "runtime" or self.role == "net"),
            "cache": self.cache != "none" and (self.side == "runtime" or self.role == "net"),
            "cached": self.cached is not None and (self.side == "runtime" or self.role == "net"),
            "suppresses": not self.suppresses and (self.side == "runtime" or threadless),
            "segments": self.segments is not None and (self.side == "runtime" or self.role == "net"),
            "moderation": self.side == "runtime" and self.moderation is not None and self.moderation.value > 0,
            "filesystem": self.role == "net" and self.filesystem is not None,
            "poll": threadless and self.poll is not None and self.poll.value > 0,
        }
        for name in (name for name, found in idle.items() if found):
            raise ValueError(f"{name}: has no effect on the {self.role} path of a {self.side} with backend {self.backend}")


class HypervisorSpec(Entry):
    """A hypervisor: technique, guest, devices, memory of its monitors, and the costs in which it differs from its technique.

    A VM's monitor takes `vmm_memory`, `vmm_per_vcpu` for each vCPU, `vmm_per_memory` for each byte of the VM, and `video_memory`; all
    monitors together share `vmm_shared` (their text); the hypervisor itself takes `host_memory`. `preallocated` VMs take all of their
    memory when they are made, others a page when the guest first touches it. `scheduler` is that of the host where a scenario says none.
    `migrator` moves its VMs to other hosts; None where it cannot.
    """

    technique: str
    type: Literal[1, 2]
    isolation: Isolation
    guest: str
    net: str
    disk: str
    vmm_memory: SourcedSize
    vmm_shared: SourcedSize | None = None
    vmm_per_vcpu: SourcedSize | None = None
    vmm_per_memory: Share | None = None
    video_memory: SourcedSize | None = None
    host_memory: SourcedSize | None = None
    preallocated: bool = False
    halt_poll: SourcedTime | None = None
    spin_wait: Share | None = None
    scheduler: Policy | None = None
    dom0: Dom0 | None = None
    host_load: HostLoad | None = None
    migrator: str | None = None
    costs: Costs = Field(default={})

    @model_validator(mode="after")
    def _costs_act(self) -> HypervisorSpec:
        refuse_idle_parts(self.costs, vm=True)
        return self


class RuntimeSpec(Entry):
    """A container runtime: technique, network and disk path, memory of a container, and the costs of what its fences check.

    A container takes `shim_memory` (shim, pause or sentry), and `kernel_memory` in the kernel below; `daemon_memory` is taken once.
    Containers of one image share its file pages, unless `shares_files` says that each keeps its own. `migrator` freezes one and restores it
    on another host; None where nothing does.
    """

    technique: str
    isolation: Isolation
    net: str
    disk: str
    shim_memory: SourcedSize
    kernel_memory: SourcedSize | None = None
    daemon_memory: SourcedSize | None = None
    shares_files: bool = True
    migrator: str | None = None
    costs: Costs = Field(default={})

    @model_validator(mode="after")
    def _costs_act(self) -> RuntimeSpec:
        refuse_idle_parts(self.costs, vm=False)
        return self


class GuestEntry(Entry):
    """A guest operating system: memory it takes, CPU it uses while idle, its scheduler; `linux`, its version, says how its quotas work.

    `memory` is what kernel and user space keep in use, `page_structs` what the kernel takes for each byte that it manages, `bounce_buffer`
    what it takes for devices in VMs with memory beyond 4 GiB; `file_cache` holds the files read while booting, `boot_memory` was
    touched while booting and is free since. `same_files` is the share of file pages and of what booting left, `same` that of `memory`,
    which are equal in all guests of the kind. `piece` is how much of a buffer lies in one piece of physical memory, `disk_image` what VMs
    with it are made from. `idle_poll` is how long its idle loop looks for work, at most, before a vCPU halts; its host does not poll then.
    """

    scheduler: Literal["eevdf", "cfs", "round-robin"]
    linux: Version | None = None
    tick: Period
    memory: SourcedSize
    page_structs: Annotated[SourcedRatio, within(0, 0.5)] | None = None
    bounce_buffer: SourcedSize | None = None
    file_cache: SourcedSize | None = None
    boot_memory: SourcedSize | None = None
    same: Share | None = None
    same_files: Share | None = None
    piece: Annotated[SourcedSize, within(512, 2**30)] | None = None
    idle_poll: SourcedTime | None = None
    background_duty: Share
    background_period: Period
    disk_image: str | None = None


class ProfileEntry(Entry):
    """A workload: how often it performs each operation in a second of CPU time, and what it wants of what others use too.

    `llc` is what a process keeps in the last-level cache whatever the number of its threads, `thread_llc` what each of them that runs
    keeps beside it; `memory_bandwidth` is in bytes per CPU second, `stall` the share of CPU time that waits for memory, `shootdowns`
    those TLB shootdowns per CPU second that wait for other CPUs, `kernel_share` the share of CPU time in serial parts of the kernel,
    `walk_miss` that of page walks whose last step misses the caches, `remote_share` that of memory accesses which go to another socket
    wherever it runs, `files` its operations on files; None where nothing is known.
    """

    rates: Rates
    memory_bandwidth: SourcedThroughput | None = None
    llc: SourcedSize | None = None
    thread_llc: SourcedSize | None = None
    stall: Share | None = None
    smt_yield: Annotated[SourcedRatio, within(0.1, 2)] | None = None
    kernel_share: Share | None = None
    shootdowns: SourcedRate | None = None
    walk_miss: Share | None = None
    remote_share: Share | None = None
    files: FileHabits | None = None

    @model_validator(mode="after")
    def _complete(self) -> ProfileEntry:
        if self.memory_bandwidth is not None and (self.stall is None or self.stall.value <= 0):
            raise ValueError("stall: expected a share above 0 beside memory_bandwidth, or a full memory could not hold the work up")
        if missing := [name for name in RATE_OPERATIONS if name not in self.rates]:
            raise ValueError(f"expected a rate for each of {', '.join(RATE_OPERATIONS)}; missing: {missing}")
        return self


class ImageSpec(Entry):
    """An image: other names of the software in it, and the profile of what it does; whether a replica keeps data that others lack."""

    aliases: tuple[str, ...] = ()
    profile: str
    stateful: bool = False


class PlatformVmsSpec(Part):
    """VMs that a platform brings along: how many, and the share of the host's CPUs and memory that each gets."""

    count: Annotated[int, Field(ge=1, le=100_000)]
    cpus: Annotated[SourcedRatio, within(0.001, 1)]
    memory: Annotated[SourcedRatio, within(0.001, 1)]


class PlatformEntrySpec(Entry):
    """A platform: the layers between host and application, outermost first, and how they are set up."""

    stack: tuple[str, ...]
    vms: PlatformVmsSpec | None = None
    pin: bool = False
    topology: Literal["exposed", "hidden"] = "hidden"
    pages: Literal["4k", "thp", "huge"] = "thp"
    net: str | None = None
    disk: str | None = None


KINDS: Final[Mapping[str, type[Entry]]] = {
    "hosts": HostModelSpec,
    "families": CpuFamily,
    "cpus": CpuSpec,
    "disks": DiskEntry,
    "nics": NicEntry,
    "techniques": TechniqueSpec,
    "filesystems": FilesystemEntry,
    "devices": DeviceEntry,
    "hypervisors": HypervisorSpec,
    "runtimes": RuntimeSpec,
    "guests": GuestEntry,
    "profiles": ProfileEntry,
    "images": ImageSpec,
    "contents": ContentEntry,
    "disk_images": DiskImageEntry,
    "registries": RegistryEntry,
    "pullers": PullerEntry,
    "codecs": CodecEntry,
    "drivers": DriverEntry,
    "footprints": FootprintEntry,
    "limits": LimitSpec,
    "burstable": BurstableEntry,
    "reclaim": ReclaimEntry,
    "platforms": PlatformEntrySpec,
    "prices": PriceSpec,
    "power": PowerSpec,
    "sites": Site,
    "startups": StartupEntry,
    "migrators": MigratorEntry,
    "orchestrators": OrchestratorEntry,
    "volume_drivers": VolumeDriverEntry,
    "autoscalers": AutoscalerEntry,
    "priorities": PriorityEntry,
    "machine_autoscalers": MachineAutoscalerEntry,
    "vertical_autoscalers": VerticalAutoscalerEntry,
    "demands": DemandEntry,
}
"""Kind of entry, which is also the name of its section and of its file -> its model."""

REFERENCES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "hosts": {"cpu": ("cpus",), "disk": ("disks",), "nic": ("nics",), "price": ("prices",), "power": ("power",)},
    "cpus": {"family": ("families",)},
    "hypervisors": {"guest": ("guests",), "technique": ("techniques",), "net": ("devices",), "disk": ("devices",),
                    "migrator": ("migrators",)},
    "runtimes": {"technique": ("techniques",), "net": ("devices",), "disk": ("devices",), "migrator": ("migrators",)},
    "devices": {"filesystem": ("filesystems",)},
    "guests": {"disk_image": ("disk_images",)},
    "images": {"profile": ("profiles",)},
    "pullers": {"codec": ("codecs",), "driver": ("drivers",)},
    "startups": {"measured_on": ("hosts",), "boots": ("startups",)},
    "platforms": {"stack": ("hypervisors", "runtimes"), "net": ("devices",), "disk": ("devices",)},
}
"""Kind -> field that names other entries -> the kinds it may name."""

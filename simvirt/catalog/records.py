"""What the catalogue puts together of its entries: hosts, layers, platforms and costs, frozen, in internal units."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from simvirt.catalog.entries.costs import PARTS, CostSpec
from simvirt.catalog.entries.files import FilesystemEntry
from simvirt.catalog.entries.hardware import CpuFamily, Cstate, DiskEntry, NicEntry
from simvirt.catalog.entries.hosted import Dom0, HostLoad
from simvirt.catalog.entries.software import DeviceEntry, GuestEntry
from simvirt.catalog.sourced import SourcedWork

S: Final = 1e9  # ns in a second
Counts = Sequence[tuple[str, float]]
"""Operations with how often each happens."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table about the catalogue."""

    def document(self) -> dict[str, Any]:
        """The row as JSON takes it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class HostEntry:
    """A host: what the lowering needs to know of a machine; clock in Hz, memory in bytes, tick in ns.

    `system_memory` is what its own kernel and services take; `cstates` are the idle states that its processors enter, shallow ones first.
    `receive_ns` is the CPU time that a kernel on it takes for a packet from the interrupt to its socket, `thread_switch_ns`
    that of the switch to a thread that was asleep, `connection_ns` that of opening and closing a TCP connection.
    `switching` is whether it costs something to change processes or vCPUs.
    `mitigated` is whether that kernel mitigates the flaws of its processor,
    `measured_entry_ns` what a mitigated entry takes where that was measured on this machine.
    """

    name: str
    sockets: int
    cores: int
    smt: int
    clock_hz: float
    memory: int
    disk: DiskEntry
    nic: NicEntry
    smt_yield: float
    tick_ns: float
    receive_ns: float
    thread_switch_ns: float
    connection_ns: float
    family: CpuFamily
    system_memory: int = 0
    cstates: tuple[Cstate, ...] = ()
    mitigated: bool = True
    measured_entry_ns: float | None = None
    switching: bool = True
    whole_frames: bool = False  # without offloads: the stack handles each frame of a payload

    @property
    def kernel_entry_ns(self) -> float:
        """A trivial system call, there and back: as measured on this machine, or of its processor family.

        *Model*: what mitigations add to an entry is the same ratio on all machines of a family, inside a VM of a cloud too.
        """
        family = self.family
        cycles = family.mitigated_entry if self.mitigated else family.kernel_entry
        if self.measured_entry_ns is None:
            return cycles / self.clock_hz * 1e9
        return self.measured_entry_ns * cycles / family.mitigated_entry

    def switch_ns(self, vcpu: bool) -> float:
        """What changing from one process, or from one vCPU, to another takes, without what the caches have lost."""
        cycles = self.family.vcpu_switch if vcpu else self.family.process_switch
        return (cycles or 0.0) / self.clock_hz * 1e9 if self.switching else 0.0

    @property
    def pcpus(self) -> int:
        """Hardware threads of the host."""
        return self.sockets * self.cores * self.smt

    def core_yield(self, busy: int, two: float | None = None) -> float:
        """Throughput of a core with so many busy threads over that of one, from that of `two`; the law is that of `kernel/cores.py`."""
        two = self.smt_yield if two is None else two
        return two if busy == 2 else busy / (1.0 + (2.0 / two - 1.0) * (busy - 1))

    @property
    def capacity(self) -> float:
        """Throughput with all threads busy over that of one thread alone on its core."""
        return self.sockets * self.cores * self.core_yield(self.smt)

    @property
    def speed(self) -> float:
        """Work of a core in a second, in cycles of Skylake-SP."""
        return self.clock_hz * self.family.work_per_cycle


@dataclass(frozen=True, slots=True)
class Cost:
    """What one operation costs, part by part [ns]; the parts are those of `CostSpec`."""

    cpu_ns: float = 0.0
    spared_ns: float = 0.0
    latency_ns: float = 0.0
    host_cpu_ns: float = 0.0
    drive_ns: float = 0.0
    kick_ns: float = 0.0
    notify_ns: float = 0.0
    interrupt_ns: float = 0.0
    wake_ns: float = 0.0
    host_wake_ns: float = 0.0
    host_interrupt_ns: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, part) + getattr(other, part) for part in self.__slots__))


@dataclass(frozen=True, slots=True)
class MonitorMemory:
    """Memory of a hypervisor's monitors [bytes]; `per_memory` in bytes for each byte of a VM. `Layer.memory_bytes` is a monitor's own."""

    shared: int = 0
    per_vcpu: int = 0
    per_memory: float = 0.0
    video: int = 0
    host: int = 0
    preallocated: bool = False


@dataclass(frozen=True, slots=True)
class ContainerMemory:
    """Memory that a runtime takes in the kernel for a container, and once for its daemon [bytes]; whether containers share file pages."""

    kernel: int = 0
    daemon: int = 0
    shares_files: bool = True


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a platform. `costs` are as in the catalogue; `cost` makes nanoseconds of them on a host."""

    kind: Literal["hypervisor", "runtime"]
    name: str
    technique: str
    type: int | None
    isolation: str
    guest: GuestEntry | None
    memory_bytes: int
    costs: Mapping[str, CostSpec]
    net: DeviceEntry
    disk: DeviceEntry
    files: FilesystemEntry | None = None
    depth: int = 0
    halt_poll_ns: float = 0.0
    spin_wait: float = 1.0  # share of the wait for a preempted vCPU that is left where those who spin for it yield to it
    scheduler: str | None = None
    dom0: Dom0 | None = None
    host_load: HostLoad | None = None
    migrator: str | None = None
    monitor: MonitorMemory = MonitorMemory()
    container: ContainerMemory = ContainerMemory()

    def cost(self, operation: str, host: HostEntry, pages: str = "thp") -> Cost:
        """The cost of one `operation` on `host`; `depth` hypervisors below make an exit a reflected one, `pages` back guest and host."""
        spec = self.costs[operation]
        sums = {part: math.fsum(work_ns(term, host, self.depth, pages) for term in getattr(spec, part) or ()) for part in PARTS}
        return Cost(**{f"{part}_ns": ns * self.share(operation, part, host, pages) for part, ns in sums.items()})

    def share(self, operation: str, part: str, host: HostEntry, pages: str = "thp") -> float:
        """How much of a part is charged: huge pages miss the TLB less often, and nobody waits for a drive where there is none."""
        if part == "drive" and host.disk.medium == "memory":
            return 0.0
        return 1.0 / (host.family.huge_reach or 1.0) if operation == "tlb_miss" and pages == "huge" else 1.0


@dataclass(frozen=True, slots=True)
class Vms:
    """The VMs that replicas share: how many, with how many vCPUs and how much memory each [bytes]; or shares of the host's."""

    count: int
    vcpus: int = 0
    memory: int = 0
    cpu_share: float = 0.0
    memory_share: float = 0.0

    def on(self, host: HostEntry) -> Vms:
        """With shares turned into numbers."""
        return Vms(
            self.count, self.vcpus or max(1, round(self.cpu_share * host.pcpus)), self.memory or round(self.memory_share * host.memory)
        )


@dataclass(frozen=True, slots=True)
class Credits:
    """CPU time that a VM earns [CPUs], may save up and has at the start [ns]."""

    rate: float
    most: float
    balance: float


@dataclass(frozen=True, slots=True)
class Platform:
    """A stack of layers, outermost first; empty on bare metal. `vms` are the VMs that replicas share, or None: each has its own.

    `cap` is the most CPUs that a VM may use, whatever its vCPUs; `credits` what it earns and saves up instead. `puller` says how images
    are pulled and `disk_image` what VMs are made from, where that is not as its layers have it; `own_migrator` so of what moves VMs.
    `orchestrator` acts on its instances by the rules `acts`, `reserves` room for them, `places` them by a policy, makes of their
    `priorities` what its entry says, and where it `balances` moves VMs.
    """

    name: str
    layers: tuple[Layer, ...]
    vms: Vms | None = None
    pin: bool = False
    topology: str = "hidden"
    pages: str = "thp"
    balloon: int | str = "none"
    free_page_reporting: bool = False
    guest_swap: int = 0
    cap: float | None = None
    credits: Credits | None = None
    puller: str | None = None
    disk_image: str | None = None
    orchestrator: str | None = None
    reserves: Literal["reservations", "requests"] | None = None
    places: str = "spread"
    balances: bool = False
    acts: str = "none"
    priorities: Literal["orders", "preempts"] | None = None
    own_migrator: str | None = None

    @property
    def migrator(self) -> str | None:
        """What moves its VMs, else its containers, to other hosts: an entry of the catalogue's migrators; None where nothing does."""
        moved = self.hypervisors or self.runtimes
        return self.own_migrator or (moved[-1].migrator if moved else None)

    @property
    def hypervisors(self) -> tuple[Layer, ...]:
        """The layers that run VMs."""
        return tuple(layer for layer in self.layers if layer.kind == "hypervisor")

    @property
    def runtimes(self) -> tuple[Layer, ...]:
        """The layers that run containers."""
        return tuple(layer for layer in self.layers if layer.kind == "runtime")


@dataclass(frozen=True, slots=True)
class PlatformCosts:
    """Operation -> cost of one on this platform and host [ns], summed over the layers; every operation has its row.

    *Model*: CPU work is charged the CPU time and the latency of its operations, those stated for a step or those of the profile at
        their rates, and spared what others did in their place, at most all of it.
    """

    cpu_ns: Mapping[str, float]
    spared_ns: Mapping[str, float]
    latency_ns: Mapping[str, float]
    host_cpu_ns: Mapping[str, float]
    drive_ns: Mapping[str, float]
    kick_ns: Mapping[str, float]
    notify_ns: Mapping[str, float]
    interrupt_ns: Mapping[str, float]
    wake_ns: Mapping[str, float]
    host_wake_ns: Mapping[str, float]
    host_interrupt_ns: Mapping[str, float]

    def work_ns(self, operation: str) -> float:
        """What one operation of CPU work costs in all, less what it spares."""
        return self.cpu_ns[operation] + self.latency_ns[operation] - self.spared_ns[operation]

    def charged(self, counts: Counts, own: float = 1.0) -> float:
        """What so many operations add to each unit of a CPU work of `own` ns: their CPU work and their latency."""
        return math.fsum(count * (self.cpu_ns[op] + self.latency_ns[op]) / own for op, count in counts)

    def spared(self, counts: Counts, own: float) -> float:
        """The share of a CPU work of `own` ns that so many operations spare: never more than there is."""
        saved = math.fsum(count * self.spared_ns[op] for op, count in counts)
        return min(saved / own, 1.0) if saved > 0 and own > 0 else 0.0

    def added(self, rates: Counts) -> float:
        """What operations at rates per CPU second add to each unit of CPU work, less what they spare."""
        return self.charged(rates, S) - self.spared(rates, S)

    def with_walks(self, miss_ns: float) -> PlatformCosts:
        """The costs for software whose page walks leave the caches: `miss_ns` more for each TLB miss."""
        return replace(self, cpu_ns={**self.cpu_ns, "tlb_miss": self.cpu_ns["tlb_miss"] + miss_ns})

    def backend_ns(self, operation: str) -> float:
        """What one operation costs the thread of a device, on a host whose disk it is."""
        return self.host_cpu_ns[operation] + self.drive_ns[operation]


PAGE_LEVELS: Final = {"4k": (4, 4), "thp": (4, 3), "huge": (3, 3)}
"""Pages -> levels of the guest's and of the host's page tables that a walk descends.

`thp`: transparent huge pages as distributions set them: the monitor asks for them behind its guest, most software in the guest does not.
"""


def walk_references(pages: str) -> int:
    """Memory references that a two-dimensional walk makes beyond a plain one: (g + 1)(h + 1) - 1 - g.

    Source: Bhargava et al., ASPLOS 2008: 24 for four levels on four.
    """
    guest, host = PAGE_LEVELS[pages]
    return (guest + 1) * (host + 1) - 1 - guest


def work_ns(work: SourcedWork, host: HostEntry, depth: int = 0, pages: str = "thp") -> float:
    """A cost in ns on `host`: cycles at its clock, exits of its family, entries of its kernel, nested walks beyond native ones, by `pages`.

    Source: Bhargava et al., Accelerating Two-Dimensional Page Walks for Virtualized Systems, ASPLOS 2008 (extra walk);
    Ben-Yehuda et al., The Turtles Project, OSDI 2010 (exits of an inner hypervisor are reflected through the outer one).
    """
    if work.unit == "ns":
        return work.value
    if work.unit == "entries":
        return work.value * host.kernel_entry_ns
    longer = walk_references(pages) / walk_references("thp") if work.unit == "nested_walks" else 1.0
    return work.value * _cycles(work.unit, host.family, depth) * longer / host.clock_hz * 1e9


def _cycles(unit: str, family: CpuFamily, depth: int) -> float:
    """Cycles of one `unit` on a processor family.

    *Model*: an outer hypervisor folds the tables of an inner one into its own: a walk stays one of two dimensions whatever the depth
        (nested EPT on EPT: Ben-Yehuda et al., The Turtles Project, OSDI 2010, section 3.4).
    """
    if unit == "exits":
        return family.nested_vm_exit if depth else family.vm_exit
    if unit == "nested_walks":
        return 0.0 if depth else family.nested_walk - family.native_walk
    return 1.0

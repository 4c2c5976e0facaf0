"""The host and the platforms that are compared on it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal, Mapping

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from simvirt import units
from simvirt.scenario.fields import (
    WRITTEN_BANDWIDTH,
    Bytes,
    DottedWord,
    EntryNanoseconds,
    GuestBytes,
    Hertz,
    HostBytes,
    Number,
    PositiveBytes,
    PositiveNanoseconds,
    PositivePerSecond,
    Ratio,
    Version,
    Whole,
)
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.memory_demand import Balloon, EvictionSpec, KsmSpec
from simvirt.units import UnitError, format_time, shown

PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "eevdf": ("base_slice", "tick"),
    "cfs": ("latency", "min_granularity", "wakeup_granularity", "tick"),
    "credit": ("timeslice", "tick", "ratelimit"),
    "credit2": ("ratelimit", "migrate_resist"),
    "esxi": ("quantum", "costop", "costart"),
    "hyperv": ("quantum", "type"),
    "round-robin": ("quantum",),
    "gps": (),
}
"""The policies, and the parameters of each."""
if TYPE_CHECKING:
    Policy = str
else:
    Policy = Literal[tuple(PARAMETERS)]
_BANDWIDTH: Final = re.compile(r"[0-9][0-9.e+-]*(\s*[a-z]*(bps|bit/s|b/s))?", re.IGNORECASE)
"""What is meant as a bandwidth and not as a name that begins like one, such as 1gbe-2003."""
COSTOP_NS: Final = 3_000_000
"""Default of costop, 3 ms. Source: ESXi advanced setting Cpu.CoschedCostopThreshold."""
Mitigations = Literal["auto", "off"]
Switching = Literal["auto", "none"]
DiskCache = Literal["none", "writeback", "writethrough", "unsafe"]
CFS_SINCE: Final = (2, 6)
EEVDF_SINCE: Final = (6, 6)
"""Versions of Linux since which its scheduler is CFS (2.6.23), and EEVDF. Source: Linux kernel/sched, release notes."""
SLICES_LAST_SINCE: Final = (5, 4)
"""Version of Linux since which slices of a quota outlast the period. Source: Linux commit de53fd7aedb1 (5.4)."""
Offloads = Literal["all", "no-tunnels", "none"]
RESERVING: Final = ("esxi", "hyperv")
"""The policies that know reservations."""


class SchedulerSpec(Spec):
    """The CPU scheduler of the host; a parameter left out keeps the value of the catalogue. Times in ns."""

    example = "eevdf or {policy: eevdf, base_slice: 3ms}"
    shorthand = "policy"
    policy: Policy = Field(description="which scheduler", examples=["eevdf"])
    base_slice: PositiveNanoseconds | None = Field(default=None, description="eevdf: how long a task may run before its deadline")
    tick: PositiveNanoseconds | None = Field(default=None, description="eevdf, cfs, credit: period of the timer tick")
    latency: PositiveNanoseconds | None = Field(default=None, description="cfs: period in which every task runs once")
    min_granularity: PositiveNanoseconds | None = Field(default=None, description="cfs: the shortest slice")
    wakeup_granularity: PositiveNanoseconds | None = Field(default=None, description="cfs: lead that a waking task needs to preempt")
    timeslice: PositiveNanoseconds | None = Field(default=None, description="credit: the longest turn of a vCPU")
    ratelimit: PositiveNanoseconds | None = Field(default=None, description="credit, credit2: the shortest turn of a vCPU")
    migrate_resist: PositiveNanoseconds | None = Field(
        default=None, description="credit2: lead in credits that a vCPU from another CPU needs to preempt")
    costop: PositiveNanoseconds | None = Field(
        default=None, description="esxi: lead over its slowest runnable sibling at which a vCPU is held back")
    costart: PositiveNanoseconds | None = Field(default=None, description="esxi: lead at which it may run again, by default 2/3 of costop")
    type: Literal["classic", "core"] | None = Field(
        default=None, description="hyperv: classic, or core, where the threads of a core run one VM at a time", examples=["core"])
    quantum: PositiveNanoseconds | None = Field(default=None, description="esxi, hyperv, round-robin: length of a turn")

    @model_validator(mode="after")
    def _parameters_of_the_policy(self) -> SchedulerSpec:
        for name in sorted(self.model_fields_set - {"policy", *PARAMETERS[self.policy]}):
            known = PARAMETERS[self.policy]
            refuse(f"{self.policy} has no such parameter; it has {', '.join(known) if known else 'none'}", name)
        if self.costart is not None and self.costart >= (self.costop or COSTOP_NS):
            most = format_time((self.costop or COSTOP_NS) / 1e9)
            refuse(f"expected less than costop, {most}; got {format_time(self.costart / 1e9)}", "costart")
        return self


def _nic(value: object) -> object:
    """A NIC: a bandwidth in bits per second, or a name of the catalogue."""
    if not isinstance(value, str):
        units.parse_bandwidth(value)
    text = str(value).strip()
    return units.parse_bandwidth(text) if _BANDWIDTH.fullmatch(text) else _reference(value)


def _reference(value: object) -> str:
    """A name of the catalogue."""
    if not isinstance(value, str) or not value.strip() or len(value) > 200:
        raise UnitError(f"expected a name of the catalogue, for example nvme; got {shown(value)}")
    return value


Reference = Annotated[str, BeforeValidator(_reference)]
Nic = Annotated[float | str, BeforeValidator(_nic), WithJsonSchema({"type": "string", "examples": ["25Gbps"]}), WRITTEN_BANDWIDTH]


class HostSpec(Spec):
    """The host: a model of the catalogue, or described inline; inline values override the model."""

    example = "{cores: 4, memory: 16GiB} or {model: dell-r740-gold-6132}"
    shorthand = "model"
    model: Reference | None = Field(default=None, description="a host of the catalogue", examples=["dell-r740-gold-6132"])
    sockets: Annotated[int, Whole(1, 64, 2)] | None = Field(default=None, description="processors")
    cores: Annotated[int, Whole(1, 4096, 14)] | None = Field(default=None, description="cores of a socket", examples=["14"])
    smt: Annotated[int, Whole(1, 8, 2)] | None = Field(default=None, description="hardware threads of a core")
    clock: Hertz | None = Field(default=None, description="clock of the cores", examples=["2.6GHz"])
    memory: HostBytes | None = Field(default=None, description="memory of the host", examples=["192GiB"])
    disk: Reference | None = Field(default=None, description="a disk of the catalogue", examples=["nvme"])
    nic: Nic | None = Field(default=None, description="a NIC of the catalogue, or its bandwidth", examples=["25Gbps"])
    offloads: Offloads | None = Field(
        default=None, description="what its NIC cuts and joins: `all`, nothing inside tunnels, or `none`, so that each frame is a packet; "
        "that of the NIC by default", examples=["none"])
    receive_queues: Annotated[int, Whole(1, 4096, 8)] | None = Field(
        default=None, description="receive queues of its NIC, each bound to a CPU; with them packets are received there and not by the "
        "thread that they are for", examples=["1"])
    max_cstate: DottedWord | None = Field(
        default=None, description="deepest idle state of its CPUs, or none; that of the model by default", examples=["C1E"])
    mitigations: Mitigations | None = Field(
        default=None, description="whether its kernel mitigates flaws of its processor, like `mitigations=` at boot", examples=["off"])
    kernel_entry: EntryNanoseconds | None = Field(
        default=None, description="a trivial system call as measured on it, mitigations included", examples=["300ns"])
    switching: Switching | None = Field(
        default=None, description="whether a change of processes or vCPUs costs CPU time, `none` on an ideal machine", examples=["none"])
    linux: Version | None = Field(
        default=None, examples=["4.19"],
        description="version of its Linux kernel: before 6.6 its scheduler is cfs, before 5.4 slices of quotas expire with the period")
    swap: PositiveBytes | None = Field(default=None, description="swap space on its disk", examples=["8GiB"])
    zswap: Ratio = Field(default=0.0, description="ratio of memory that compressed pages may take", examples=["0.2"])
    swappiness: Annotated[int, Whole(0, 200, 60)] | None = Field(
        default=None, examples=["10"],
        description="vm.swappiness of its kernel and those of guests: how much of what is short for data that is read repeatedly is taken "
        "from applications, in 200ths; 60 by default")
    ksm: KsmSpec | None = Field(default=None, description="merging of identical pages of VMs", examples=[KsmSpec.example])
    eviction: EvictionSpec | None = Field(
        default=None, description="the kubelet that ends pods when memory is short", examples=[EvictionSpec.example])
    memory_ratio: Annotated[float, Number(0.01, 100, 1.5)] | None = Field(
        default=None, description="most memory that may be promised, as a multiple of the host's", examples=["1.5"])
    scheduler: SchedulerSpec = Field(default=SchedulerSpec.model_construct(policy="eevdf"), description="CPU scheduler", examples=["eevdf"])

    @model_validator(mode="after")
    def _complete(self) -> HostSpec:
        missing = [key for key in ("cores", "memory") if self.model is None and getattr(self, key) is None]
        if missing:
            refuse(f"a host without a model needs {' and '.join(missing)}, for example {self.example}")
        return self

    @model_validator(mode="after")
    def _packed_pages_can_move_on(self) -> HostSpec:
        if self.zswap > 0 and self.swap is None:
            refuse("has no effect without swap space behind it; expected swap beside it, for example swap: 8GiB", "zswap")
        return self

    @property
    def own_scheduler(self) -> SchedulerSpec:
        """The scheduler of its own kernel: as stated, else that of its version of Linux."""
        if self.linux is None or "scheduler" in self.model_fields_set or self.linux >= EEVDF_SINCE:
            return self.scheduler
        return SchedulerSpec.model_construct(policy="cfs" if self.linux >= CFS_SINCE else "round-robin")

    @property
    def cpus(self) -> int | None:
        """Hardware threads of the host where it is described inline, else None."""
        if self.cores is None or (self.model is not None and (self.sockets is None or self.smt is None)):
            return None
        return (self.sockets or 1) * self.cores * (self.smt or 1)


class VmsSpec(Spec):
    """The VMs that a platform consists of, all identical."""

    example = "{count: 2, vcpus: 8, memory: 16GiB}"
    count: Annotated[int, Whole(1, 100_000, 2)] = Field(description="how many VMs", examples=["2"])
    vcpus: Annotated[int, Whole(1, 4096, 8)] = Field(description="vCPUs of each", examples=["8"])
    memory: GuestBytes = Field(description="memory of each", examples=["16GiB"])


class CreditsSpec(Spec):
    """CPU credits of each VM, as burstable instances have them: earned all the time, one is spent for each minute of a busy vCPU."""

    example = "t3.micro or {of: t3.micro, balance: 20} or {earn: 12/h, most: 288, balance: 20}"
    shorthand = "of"
    of: Reference | None = Field(default=None, description="a burstable instance of the catalogue", examples=["t3.micro"])
    earn: PositivePerSecond | None = Field(default=None, description="credits earned; 6 an hour are 10 % of a vCPU", examples=["12/h"])
    most: Annotated[float, Number(0, 1e9, 288)] | None = Field(default=None, description="most credits that are kept", examples=["288"])
    balance: Annotated[float, Number(0, 1e9, 20)] | None = Field(
        default=None, description="credits at the start; those of the instance's launch, or none, by default", examples=["20"])

    @model_validator(mode="after")
    def _complete(self) -> CreditsSpec:
        if self.of is None and (self.earn is None or self.most is None):
            refuse(f"expected an instance of the catalogue, or earn and most, for example {self.example}")
        return self


class PlatformSpec(Spec):
    """A platform: a name of the catalogue, or a stack of its hypervisors and runtimes, outermost first."""

    example = "docker or {name: docker-on-kvm, stack: [kvm, docker], vms: {count: 2, vcpus: 8, memory: 16GiB}}"
    shorthand = "name"
    later = ("puller", "disk_image", "orchestrator", "migrator")
    name: DottedWord = Field(description="name in results; a platform of the catalogue where there is no stack", examples=["docker-on-kvm"])
    stack: tuple[Reference, ...] | None = Field(
        default=None, max_length=8, description="hypervisors and runtimes, outermost first", examples=["[kvm, docker]"])
    vms: VmsSpec | None = Field(default=None, description="the VMs; one per replica by default", examples=[VmsSpec.example])
    pin: bool | None = Field(default=None, strict=True, description="whether each vCPU is pinned to a CPU", examples=["true"])
    topology: Literal["exposed", "hidden"] | None = Field(
        default=None, description="whether guests see sockets and threads of the host", examples=["exposed"])
    balloon: Balloon = Field(default="none", description="memory reclaimed from VMs: as needed, or a fixed size", examples=["auto"])
    free_page_reporting: bool = Field(default=False, strict=True, description="whether guests report free pages", examples=["true"])
    guest_swap: Bytes = Field(default=0, description="swap space of each VM on its disk", examples=["1GiB"])
    cap: Annotated[float, Number(0.01, 65536, 1.5)] | None = Field(
        default=None, examples=["1.5"],
        description="most CPUs that each VM may use, whatever its vCPUs (cap of Xen, quota of libvirt, limit of ESXi and Hyper-V)")
    credits: CreditsSpec | None = Field(default=None, description="CPU credits of each VM", examples=["t3.micro"])
    pages: Literal["4k", "thp", "huge"] | None = Field(default=None, description="page size of the memory", examples=["huge"])
    net: Reference | None = Field(default=None, description="network path of the catalogue instead of the default one", examples=["sr-iov"])
    disk: Reference | None = Field(default=None, description="disk path of the catalogue instead of the default one", examples=["ahci"])

    puller: Reference | None = Field(
        default=None, examples=["kubelet"],
        description="how images are pulled: an entry of the catalogue's pullers instead of the runtime's")
    disk_image: Reference | None = Field(
        default=None, examples=["debian-cloud"], description="disk image of the catalogue that VMs are made from, instead of the guest's")
    migrator: Reference | None = Field(
        default=None, examples=["qemu-auto-converge"],
        description="how running VMs move to another host: an entry of the catalogue's migrators instead of the hypervisor's")
    disk_cache: DiskCache | None = Field(
        default=None, examples=["writeback"],
        description="what the host's page cache does for the disk of each VM, as cache= of QEMU: nothing, take reads and writes, take "
        "reads while writes wait until they are durable, or take both and do no flush; as the disk path has it by default")

    orchestrator: Reference | None = Field(
        default=None, examples=["compose"],
        description="what acts on instances while the run goes on (starts, stops, restarts, updates): an entry of the catalogue's "
        "orchestrators; nobody but the timeline by default")

    @model_validator(mode="after")
    def _bounded_once(self) -> PlatformSpec:
        if self.cap is not None and self.credits is not None:
            refuse("a VM has a cap, or credits; expected one of them, for example credits: t3.micro", "cap")
        return self

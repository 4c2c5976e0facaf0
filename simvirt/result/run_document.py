"""The document of `simvirt run`: what each platform did to the same load."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ConfigDict, Field

from simvirt.result.availability import Availability
from simvirt.result.document import (
    UNKNOWN,
    CpuShares,
    Document,
    Estimate,
    Latency,
    MemoryLedger,
    Number,
    Program,
    ScenarioName,
    Utilisations,
    Verdict,
)
from simvirt.result.events import Happened
from simvirt.result.lifecycle import Lifecycle
from simvirt.result.machines import MachinesResult
from simvirt.result.messages import SubscriptionUse
from simvirt.result.migrations import MigrationResult
from simvirt.result.resilience import Resilience
from simvirt.result.scaling import Scaling
from simvirt.result.theory import NoTheory, TheoryResult


class ServiceMemory(Document):
    """Memory of a replica as its kernel accounts for it, at the end of a replication, on average over replicas and replications."""

    usage_bytes: Number = Field(description="all that is charged to it, page cache included: `memory.current`")
    working_set_bytes: Number = Field(description="of that all but inactive file pages, as the kubelet and `docker stats` have it")
    anonymous_bytes: Number = Field(description="anonymous memory that is not swapped out")
    tmpfs_bytes: Number = Field(description="files in tmpfs that are not swapped out")
    file_bytes: Number = Field(description="file pages: its part of its image's, data read repeatedly, what it has written")
    dirty_bytes: Number = Field(description="of these what is not yet written to the disk")
    swapped_bytes: Number = Field(description="swapped out")


class ServiceResult(Document):
    """What one service did, all its replicas together."""

    latency_s: Latency = Field(description="of the calls that it answered, from arrival at a replica")
    throughput_per_s: Estimate = Field(description="calls answered per second")
    queue_wait_s: Estimate = Field(description="mean time queueing for a worker thread, over all calls")
    cpu_cores: Estimate = Field(description="CPU time per second")
    threads_busy: Estimate = Field(description="busy worker threads on average")
    nr_periods: Estimate = Field(description="periods of its quotas in the window, as in `cpu.stat`")
    nr_throttled: Estimate = Field(description="periods in which a group was throttled, as in `cpu.stat`")
    throttled_s: Estimate = Field(description="throttled time of its groups, summed over CPUs, as `throttled_usec` in `cpu.stat`")
    rejected: Estimate = Field(description="ratio of calls rejected at a replica")
    costop_s: Estimate = Field(default=UNKNOWN, description="under the scheduler `esxi`: time that the vCPUs of its VMs were held back")
    limit: Estimate = Field(default=UNKNOWN, description="with `limit`: calls that a replica takes at once, at the end of the run")
    memory: ServiceMemory | None = Field(
        default=None, description="memory of a replica as operators see it; `null` where none lives at the end")


class OperationResult(Document):
    """One operation of the mix."""

    requests: int = Field(default=0, description="requests answered in the window of a replication, on average")
    throughput_per_s: Estimate = Field(default=UNKNOWN, description="answers per second")
    latency_s: Latency = Field(description="from the intended arrival of its requests to their answers")


class Breakdown(Document):
    """Where the mean latency goes [s]; the parts sum to it."""

    queue: Number = Field(description="queueing for a worker thread")
    run_queue: Number = Field(description="runnable, while other tasks have the CPUs")
    throttled: Number = Field(description="runnable, but the quota is used up")
    steal: Number = Field(description="on a vCPU that has lost its pCPU")
    cpu: Number = Field(description="CPU work of the steps")
    virtualization: Number = Field(description="CPU work that exists only because of the platform")
    interference: Number = Field(
        default=0.0,
        description="CPU time beyond that work: siblings of the core, caches, memory bandwidth and kernel locks shared with others, "
        "memory of another socket, changes of process or vCPU and what caches have lost to others meanwhile",
    )
    disk: Number = Field(description="queueing for the disk, and being served by it")
    network: Number = Field(description="transfers, and hops between services")
    delay: Number = Field(description="stated delays")
    lock: Number = Field(description="waiting for a lock, asleep or spinning")


class Histogram(Document):
    """Latencies by size, of all replications together; buckets in which none lies are left out.

    The bucket that ends at `u` begins at `u (1 - 1/64)` or later: 64 buckets of one width fill an octave.
    """

    upper_s: tuple[Number, ...] = Field(description="where a bucket ends, the first of the next ones [s], ascending")
    count: tuple[int, ...] = Field(description="answered requests in it")


BY_REPLICATION: Final = "single replications in their order, by column as in `frame()`: what two results are compared by, pair by pair"
ByReplication = Mapping[str, tuple[Number | None, ...]]


class WorkloadResult(Document):
    """One of several workloads; counts and times are those of one replication on average."""

    requests: int = Field(description="requests answered in the window")
    latency_s: Latency = Field(description="from the intended arrival of a request to its answer; answered requests only")
    latency_histogram: Histogram | None = Field(default=None, description="the distribution of that latency, over all replications")
    throughput_per_s: Estimate = Field(description="answers per second")
    rejected: Estimate = Field(description="ratio of requests rejected")
    failed: Estimate = Field(description="ratio of requests that failed: lost in crashes, or given up by callers")
    operations: Mapping[str, OperationResult] = Field(description="each operation of its mix, by name")
    breakdown_s: Breakdown = Field(description="where the mean latency goes")
    objective: Mapping[str, Verdict] = Field(default={}, description="each limit of its objective")
    by_replication: ByReplication = Field(default={}, description=BY_REPLICATION)


NOT_ASKED: Final = "not asked for"
"""Why there is no maximum throughput where none was searched for."""


class Bottleneck(Document):
    """What saturates first.

    Resources are `host.cpu`, `host.disk`, `host.nic`, of several hosts those of the fullest of each kind, by its name
    (`node[2].cpu`), in VMs `kvm I/O thread` (the busiest thread that serves devices, by
    the hypervisor's name) and `dom0.cpu`, and of a service `x.cpu` (its limit or its vCPUs), `x.threads` or `x.event_loops`,
    and `x.lock.y`; locks of kernels are `kernel lock y`.
    """

    resource: str = Field(
        description="the resource that is used up just above the maximum throughput; where that is not known, the one "
        "nearest to its limit"
    )
    utilisation: Number = Field(description="how much of it is used at the present load")
    max_throughput_per_s: Number | None = Field(
        description="the highest rate of requests, at the present mix, that the platform keeps up with, found by "
        "simulation; `null` where it is not known, or only as a range"
    )
    max_throughput_low_per_s: Number | None = Field(default=None, description="the highest rate that simulations surely kept up with")
    max_throughput_high_per_s: Number | None = Field(
        default=None, description="the lowest rate that simulations surely did not keep up with"
    )
    max_throughput_of: str = Field(
        default="", description="of several workloads the one whose rate that is, the first; the others stay as they are")
    reason: str = Field(default="", description="why the maximum throughput is not known, or only as a range")
    resources: Utilisations


class Reclaim(Document):
    """What reclaim did in a replication, on average [bytes]."""

    swapped_out_bytes: Number = Field(description="written to swap")
    swapped_in_bytes: Number = Field(description="read back from swap")
    compressed_bytes: Number = Field(description="compressed in memory")
    ballooned_bytes: Number = Field(description="taken from guests by balloons")
    merged_bytes: Number = Field(description="saved by merging identical pages")
    scanned_bytes: Number = Field(description="scanned for identical pages")
    peak_bytes: Number = Field(description="the most that was in use")
    oom_kills: Number = Field(description="processes that OOM killers ended")
    evictions: Number = Field(default=0, description="pods that the kubelet ended")


class MemoryUse(Document):
    """Memory that the platform commits and uses on the host [bytes]."""

    capacity_bytes: int = Field(description="physical memory of the host")
    committed_bytes: int = Field(description="what was promised, as in the ledger")
    parts: Mapping[str, int] = Field(
        description="sizes as they are stated, by what has them: `application` (limits), `vm` (guests with the memory "
        "assigned to them), `vmm` and `runtime` (what each takes by itself)"
    )
    ledger: MemoryLedger = Field(description="what holds the host's memory at the mean load")
    available_bytes: Number | None = Field(
        default=None, description="memory of the host less its working set: `memory.available` of a kubelet")
    reclaim: Reclaim | None = Field(default=None, description="what reclaim did, where memory is followed")


class LimitUse(Document):
    """A resource that is limited in number."""

    demand: Number = Field(description="what the replicas take")
    capacity: Number = Field(description="what there is")


class Checks(Document):
    """Laws on the run's own counters: `ok`, or what is wrong."""

    little: str = Field(description="requests in the system against their latencies (Little's law)")
    flow: str = Field(description="arrivals against answers, rejections, losses and what is under way")
    utilisation_law: str = Field(description="busy time of the CPUs against what instances used")
    messages: str | None = Field(
        default=None, description="with `topics`: messages that came against those done, dropped, lost, given up, in line and in hand")


class DeviceUse(Document):
    """Operations of one kind of device, all VMs of a replication together, in the window."""

    operations: Estimate = Field(description="packets, both ways; requests to the disk, flushes included")
    notifications: Estimate = Field(description="kicks that woke a sleeping backend")
    interrupts: Estimate = Field(description="interrupts that were not coalesced")


class Series(Document):
    """Samples of the first replication, one at each instant: those of `run.observe`, else at most 64 at equal distances."""

    at_s: tuple[Number, ...] = Field(description="instants of the samples")
    in_system: tuple[int, ...] = Field(description="requests under way")
    completed: tuple[int, ...] = Field(description="requests answered so far")
    busy_cpus: tuple[int, ...] = Field(description="busy hardware threads of the host")
    queued: tuple[int, ...] = Field(description="calls queueing for worker threads")
    messages: Mapping[str, tuple[int, ...]] = Field(
        default={}, description="with `topics`: messages in line, by topic and operation")


class VmLayout(Document):
    """VMs that are alike."""

    count: int = Field(description="how many")
    vcpus: int = Field(description="vCPUs of each")
    replicas: Mapping[str, int] = Field(description="replicas in each, by service")


class HostLayout(Document):
    """A host, and what stands where on it at the start."""

    name: str = Field(default="", description="with several hosts: its name")
    zone: str | None = Field(default=None, description="with several hosts: its zone, where one is stated")
    model: str = Field(description="its model in the catalogue")
    sockets: int = Field(description="processors")
    cores: int = Field(description="cores of each")
    smt: int = Field(description="hardware threads of each core")
    memory_bytes: int = Field(description="physical memory")
    replicas: Mapping[str, int] = Field(description="replicas on the host itself, in containers or bare, by service")
    vms: tuple[VmLayout, ...] = Field(description="its VMs")


class HostUse(Document):
    """How full a host is, on average over replications; `null` where nothing was measured."""

    cpu: Number | None = Field(description="utilisation of its hardware threads")
    disk: Number | None = Field(description="utilisation of its disk")
    nic: Number | None = Field(description="utilisation of its NIC, in the fuller direction")
    memory: Number | None = Field(description="ratio of its memory that is in use at the end, at the mean load")


class PlatformResult(Document):
    """What one platform did; counts and times are those of one replication on average."""

    replications: int = Field(description="replications that are complete")
    requests: int = Field(description="requests answered in the window")
    events: int = Field(description="events processed, warm-up included")
    wall_s: Number | None = Field(description="wall-clock time of one replication, without start-up; `requests / wall_s` is its speed")
    warmup_s: Number | None = Field(description="simulated time before the window")
    simulated_s: Number | None = Field(description="simulated time, warm-up included")
    latency_s: Latency = Field(description="from the intended arrival of a request to its answer; answered requests only")
    latency_histogram: Histogram | None = Field(default=None, description="the distribution of that latency, over all replications")
    throughput_per_s: Estimate = Field(description="answers per second")
    rejected: Estimate = Field(description="ratio of requests rejected: the queue was full, or no replica was ready")
    failed: Estimate = Field(description="ratio of requests lost in crashes")
    cpu: CpuShares = Field(description="shares of CPU time")
    services: Mapping[str, ServiceResult] = Field(description="what each service did, by name")
    operations: Mapping[str, OperationResult] = Field(description="each operation of the mix, by name")
    workloads: Mapping[str, WorkloadResult] = Field(
        default={}, description="with `workloads`: what became of the requests of each, by name; what stands beside it is of all requests")
    breakdown_s: Breakdown = Field(description="where the mean latency goes")
    bottleneck: Bottleneck = Field(description="what saturates first")
    memory: MemoryUse = Field(description="memory that is committed and used")
    limits: Mapping[str, LimitUse] = Field(
        description="everything that is limited in number, by resource: `memory`, `memory.committed` (with "
        "`memory_ratio`), `guest.memory` (of VMs that replicas share), `disk.space`, `pids`, `files`, "
        "`bridge.ports`, `subnet.ips`, `conntrack`, `mounts`, `inotify.instances`, `loop.devices`, "
        "`pods`, `vcpus`, `vms`"
    )
    checks: Checks = Field(description="laws on the run's own counters")
    devices: Mapping[str, DeviceUse] = Field(default={}, description="in VMs: operations of the devices `net` and `disk`")
    objective: Mapping[str, Verdict] = Field(default={}, description="each limit of the scenario's objective")
    overload: bool = Field(default=False, description="`true` where requests arrive faster than they are answered, in most replications")
    lifecycle: Lifecycle | None = Field(default=None, description="with `state`: instances that were started, and what that took")
    availability: Availability | None = Field(
        default=None, description="where something fails, or an autoscaler follows the load: requests answered in time, what was lost")
    scaling: Scaling | None = Field(default=None, description="where something acts on instances: how many were wanted and ready, and why")
    machines: MachinesResult | None = Field(
        default=None, description="with pools of hosts that autoscale: how many there were, what they cost, and who waited for them")
    happened: Happened | None = Field(default=None, description="where something acts on instances: what happened, and where they stand")
    migrations: tuple[MigrationResult, ...] = Field(default=(), description="what moved to other hosts, and how that went")
    resilience: Resilience | None = Field(default=None, description="with guarded calls: what they did, and what requests failed of")
    messages: Mapping[str, SubscriptionUse] = Field(
        default={}, description="with `topics`: what became of messages, by topic and operation, as `orders > billing.charge`")
    series: Series | None = Field(default=None, description="samples over time")
    layout: tuple[HostLayout, ...] = Field(default=(), description="the hosts, and what stands where")
    hosts: Mapping[str, HostUse] = Field(default={}, description="with several hosts: how full each is, by its name")
    links: Mapping[str, Number] = Field(
        default={}, description="with `network`: utilisation of each link between switches, by its ends; what it carried over what it can")
    by_replication: ByReplication = Field(default={}, description=BY_REPLICATION)

    def of(self, workload: str) -> PlatformResult:
        """The same with the requests of one of several workloads alone; as it is for "", all requests."""
        if not workload:
            return self
        mine, most = self.workloads[workload], self.bottleneck
        if most.max_throughput_of not in ("", workload):
            most = most.model_copy(update={"max_throughput_per_s": None})
        answers = {name: getattr(mine, name) for name in WorkloadResult.model_fields}
        return self.model_copy(update={"workloads": {}, "bottleneck": most, **answers})


class Ratio(Document):
    """A platform over the baseline, from pairs of replications with common random numbers."""

    ratio: float | None = Field(description="mean over mean")
    low: float | None = Field(description="lower end of its 95 % interval")
    high: float | None = Field(description="upper end of its 95 % interval")


class ComparedAnswers(Document):
    """Requests on one platform over those on the baseline."""

    latency_mean: Ratio = Field(description="of the mean latency")
    latency_p99: Ratio = Field(description="of the 99th percentile of the latency")
    throughput: Ratio = Field(description="of the throughput")


class Compared(ComparedAnswers):
    """One platform over the baseline."""

    workloads: Mapping[str, ComparedAnswers] = Field(default={}, description="with `workloads`: the same of each, by name")


class Comparison(Document):
    """Each platform over the first one: a key for each of the others, by name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Compared] = Field(init=False)

    baseline: str = Field(default="", description="the first platform; absent where nothing is complete")

    @property
    def others(self) -> Mapping[str, Compared]:
        """The platforms that are compared, by name."""
        return self.__pydantic_extra__

    def of(self, workload: str) -> Comparison:
        """The same of one of several workloads; as it is for "", all requests."""
        if not workload:
            return self
        others = {name: found.workloads[workload] for name, found in self.others.items() if workload in found.workloads}
        mine: dict[str, Any] = {name: Compared(**dict(found)) for name, found in others.items()}
        return Comparison(baseline=self.baseline, **mine)


class RunDocument(Document):
    """What `simvirt run` prints with `--format json`."""

    simvirt: Program = Field(description="what made the document")
    scenario: ScenarioName = Field(description="which scenario was run")
    answer: str = Field(default="", description="what came of it in a sentence or two, computed from the numbers below")
    seed: int = Field(description="seed of all random streams")
    replications: int = Field(description="independent replications of each platform that were asked for")
    wall_s: Number = Field(description="wall-clock time of all simulations of the command")
    platforms: Mapping[str, PlatformResult] = Field(description="a result for each platform, by name")
    comparison: Comparison = Field(description="each platform over the first one")
    assumptions: tuple[str, ...] = Field(default=(), description="what was assumed where the scenario does not say it")
    warnings: tuple[str, ...] = Field(description="messages that say what makes the numbers misleading")
    theory: TheoryResult | NoTheory | None = Field(
        default=None, description="the closed form that holds for this scenario, or the reason why none does"
    )
    interrupted: bool = Field(
        default=False,
        description="`true` where Ctrl-C or `cancel` ended the run: only complete replications are in it",
    )
    failed: Mapping[str, str] = Field(
        default={}, description="platforms that could not be simulated, by name, and why; the others are not touched by it"
    )

    @property
    def workloads(self) -> tuple[str, ...]:
        """Names of several workloads; "" alone, which is all requests, where there is at most one without a name."""
        return tuple(next(iter(self.platforms.values())).workloads) or ("",) if self.platforms else ("",)

    def of(self, workload: str) -> RunDocument:
        """The same of one of several workloads; as it is for "", all requests."""
        platforms = {name: found.of(workload) for name, found in self.platforms.items()}
        return self.model_copy(update={"platforms": platforms, "comparison": self.comparison.of(workload)}) if workload else self



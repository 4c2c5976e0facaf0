"""Services: what runs, how often, within which limits, and what its operations do. The words are Docker Compose's where it has them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, Mapping

from pydantic import BeforeValidator, Field, PrivateAttr, WithJsonSchema, model_validator

from simvirt.scenario.fields import (
    EventLoops,
    LimitBytes,
    Nanoseconds,
    PositiveBytes,
    PositiveNanoseconds,
    PositiveRatio,
    Queue,
    Threads,
    Title,
    Whole,
)
from simvirt.scenario.spec.autoscale import AutoscaleSpec
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.cluster import PlacementSpec
from simvirt.scenario.spec.deploy import GLOBAL, JOB, STATEFUL, Cpus, DeploySpec, JobSpec, Replicas
from simvirt.scenario.spec.health import HealthcheckSpec
from simvirt.scenario.spec.measured import MeasuredSpec
from simvirt.scenario.spec.memory_demand import MemorySpec, TmpfsSpec
from simvirt.scenario.spec.modes import LOOKED_AT, refuse_beside_mode
from simvirt.scenario.spec.resilience import LimitSpec, ShedSpec
from simvirt.scenario.spec.steps import CpuStep, StartupStep, Step
from simvirt.scenario.spec.vertical import VerticalSpec
from simvirt.scenario.spec.volumes import Mount
from simvirt.scenario.walk import walk
from simvirt.units import UnitError, format_size, format_time, shown

PERIOD_NS: Final = 100_000_000
"""Default of cpu.cfs_period_us, 100 ms. Source: Linux, Documentation/scheduler/sched-bwc.rst."""
LEAST_PERIOD_NS: Final = 1_000_000
MOST_PERIOD_NS: Final = 1_000_000_000
"""Bounds of the period, 1 ms to 1 s; a quota is at least 1 ms. Source: the same, and kernel/sched/core.c."""
MOST_CPU: Final = 65_535



def _cpuset(value: object) -> tuple[int, ...]:
    """`0-3,8` as CPU numbers in ascending order."""
    if isinstance(value, (list, tuple)) and all(isinstance(number, int) for number in value):
        value = ",".join(map(str, value))
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not text or len(text) > 4000:
        raise _no_cpuset(value)
    return tuple(sorted({cpu for part in text.split(",") for cpu in _range(part.strip(), value)}))


def _range(part: str, value: object) -> range:
    """One part of a cpuset, `3` or `0-3`."""
    first, dash, last = part.partition("-")
    bounds = (first.strip(), last.strip() if dash else first.strip())
    if not all(bound.isascii() and bound.isdigit() and len(bound) <= 5 for bound in bounds):
        raise _no_cpuset(value)
    low, high = map(int, bounds)
    if low > high or high > MOST_CPU:
        raise _no_cpuset(value)
    return range(low, high + 1)


def _no_cpuset(value: object) -> UnitError:
    return UnitError(f'expected CPU numbers up to {MOST_CPU}, for example "0-3,8"; got {shown(value)}')


Cpuset = Annotated[
    tuple[int, ...], BeforeValidator(_cpuset),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": r"^[0-9,\s-]+$"}, {"type": "integer", "minimum": 0}], "examples": ["0-3,8"]}),
]


def _dependencies(value: object) -> object:
    """Compose's short form, a list of services, as the long one."""
    return {name: {} for name in value} if isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value) else value


class DependencySpec(Spec):
    """What a service waits for before its instances are created, of another one."""

    example = "{condition: service_healthy}"
    condition: Literal["service_started", "service_healthy"] = Field(
        default="service_started", examples=["service_healthy"],
        description="whether its processes have to be there, or ready for requests")


Dependencies = Annotated[
    Mapping[Title, DependencySpec], BeforeValidator(_dependencies, json_schema_input_type=Mapping[str, DependencySpec] | list[str]),
]


class BackgroundSpec(Spec):
    """Threads that need a CPU by themselves, without requests."""

    example = "{threads: 1, duty: 0.3}"
    threads: Annotated[int, Whole(1, 100_000, 1)] = Field(default=1, description="threads of each replica", examples=["1"])
    duty: PositiveRatio = Field(default=1.0, description="ratio of the time in which they need a CPU", examples=["0.3"])
    period: PositiveNanoseconds = Field(default=10_000_000, description="length of one cycle of work and rest", examples=["10ms"])


class ServiceSpec(Spec):
    """A service: its replicas, limits, threads and operations."""

    example = "{threads: 64, operations: {job: [{cpu: {exponential: 10ms}}]}}"
    later = ("depends_on", "volumes", "autoscale", "healthcheck", "shed", "limit", "vertical")
    hints: ClassVar[Mapping[str, str]] = {
        "cpu": 'did you mean "cpus"?',
        "mem": 'did you mean "mem_limit"?',
        "replicas": 'did you mean "deploy: {replicas: 4}", or "scale: 4"?',
        "resources": 'did you mean "deploy: {resources: {...}}"?',
        "event_loop": 'did you mean "event_loops: 1"?',
        "limits": 'did you mean "deploy: {resources: {limits: {...}}}"?',
        "steps": 'did you mean "operations: {job: [...]}"?',
    }
    image: Title | None = Field(default=None, description="the software in it; sets its rates of system calls and the like",
                                examples=["nginx:1.27"])
    profile: Title | None = Field(default=None, description="what it does with its CPU time; the image's by default", examples=["redis"])
    deploy: DeploySpec = Field(default=DeploySpec.model_construct(), description="replicas and limits", examples=[DeploySpec.example])
    cpus: Cpus | None = Field(default=None, description="short for deploy.resources.limits.cpus", examples=["2"])
    mem_limit: LimitBytes | None = Field(default=None, description="short for deploy.resources.limits.memory", examples=["512MiB"])
    memory: MemorySpec | None = Field(default=None, description="what a replica needs, else its image's", examples=[MemorySpec.example])
    tmpfs: TmpfsSpec | None = Field(default=None, description="files that it keeps in memory (tmpfs)", examples=[TmpfsSpec.example])
    mem_reservation: LimitBytes | None = Field(default=None, description="memory kept from reclaim, as memory.low", examples=["256MiB"])
    mem_high: LimitBytes | None = Field(default=None, description="where reclaim begins, as memory.high", examples=["400MiB"])
    memswap_limit: PositiveBytes | None = Field(default=None, description="memory and swap together", examples=["1GiB"])
    oom_score_adj: Annotated[int, Whole(-1000, 1000, 500)] = Field(default=0, description="bias of the OOM killer", examples=["500"])
    restart: Literal["no", "always", "on-failure", "unless-stopped"] = Field(
        default="no", description="whether it starts again after it was killed", examples=["always"])
    scale: Replicas | None = Field(default=None, description="short for deploy.replicas", examples=["4"])
    threads: Threads = Field(
        default="unlimited", description="worker threads of a replica; `cores`: one for each core that it sees", examples=["64"])
    event_loops: EventLoops | None = Field(
        default=None, examples=["1"],
        description="in place of threads: threads that each compute for any number of requests, as in Node.js; `cores`: one for each core")
    flows: Annotated[int, Whole(1, 100_000, 8)] | None = Field(
        default=None, examples=["1"],
        description="connections that bring what a replica receives, each of which is received on one CPU; as many as threads by default")
    queue: Queue = Field(default="unlimited", description="requests that may wait for a thread of a replica", examples=["128"])
    shed: ShedSpec | None = Field(default=None, description="dropping what has waited too long (controlled delay)",
                                  examples=[ShedSpec.example])
    limit: LimitSpec | None = Field(default=None, description="calls that a replica takes at once, by how long they take",
                                    examples=[LimitSpec.example])
    balance: Literal["round-robin", "least-connections", "random", "two-choices"] = Field(
        default="round-robin", description="how requests are spread over replicas", examples=["least-connections"])
    cpu_quota: PositiveNanoseconds | None = Field(default=None, description="CPU time in a period", examples=["50ms"])
    cpu_period: PositiveNanoseconds | None = Field(default=None, description="period of the quota, 100ms by default", examples=["100ms"])
    cpu_burst: Nanoseconds | None = Field(default=None, description="unused quota that may be saved up", examples=["20ms"])
    cpu_shares: Annotated[int, Whole(2, 262144, 1024)] | None = Field(default=None, description="weight as in cgroup v1", examples=["1024"])
    cpu_weight: Annotated[int, Whole(1, 10000, 100)] | None = Field(default=None, description="weight as in cgroup v2", examples=["100"])
    cpuset: Cpuset | None = Field(default=None, description="CPUs of the host that it may use", examples=["0-3,8"])
    cpuset_mems: Cpuset | None = Field(
        default=None, examples=["0"], description="NUMA nodes of the host that its memory is taken from; a socket is a node")
    background: BackgroundSpec | None = Field(default=None, description="threads that always need a CPU", examples=[BackgroundSpec.example])
    volumes: Annotated[tuple[Mount, ...], Field(max_length=100)] = Field(
        default=(), description="what its disk steps use, by name; the first one unless a step names another",
        examples=['["data:/var/lib/data"]'])
    operations: Mapping[Title, Annotated[tuple[Step, ...], Field(min_length=1, max_length=10_000)]] = Field(
        default={}, description="what requests do here, by name", examples=["{job: [{cpu: {exponential: 10ms}}]}"])
    measured_on: MeasuredSpec | None = Field(
        default=None, description="where its CPU demands were measured; as the scenario says by default", examples=[MeasuredSpec.example])
    healthcheck: HealthcheckSpec | None = Field(
        default=None, examples=[HealthcheckSpec.example],
        description="checks that say when an instance takes requests and counts as healthy, where a run follows starts or failures")
    depends_on: Dependencies = Field(
        default={}, examples=[f"{{db: {DependencySpec.example}}}"],
        description="services that come first where a run begins without instances, by name; a list waits for their processes alone")
    autoscale: AutoscaleSpec | None = Field(
        default=None, description="changes the number of replicas with the load; they stay as many by default",
        examples=[AutoscaleSpec.example])
    vertical: VerticalSpec | None = Field(
        default=None, description="changes the CPUs of each replica with its usage; they stay as many by default",
        examples=[VerticalSpec.example])
    startup: tuple[StartupStep, ...] = Field(default=(), max_length=10_000, description="work before the first request",
                                             examples=["[{cpu: 200ms}, {disk: {read: 50MiB}}]"])

    _hosts: tuple[int, int] = PrivateAttr(default=(1, 1))

    @model_validator(mode="after")
    def _does_something(self) -> ServiceSpec:
        refuse_beside_mode(self.deploy, [key for key in LOOKED_AT if getattr(self, key)])
        if not self.operations and self.background is None and not self.is_job:
            refuse("expected operations or a background, for example operations: {job: [{cpu: {exponential: 10ms}}]}")
        return self

    @model_validator(mode="after")
    def _said_once(self) -> ServiceSpec:
        limits = self.deploy.resources.limits
        _one_of(self.scale, self.deploy.replicas if "replicas" in self.deploy.model_fields_set else None, "scale", "deploy.replicas")
        _one_of(self.cpus, limits.cpus, "cpus", "deploy.resources.limits.cpus")
        _one_of(self.mem_limit, limits.memory, "mem_limit", "deploy.resources.limits.memory")
        if self.memswap_limit is not None and (self.memory_limit is None or self.memswap_limit < self.memory_limit):
            refuse("memory and swap together; expected at least the memory limit beside it, for example mem_limit: 512MiB", "memswap_limit")
        _one_of(self.event_loops, self.threads if "threads" in self.model_fields_set else None, "event_loops", "threads")
        _one_of(self.cpu_quota, self._cpus, "cpu_quota", "cpus")
        _one_of(self.cpu_shares, self.cpu_weight, "cpu_shares", "cpu_weight")
        return self

    @model_validator(mode="after")
    def _sheds_a_line(self) -> ServiceSpec:
        if self.shed is not None and (self.event_loops is not None or self.threads == "unlimited"):
            refuse("has no effect where no call waits for a thread; expected threads: 8 beside it", "shed")
        if self.limit is not None and self.event_loops is not None:
            refuse("counts calls by threads, which event loops do not have; expected threads: 8", "limit")
        return self

    @model_validator(mode="after")
    def _teams_have_threads(self) -> ServiceSpec:
        if self.event_loops is not None:
            for where, steps in [(("startup",), self.startup), *((("operations", name), steps) for name, steps in self.operations.items())]:
                for visit in walk(steps, where):
                    if isinstance(visit.step, CpuStep) and visit.step.team is not None:
                        refuse("a team needs threads of its own; expected a service with threads", *visit.path, "team")
        return self

    @model_validator(mode="after")
    def _memory_is_bounded_in_order(self) -> ServiceSpec:
        """memory.low and memory.high lie within memory.max, as Docker and Compose require."""
        limit = self.memory_limit
        for name in ("mem_reservation", "mem_high"):
            value = getattr(self, name)
            if limit is not None and value is not None and value > limit:
                refuse(f"expected at most the memory limit of {format_size(limit)}; got {format_size(value)}", name)
        return self

    @model_validator(mode="after")
    def _quota_is_possible(self) -> ServiceSpec:
        quota = self.quota_ns
        if quota is None:
            _need_quota(self)
        elif not LEAST_PERIOD_NS <= self.period_ns <= MOST_PERIOD_NS:
            refuse(f"expected a period of 1ms to 1s, for example 100ms; got {format_time(self.period_ns / 1e9)}", "cpu_period")
        elif quota < LEAST_PERIOD_NS:
            refuse(f"the kernel refuses less than 1ms in a period; got {format_time(quota / 1e9)} in {format_time(self.period_ns / 1e9)}",
                   *cpus_path(self))
        elif (self.cpu_burst or 0) > quota:
            refuse(f"expected at most the quota of {format_time(quota / 1e9)}; got {format_time((self.cpu_burst or 0) / 1e9)}", "cpu_burst")
        return self

    @model_validator(mode="after")
    def _reservation_within_limit(self) -> ServiceSpec:
        reserved, limit = self.cpu_reservation, self.cpu_limit
        if reserved is not None and limit is not None and reserved > limit:
            refuse(f"expected at most the limit of {limit:g} CPUs; got {reserved:g}", *RESERVATION)
        return self

    @model_validator(mode="after")
    def _usage_is_of_something(self) -> ServiceSpec:
        if self.autoscale is not None:
            self.autoscale.target.check(self.cpu_reservation or self.cpu_limit, self.requested_memory)
        return self

    @model_validator(mode="after")
    def _one_follows_usage(self) -> ServiceSpec:
        if self.vertical is None:
            return self
        if self.cpu_limit is None:
            refuse("expected a limit of CPUs to begin with, for example cpus: 1 beside it", "vertical")
        if self.autoscale is not None and self.autoscale.target.cpu is not None:
            refuse("usage of CPU moves replicas already; expected another target of autoscale, for example {requests: 100/s}", "vertical")
        return self

    @property
    def _cpus(self) -> float | None:
        return self.deploy.resources.limits.cpus if self.cpus is None else self.cpus

    @property
    def replicas(self) -> int:
        """How many instances there are."""
        if self.is_job:
            return min(self.job.parallelism, self.job.completions)
        if self.is_global:
            return self._hosts[0]
        return self.deploy.replicas if self.scale is None else self.scale

    @property
    def is_global(self) -> bool:
        """Whether it has one instance on each host that it may stand on."""
        return self.deploy.mode == GLOBAL

    @property
    def is_job(self) -> bool:
        """Whether its instances end when their start-up work is done."""
        return self.deploy.mode == JOB

    @property
    def is_stateful(self) -> bool:
        """Whether its instances come and go one after the other, each with a number of its own for ever."""
        return self.deploy.mode == STATEFUL

    @property
    def job(self) -> JobSpec:
        """How often a job is done."""
        return self.deploy.job or JobSpec.model_construct()

    @property
    def most_replicas(self) -> int:
        """How many instances there may be as hosts come."""
        return self._hosts[1] if self.is_global else self.replicas

    def stand_on(self, first: int, most: int) -> None:
        """Takes in on how many hosts it may stand, of those that are there at first and of all that may come."""
        self._hosts = first, most

    @property
    def workers(self) -> int | str:
        """Threads or event loops of a replica that compute for requests."""
        return self.threads if self.event_loops is None else self.event_loops

    @property
    def workers_name(self) -> Literal["threads", "event_loops"]:
        """The key that says how many they are."""
        return "threads" if self.event_loops is None else "event_loops"

    @property
    def placement(self) -> PlacementSpec:
        """On which hosts its replicas may stand."""
        return self.deploy.placement or PlacementSpec.model_construct()

    def placed_anywhere(self) -> ServiceSpec:
        """The same without a word on which hosts its replicas may stand."""
        if self.deploy.placement is None:
            return self
        deploy = self.deploy.model_copy(update={"placement": None})
        return self.model_copy(update={"deploy": deploy})

    @property
    def cpu_reservation(self) -> float | None:
        """CPUs that a replica has a right to, None where nothing is reserved."""
        return self.deploy.resources.reservations.cpus

    @property
    def memory_reservation(self) -> int | None:
        """Memory that is kept free for a replica on its host [bytes], None where none is."""
        return self.deploy.resources.reservations.memory

    @property
    def memory_limit(self) -> int | None:
        """Memory that a replica may use [bytes], None where it is not limited."""
        return self.deploy.resources.limits.memory if self.mem_limit is None else self.mem_limit

    @property
    def requested_memory(self) -> int | None:
        """Memory that a replica requests [bytes]: what is reserved for it, else its limit."""
        return self.memory_reservation or self.memory_limit

    @property
    def period_ns(self) -> int:
        """Period of the quota [ns]."""
        return PERIOD_NS if self.cpu_period is None else self.cpu_period

    @property
    def quota_ns(self) -> int | None:
        """CPU time that a replica may use in a period [ns], None where it is not limited."""
        if self.cpu_quota is not None:
            return self.cpu_quota
        return None if self._cpus is None else round(self._cpus * self.period_ns)

    @property
    def cpu_limit(self) -> float | None:
        """CPUs that a replica may use, from `cpus` or quota and period; None where they are not limited."""
        return self._cpus if self.cpu_quota is None else self.cpu_quota / self.period_ns


RESERVATION: Final = ("deploy", "resources", "reservations", "cpus")
"""The key that reserves CPUs for a service."""


def cpus_path(service: ServiceSpec) -> tuple[str, ...]:
    """The key that limits the CPUs of a service."""
    key = "cpu_quota" if service.cpu_quota is not None else "cpus" if service.cpus is not None else None
    return ("deploy", "resources", "limits", "cpus") if key is None else (key,)


def replicas_path(service: ServiceSpec) -> tuple[str, ...]:
    """The key that says how many instances a service has."""
    return ("scale",) if service.scale is not None else ("deploy", "replicas")


def memory_path(service: ServiceSpec) -> tuple[str, ...]:
    """The key that limits the memory of a service."""
    return ("mem_limit",) if service.mem_limit is not None else ("deploy", "resources", "limits", "memory")


def _one_of(first: object, second: object, short: str, long: str) -> None:
    """A ValidationError where the same thing is said twice."""
    if first is not None and second is not None:
        refuse(f"given twice; expected either {short} or {long}", short)


def _need_quota(service: ServiceSpec) -> None:
    """A ValidationError where a field shapes a quota that is not there."""
    for key in ("cpu_period", "cpu_burst"):
        if getattr(service, key) is not None:
            refuse("has no effect without a limit; expected cpu_quota or cpus beside it, for example cpu_quota: 50ms", key)

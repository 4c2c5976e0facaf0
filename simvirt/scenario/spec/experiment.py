"""What a run must reach, how long and how often it is run, and what happens in it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Mapping, Self

from pydantic import Field, ModelWrapValidatorHandler, PrivateAttr, model_validator

from simvirt.scenario.fields import InnerRatio, Nanoseconds, PositiveNanoseconds, PositivePerSecond, Ratio, Whole, Word
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.failures import OF_SERVICES, FailEvent
from simvirt.scenario.spec.migration import RESTART, WAYS
from simvirt.scenario.spec.orchestration import ORCHESTRATED, OrchestrateEvent
from simvirt.scenario.spec.steps import OperationName
from simvirt.scenario.spec.workload import WorkloadSpec, one_of

MOST_REQUESTS: Final = 10_000_000_000
DEFAULT_DURATION: Final = "60s"


class LatencyLimitsSpec(Spec):
    """Latencies of the requests of one operation at most. Times in ns."""

    example = "{latency_p95: 300ms}"
    hints: ClassVar[Mapping[str, str]] = {key: f'did you mean "latency_{key}"?' for key in ("mean", "p50", "p90", "p95", "p99", "p999")}
    latency_mean: PositiveNanoseconds | None = Field(default=None, description="mean latency at most", examples=["20ms"])
    latency_p50: PositiveNanoseconds | None = Field(default=None, description="median of the latency at most", examples=["20ms"])
    latency_p90: PositiveNanoseconds | None = Field(default=None, description="90th percentile of the latency at most", examples=["60ms"])
    latency_p95: PositiveNanoseconds | None = Field(default=None, description="95th percentile of the latency at most", examples=["80ms"])
    latency_p99: PositiveNanoseconds | None = Field(default=None, description="99th percentile of the latency at most", examples=["100ms"])
    latency_p999: PositiveNanoseconds | None = Field(default=None, description="99.9th percentile of the latency at most",
                                                     examples=["200ms"])

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.limits:
            refuse(f"expected at least one of {', '.join(type(self).model_fields)}, for example {self.example}")
        return self

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are given, by name; times in ns."""
        return {name: limit for name in type(self).model_fields if isinstance(limit := getattr(self, name), (int, float))}


class ObjectiveSpec(LatencyLimitsSpec):
    """What a platform must meet: latencies and rejections at most, throughput at least. Times in ns."""

    example = "{latency_p99: 100ms}"
    throughput: PositivePerSecond | None = Field(default=None, description="answers at least", examples=["790/s"])
    rejected: Ratio | None = Field(default=None, description="ratio of requests rejected at most", examples=["0.1%"])
    operations: Mapping[OperationName, LatencyLimitsSpec] = Field(
        default={}, description="limits of the requests that enter at an operation, as service.operation",
        examples=["{web.checkout: {latency_p95: 300ms}}"])

    @property
    def limits(self) -> dict[str, float]:
        """The limits that are given, by name, those of an operation as `latency_p95:service.operation`; times in ns."""
        inner = {key_of(measure, name): limit for name, spec in self.operations.items() for measure, limit in spec.limits.items()}
        return super().limits | inner


def key_of(measure: str, operation: str) -> str:
    """The name of a limit of one operation."""
    return f"{measure}:{operation}"


def parts_of(key: str) -> tuple[str, str | None]:
    """What a limit is about, and of which operation; None where it is about all requests."""
    measure, colon, operation = key.partition(":")
    return measure, operation if colon else None


class NamedWorkloadSpec(WorkloadSpec):
    """One of several workloads side by side: where its requests come from, what they call, and what they must meet."""

    example = "{open: {rate: 10/s}, mix: {ping.echo: 1}, objective: {latency_p99: 1ms}}"
    objective: ObjectiveSpec | None = Field(
        default=None, description="what the requests of this workload must meet", examples=[ObjectiveSpec.example])


class RunSpec(Spec):
    """How long a run is, how often it is replicated, and the seed of its random numbers. Times in ns."""

    example = "{duration: 10min, replications: 5, seed: 1}"
    duration: PositiveNanoseconds | None = Field(default=None, examples=["10min"],
                                                  description="simulated time; by default 60s, and up to 20min where a queue needs it")
    requests: Annotated[int, Whole(1, MOST_REQUESTS, 1_000_000)] | None = Field(
        default=None, description="requests, instead of a duration", examples=["1000000"])
    replications: Annotated[int, Whole(1, 1000, 5)] = Field(default=5, description="runs with independent random numbers", examples=["5"])
    seed: Annotated[int, Whole(0, 2**63 - 1, 1)] = Field(default=1, description="seed of all random streams", examples=["1"])
    warmup: Nanoseconds | None = Field(
        default=None, description="time at the start that is not measured; by default a fifth, nothing of a load that varies",
        examples=["10s"])
    precision: InnerRatio | None = Field(default=None, description="relative half-width of the intervals to be reached",
                                         examples=["2%"])
    max_replications: Annotated[int, Whole(1, 1000, 100)] = Field(default=100, description="most replications that a precision may take",
                                                                  examples=["100"])
    observe: PositiveNanoseconds | None = Field(default=None, description="interval at which the state is recorded", examples=["1s"])

    _chosen: bool = PrivateAttr(default=False)

    @model_validator(mode="wrap")
    @classmethod
    def _default_duration(cls, data: Any, build: ModelWrapValidatorHandler[RunSpec]) -> RunSpec:
        if not isinstance(data, Mapping) or "duration" in data or "requests" in data:
            return build(data)
        made = build({**data, "duration": DEFAULT_DURATION})
        made._chosen = True
        return made

    @property
    def length_is_free(self) -> bool:
        """Whether neither a duration nor a number of requests was stated, so that the run may be longer than the default."""
        return self._chosen

    def lasting(self, duration_ns: int, **more: Any) -> RunSpec:
        """The same with a duration that is stated."""
        found = self.model_copy(update={"duration": duration_ns, "requests": None, **more})
        found._chosen = False
        return found

    @model_validator(mode="after")
    def _consistent(self) -> RunSpec:
        one_of(self, ("duration", "requests"), self.example)
        for key in ("warmup", "observe"):
            value, limit = getattr(self, key), self.duration
            if value is not None and limit is not None and value >= limit:
                refuse("expected less than the duration, for example 10s of 10min", key)
        if self.precision is not None and self.max_replications < max(2, self.replications):
            refuse("expected at least replications, and at least 2, where a precision is to be reached", "max_replications")
        return self


VERBS: Final = ("start", "stop", "crash", "fail", "migrate", "drain", *ORCHESTRATED, "load")
"""What a timeline can do."""


class TimelineEvent(FailEvent, OrchestrateEvent):
    """Something that happens to a service or a host at an instant. Times in ns."""

    example = "{at: 30s, crash: web, replica: 0, restart: 5s}"
    later = (*FailEvent.later, *OrchestrateEvent.later)
    at: Nanoseconds = Field(description="when", examples=["30s"])
    start: Word | None = Field(default=None, description="service that starts", examples=["web"])
    stop: Word | None = Field(default=None, description="service that stops taking requests", examples=["web"])
    crash: Word | None = Field(default=None, description="service that fails at once, with its requests", examples=["web"])
    replica: Annotated[int, Whole(0, 99_999, 0)] | None = Field(default=None, description="which replica, counted from 0; all by default",
                                                               examples=["0"])
    restart: Nanoseconds | None = Field(default=None, description="time from a crash to the restart; none by default", examples=["5s"])

    @model_validator(mode="after")
    def _one_verb(self) -> TimelineEvent:
        one_of(self, VERBS, self.example)
        self.refuse_idle_words(self.how if "how" in self.model_fields_set else None)
        if self.restart is not None and self.crash is None:
            refuse(f"only a crash has a restart, for example {self.example}", "restart")
        self.refuse_idle_wishes()
        if self.replica is not None and self.verb in ORCHESTRATED:
            refuse(f"{self.verb} is about all replicas of a service; expected none in particular", "replica")
        return self

    @property
    def verb(self) -> str:
        """What happens."""
        return next(verb for verb in VERBS if getattr(self, verb) is not None)

    @property
    def service(self) -> str:
        """To which service; empty where it happens to a host."""
        wanted = self.start or self.stop or self.crash or self.wants or self.migrate
        return wanted or (self.fail if self.how in OF_SERVICES else None) or ""

    @property
    def restarts(self) -> bool:
        """Whether a host is drained by starting anew elsewhere what is on it."""
        return self.drain is not None and self.how == RESTART

    @property
    def way(self) -> str:
        """How what moves gets to the other host."""
        return self.how if self.how in WAYS else "pre-copy"

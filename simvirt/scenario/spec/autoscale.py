"""How many replicas of a service there are as its load changes: what an autoscaler aims at, and how fast it may follow."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from simvirt.scenario.fields import (
    MOST_REPLICAS,
    Nanoseconds,
    Number,
    PositiveBytes,
    PositiveNanoseconds,
    PositivePerSecond,
    PositiveRatio,
    Whole,
)
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.host import Reference


def _share(value: object) -> object:
    """`150%` as 1.5; what is no percentage stays as it is."""
    text = value.strip() if isinstance(value, str) else ""
    with suppress(ValueError):
        return float(text.removesuffix("%")) / 100 if text.endswith("%") else value
    return value


Share = Annotated[float, Number(0, 1000, 1, above=True), BeforeValidator(_share), WithJsonSchema({
    "anyOf": [{"type": "number", "exclusiveMinimum": 0, "maximum": 1000}, {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"}],
    "examples": ["100%", 0.5],
})]
"""A multiple, above 0: 1.5 or 150%."""


class ScalePolicySpec(Spec):
    """A change that is allowed within a period: so many replicas, or a share of those at its begin."""

    example = "{replicas: 4, period: 15s}"
    hints: ClassVar[Mapping[str, str]] = {"pods": 'did you mean "replicas"?', "percent": 'did you mean "share"?'}
    replicas: Annotated[int, Whole(1, MOST_REPLICAS, 4)] | None = Field(
        default=None, description="replicas that may come or go in a period", examples=["4"])
    share: Share | None = Field(
        default=None, description="the same as a share of the replicas at the begin of the period", examples=["100%"])
    period: PositiveNanoseconds = Field(default=15_000_000_000, description="length of the period", examples=["15s"])

    @model_validator(mode="after")
    def _one_amount(self) -> ScalePolicySpec:
        if (self.replicas is None) == (self.share is None):
            refuse(f"expected either replicas or share, for example {self.example}")
        return self


class ScalingSpec(Spec):
    """How fast the number of replicas may change in one direction."""

    example = "{stabilization: 300s, policies: [{replicas: 4, period: 15s}]}"
    hints: ClassVar[Mapping[str, str]] = {"window": 'did you mean "stabilization"?'}
    stabilization: Nanoseconds | None = Field(
        default=None, examples=["300s"],
        description="time that a change has to be asked for throughout; 0s upwards and 300s downwards by default")
    policies: tuple[ScalePolicySpec, ...] | None = Field(
        default=None, min_length=1, max_length=20, examples=[f"[{ScalePolicySpec.example}]"],
        description="what may change in a period; four replicas or as many as there are in 15s upwards, all in 15s downwards by default")
    select: Literal["max", "min", "disabled"] = Field(
        default="max", description="which of several policies counts: the largest change, the smallest, or none may be made",
        examples=["min"])


class TargetSpec(Spec):
    """What an autoscaler keeps replicas at, on average; of several the one that asks for most replicas counts."""

    example = "{cpu: 60%}"
    later = ("requests", "concurrency", "queue", "memory", "memory_average")
    hints: ClassVar[Mapping[str, str]] = {"rps": 'did you mean "requests: 100/s"?', "in_flight": 'did you mean "concurrency"?'}
    cpu: PositiveRatio | None = Field(
        default=None, description="CPU time over what a replica requests: its reservation of CPUs, else its limit", examples=["60%"])
    requests: PositivePerSecond | None = Field(
        default=None, description="requests per second that come to a service, for each replica", examples=["100/s"])
    concurrency: Annotated[float, Number(0, 1e6, 10, above=True)] | None = Field(
        default=None, description="requests in flight at a service and those that wait for it, for each replica", examples=["10"])
    queue: Annotated[float, Number(0, 1e6, 5, above=True)] | None = Field(
        default=None, description="requests that wait for a thread, or for a replica, for each replica", examples=["5"])
    memory: PositiveRatio | None = Field(
        default=None, examples=["70%"],
        description="working set over the memory that a replica requests: its reservation, else its limit")
    memory_average: PositiveBytes | None = Field(default=None, description="working set of a replica", examples=["300MiB"])

    @model_validator(mode="after")
    def _something(self) -> TargetSpec:
        if self.cpu is None and not self.of_memory and not self.by_demand:
            refuse(f"expected what replicas are kept at, for example {self.example}")
        return self

    def check(self, cpus: float | None, memory: int | None) -> None:
        """A ValidationError where a usage is a share of something that a replica does not request."""
        for usage, requested, what, beside in (("cpu", cpus, "CPUs", "cpus: 1"), ("memory", memory, "memory", "mem_limit: 512MiB")):
            if getattr(self, usage) is not None and requested is None:
                said = f"expected {what} that a replica requests, of which usage is a share, for example {beside} beside it"
                refuse(said, "autoscale", "target", usage)

    @property
    def of_memory(self) -> bool:
        """Whether it looks at what replicas have in memory."""
        return self.memory is not None or self.memory_average is not None

    @property
    def by_demand(self) -> tuple[tuple[Literal["requests", "concurrency", "queue"], float], ...]:
        """What of a service's demand each replica is to have."""
        found = {"requests": self.requests, "concurrency": self.concurrency, "queue": self.queue}
        return tuple((name, value) for name, value in found.items() if value is not None)  # type: ignore[misc]


class ScheduleSpec(Spec):
    """At least so many replicas in a span of time."""

    example = "{at: 8min, for: 30min, replicas: 10, every: 1d}"
    at: Nanoseconds = Field(description="when the span begins", examples=["8min"])
    for_: PositiveNanoseconds = Field(alias="for", description="how long it is", examples=["30min"])
    replicas: Annotated[int, Whole(1, MOST_REPLICAS, 10)] = Field(description="replicas that are wanted in it at least", examples=["10"])
    every: PositiveNanoseconds | None = Field(default=None, description="after what time it comes again; never by default", examples=["1d"])

    @model_validator(mode="after")
    def _apart(self) -> ScheduleSpec:
        if self.every is not None and self.every <= self.for_:
            refuse(f"expected more than the span itself, for example {self.example}", "every")
        return self


class PredictSpec(Spec):
    """Replicas for the load that its trend foresees."""

    example = "{window: 5min, ahead: 1min}"
    window: PositiveNanoseconds = Field(description="time over which the trend of CPU usage is taken", examples=["5min"])
    ahead: PositiveNanoseconds = Field(description="how far ahead it is read", examples=["1min"])


class AutoscaleSpec(Spec):
    """Changes the number of replicas with the load, as the horizontal pod autoscaler of Kubernetes does, whatever orchestrates."""

    example = "{min: 2, max: 20, target: {cpu: 60%}}"
    hints: ClassVar[Mapping[str, str]] = {"behavior": 'did you mean "scale_up" or "scale_down"?', "metrics": 'did you mean "target"?'}
    min: Annotated[int, Whole(0, MOST_REPLICAS, 2)] = Field(
        default=1, examples=["2"], description="fewest replicas; none where `by` is an autoscaler with a buffer: keda, knative")
    max: Annotated[int, Whole(1, MOST_REPLICAS, 20)] = Field(description="most replicas", examples=["20"])
    target: TargetSpec = Field(description="what replicas are kept at", examples=[TargetSpec.example])
    by: Reference = Field(
        default="hpa", description="whose periods it has: an entry of the catalogue's autoscalers", examples=["hpa"])
    schedule: tuple[ScheduleSpec, ...] = Field(
        default=(), max_length=1000, description="spans in which so many replicas are wanted at least, whatever the load",
        examples=[f"[{ScheduleSpec.example}]"])
    predict: PredictSpec | None = Field(
        default=None, description="also replicas for the load that its trend foresees", examples=[PredictSpec.example])
    tolerance: PositiveRatio | None = Field(
        default=None, description="relative distance from the target within which nothing changes; 10% by default", examples=["5%"])
    scale_up: ScalingSpec | None = Field(
        default=None, description="how fast there may be more", examples=["{policies: [{share: 100%, period: 60s}]}"])
    scale_down: ScalingSpec | None = Field(
        default=None, description="how fast there may be fewer", examples=["{stabilization: 60s}"])

    @model_validator(mode="after")
    def _bounds(self) -> AutoscaleSpec:
        if self.max < self.min:
            refuse(f"expected at least min, which is {self.min}; got {self.max}", "max")
        if self.predict is not None and self.target.cpu is None:
            refuse("is of CPU usage; expected a target of it, for example target: {cpu: 60%}", "predict")
        for index, span in enumerate(self.schedule):
            if span.replicas > self.max:
                refuse(f"expected at most max, which is {self.max}; got {span.replicas}", "schedule", index, "replicas")
        return self

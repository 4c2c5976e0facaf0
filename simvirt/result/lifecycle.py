"""The life of instances in documents: when those that were started are ready, and what that took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from simvirt.result.document import Document, Estimate, Number


@dataclass(frozen=True, slots=True)
class Readiness:
    """After how long instances are ready, each from the instant at which it is asked for [s]."""

    first: Annotated[Estimate, Field(description="the fastest of them")]
    p50: Annotated[Estimate, Field(description="half of them")]
    p90: Annotated[Estimate, Field(description="nine tenths")]
    p99: Annotated[Estimate, Field(description="99 of a hundred")]
    last: Annotated[Estimate, Field(description="the slowest of them")]


class PhaseResult(Document):
    """A phase of starts; of all its executions."""

    phase: str = Field(description="what is done")
    layer: str = Field(description="whose phase it is: a hypervisor, a guest OS, a runtime, an image, a service")
    last_s: Estimate = Field(
        description="time on the way to the end of the slowest start, waits included; where that waits for other services, on their way")
    waited_s: Estimate = Field(description="the part of it before it began: waits for a lock that others held")
    mean_s: Estimate = Field(description="time that an instance spent in it, on average over those that have it")
    mean_waited_s: Estimate = Field(description="the part of it that it waited before it began, on average")
    instances: Number = Field(description="instances that have it, on average over replications")


class ServiceReadiness(Document):
    """The instances of a service that were started."""

    started: Number = Field(description="how many, on average over replications")
    ready: Number = Field(description="how many of them are ready in the end")
    ready_s: Readiness = Field(description="after how long they are ready [s]")


class Lifecycle(Document):
    """Instances that were started, and how that went."""

    started: Number = Field(description="how many, on average over replications")
    ready: Number = Field(description="how many of them are ready in the end")
    readiness_s: Readiness = Field(description="after how long they are ready, those of all services together [s]")
    services: Mapping[str, ServiceReadiness] = Field(description="the same for each service")
    phases: tuple[PhaseResult, ...] = Field(description="what the starts consist of, in the order in which phases are first met")

    def slowest_s(self, phase: str) -> float:
        """What the slowest instance spent in phases of a name [s]."""
        return sum(found.last_s.value or 0.0 for found in self.phases if found.phase == phase)

"""Scaling in documents: how many replicas were wanted and ready over time, and each change with its reason."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from simvirt.result.document import Document, Estimate, Number


class LevelResult(Document):
    """How many replicas there are from an instant on."""

    at_s: Number = Field(description="from when on")
    wanted: int = Field(description="replicas that are wanted")
    ready: int = Field(description="replicas that count as ready, for those who look after them")
    serving: int = Field(description="those of them that are up: what is gone serves nobody, though that is not noticed yet")


class ChangeResult(Document):
    """Another number of replicas is wanted, in the first replication."""

    at_s: Number = Field(description="when")
    before: int = Field(description="replicas that were wanted")
    after: int = Field(description="replicas that are wanted from now on")
    why: str = Field(description="why")
    usage: Number | None = Field(default=None, description="of an autoscaler: the ratio that it saw, as it counts it")
    window_s: Number | None = Field(default=None, description="of an autoscaler: over how long that was measured, the mean over replicas")
    age_s: Number | None = Field(default=None, description="of an autoscaler: how long ago that ended, the mean over replicas")
    asked: int | None = Field(default=None, description="of an autoscaler: replicas that the metric asked for")
    limited_by: str | None = Field(default=None, description="of an autoscaler: what kept it from that: "
                                   "`TooManyReplicas`, `TooFewReplicas`, `ScaleUpLimit`, `ScaleDownLimit`")
    ready_after_s: Number | None = Field(
        default=None, description="where more are wanted: until so many were ready; `null` where they never were, or fewer were wanted")


class ServiceScaling(Document):
    """A service: means over time, and what happened in the first replication."""

    wanted: Estimate = Field(description="replicas that are wanted, over time")
    ready: Estimate = Field(description="replicas that count as ready, for those who look after them, over time")
    serving: Estimate = Field(description="replicas that are up and take requests, over time")
    most: Estimate = Field(description="the most that took requests at once")
    short_s: Estimate = Field(description="time in which fewer took requests than were wanted")
    grown: Estimate = Field(description="times that more were wanted")
    ready_after_s: Estimate = Field(description="from a wish for more until so many were ready, on average over those wishes")
    seen_s: Estimate = Field(
        description="of an autoscaler: how old the middle of the window was that it saw when it wanted more, on average: its own delay")
    course: tuple[LevelResult, ...] = Field(description="the numbers over time, of the first replication")
    changes: tuple[ChangeResult, ...] = Field(description="the changes of what is wanted, of the first replication")


class Scaling(Document):
    """How many replicas there were."""

    services: Mapping[str, ServiceScaling] = Field(description="each service, by name")

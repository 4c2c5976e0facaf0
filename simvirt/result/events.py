"""What happened, in documents: events in their order, instances by what became of them, where they stand."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from simvirt.result.document import Document, Estimate, Number


class EventResult(Document):
    """Something that happened, in the first replication."""

    at_s: Number = Field(description="when it happened")
    what: str = Field(
        description="what: `scale`, `update`, `start`, `ready`, `unhealthy`, `failed`, `restart`, `stop`, `stopped`, `waits`, "
        "`preempted`, `kept` ...")
    who: str = Field(description="to which service, instance (`web-3`), host or registry")
    where: str | None = Field(default=None, description="on which host")
    why: str | None = Field(default=None, description="why")


class Happened(Document):
    """What became of instances while something acted on them."""

    events: tuple[EventResult, ...] = Field(description="what happened, in the first replication: at most the first 1,000 events")
    last: tuple[EventResult, ...] = Field(default=(), description="where there were more, the last of those that followed: at most 100")
    counted: Mapping[str, int] = Field(default={}, description="where there were more, how many of each kind, all events included")
    told: int = Field(description="how many events there were")
    started: Estimate = Field(description="instances that were started, those included that were there at first")
    running: Estimate = Field(description="instances that were there at the end, or being started or stopped")
    ended: Mapping[str, Estimate] = Field(
        description="instances that ended, by cause: `stopped`, `killed` where their time of grace was over, `failed`, `lost` with a host, "
        "`preempted` for more important ones, `completed` with the work of a job done")
    placement: Mapping[str, Mapping[str, int]] = Field(
        description="replicas of each service on each host at the end of the first replication")

"""Live migrations in documents: what moved where, how long that took, and how long it stood still."""

from __future__ import annotations

from pydantic import Field

from simvirt.result.document import Document, Estimate, Number


class RoundResult(Document):
    """A round in which memory was copied while the VM ran."""

    sent_bytes: Number = Field(description="what was sent")
    took_s: Number = Field(description="how long that took [s]")
    dirtied_bytes: Number = Field(description="what was dirtied meanwhile")
    throttled: Number = Field(description="share of the vCPUs' time that was taken away meanwhile")


class MigrationResult(Document):
    """The move of a VM to another host; numbers are means over replications, times over those in which it ended."""

    service: str = Field(description="service of the first replica in it")
    replica: int = Field(description="number of that replica, from 0")
    source: str = Field(description="host that it came from")
    to: str = Field(description="host that it went to")
    how: str = Field(description="`pre-copy`, `post-copy`, `hybrid`, `stop-and-copy` or `checkpoint`")
    asked_s: Number = Field(description="instant at which it was asked for [s]")
    ended: Number = Field(description="replications in which all of it was on the other host before the end of the run")
    total_s: Estimate = Field(description="from when it was asked for until all of it was on the other host [s]")
    waited_s: Estimate = Field(description="the part of it before anything was sent: its turn, and preparations [s]")
    downtime_s: Estimate = Field(description="how long it stood still in the end [s]")
    rounds: Number = Field(description="rounds in which memory was copied while it ran")
    memory_bytes: Number = Field(description="memory with content that it had")
    sent_bytes: Number = Field(description="memory that crossed the network, what was sent again included")
    disk_bytes: Number = Field(description="what was copied of its disk")
    throttled_s: Number = Field(description="time that was taken from its vCPUs so that it wrote less")
    logging_s: Number = Field(description="CPU time of its requests for pages that they were the first to write in a round")
    faults: Number = Field(description="pages that were fetched over the network because they were touched before they had come")
    why: str = Field(description="why copying ended while it ran; empty where it did not copy so")
    copied: tuple[RoundResult, ...] = Field(description="the rounds, in the first replication that has them")

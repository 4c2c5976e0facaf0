"""Machines in documents: how many hosts pools that autoscale had over time, what they cost, and how long a new one took."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from simvirt.result.document import UNKNOWN, Document, Estimate, Number


class MachineLevel(Document):
    """How many hosts of a pool there are from an instant on."""

    at_s: Number = Field(description="from when on")
    asked: int = Field(description="hosts that are paid for: asked for, and not gone")
    up: int = Field(description="of these those that took replicas")


class PoolResult(Document):
    """A pool that autoscales: means over replications, and what happened in the first one."""

    asked: Estimate = Field(description="hosts that are paid for, over time")
    up: Estimate = Field(description="of these those that took replicas, over time")
    most: Estimate = Field(description="the most that were paid for at once")
    host_hours: Estimate = Field(description="hosts times hours, each from when it was asked for until it was gone [h]")
    cost_usd: Estimate = Field(default=UNKNOWN, description="what that costs where hosts are rented; `null` where they are bought")
    added: Estimate = Field(description="hosts that were asked for")
    removed: Estimate = Field(description="hosts that went")
    up_after_s: Estimate = Field(description="from asking for a host until it took replicas, on average")
    course: tuple[MachineLevel, ...] = Field(description="the numbers over time, of the first replication")


class MachinesResult(Document):
    """Hosts that came and went."""

    pools: Mapping[str, PoolResult] = Field(description="each pool that autoscales, by name")
    waiting: Mapping[str, Estimate] = Field(description="replicas of each service that waited for a host, over time")
    waiting_s: Mapping[str, Estimate] = Field(description="time in which any of these waited")

"""Availability in documents: how many requests were answered in time, why others were not, and what each failure took with it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from simvirt.result.document import Document, Estimate, Number


class OutageResult(Document):
    """A failure, in the first replication."""

    at_s: Number = Field(description="when it happened")
    how: str = Field(description="what happened: `power`, `kernel-panic`, `process`, `slow-disk`, `partition`, `loss`, `registry`")
    where: str = Field(description="to which host, VM, instance or registry")
    instances: tuple[str, ...] = Field(description="the instances that it ended: its blast radius")
    requests: int = Field(description="requests that were lost with them at once")
    noticed_after_s: Number | None = Field(description="time until load balancing sent them no more; `null` where nobody noticed")
    recovered_after_s: Number | None = Field(
        description="time until all that it ended was ready again; `null` where something was not by the end")


class ServiceAvailability(Document):
    """A service, over the whole run."""

    answered: Estimate = Field(description="ratio of the calls that ended with an answer")
    ready: Estimate = Field(description="ratio of the time in which its instances were ready, all of those at first together")


class Availability(Document):
    """How many requests were answered in time."""

    limit_s: Number | None = Field(description="what is in time: the longest latency of the objective; `null` where every answer is")
    answered: Estimate = Field(description="ratio of the requests that were answered in time, of those that ended")
    downtime_s: Estimate = Field(description="time of the intervals in which more than a tenth of the requests were not answered in time")
    worst: Estimate = Field(description="the ratio in the worst interval of each replication")
    budget_used: Estimate | None = Field(
        default=None, description="with `failures.goal`: the error budget used, what was not answered in time over what may be")
    causes: Mapping[str, Estimate] = Field(
        description="why requests were not answered, as ratios of all: `rejected` (no replica ready, or its queue full), `lost` (the "
        "process ended), `unanswered` (its kernel was gone, or no message got there), `timed_out`, `breaker_open`, `pool_full`, `shed`")
    services: Mapping[str, ServiceAvailability] = Field(description="the same of each service")
    interval_s: Number = Field(description="length of the intervals")
    strip: tuple[Number | None, ...] = Field(
        description="ratio of the requests that were answered in time in each interval, over all replications; `null` where none ended")
    failures: Number = Field(description="failures, on average over replications")
    outages: tuple[OutageResult, ...] = Field(description="the failures of the first replication, at most 1,000: what each took with it")

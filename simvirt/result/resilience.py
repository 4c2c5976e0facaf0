"""How callers protected themselves, in documents: what requests failed of, and what each guard did."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from simvirt.result.document import Document, Number


class GuardUse(Document):
    """What a caller's guard of its calls to a service did, on average over replications; ratios are `null` of nothing."""

    calls_per_s: Number | None = Field(description="calls")
    tries_per_s: Number | None = Field(description="tries that were sent: first ones, retries and second copies")
    retries_per_s: Number | None = Field(description="tries after the first that failed")
    hedges_per_s: Number | None = Field(description="second copies")
    failed: Number | None = Field(description="ratio of calls that failed for good")
    timed_out: Number | None = Field(description="ratio of tries that were not answered in time")
    refused: Number | None = Field(description="ratio of calls that an open breaker refused")
    full: Number | None = Field(description="ratio of calls that found the line for a connection full")
    over_budget: Number | None = Field(description="retries that the budget did not allow, for each call")
    orphaned: Number | None = Field(description="ratio of tries that nobody waited for any more")
    wasted_cores: Number | None = Field(description="CPU time per second that was spent on tries that did not count")


class Resilience(Document):
    """What became of guarded calls, over the window."""

    failed: Mapping[str, Number] = Field(description="ratio of requests that failed, by cause")
    workloads: Mapping[str, Mapping[str, Number]] = Field(
        default={}, description="with `workloads`: the same of the requests of each, by its name")
    guards: Mapping[str, GuardUse] = Field(description="by caller and callee, as `web > db`; a workload without a name is `workload`")

"""What documents have in common: frozen models whose JSON leaves out what is not set, and parts that several share.

Times are in seconds, sizes in bytes, ratios 0 to 1, money in US dollars; the unit is in the key. Keys are added, never
renamed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Number = Annotated[int | float, WithJsonSchema({"type": "number"})]
"""A number as it was computed: a whole one stays whole."""
Judgement = Literal["holds", "missed", "undecided"]
"""What an interval says of a limit."""
Decision = Literal["met", "missed", "undecided"]
"""What a result says of a limit."""


class Document(BaseModel):
    """A document or a part of one; fields stand in the order in which they are printed."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def document(self) -> dict[str, Any]:
        """The keys that are set, as JSON takes them."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 95 % interval; `low` and `high` are null where one replication cannot give them."""

    value: Annotated[float | None, Field(description="mean over replications, `null` where none could measure it")]
    low: Annotated[float | None, Field(description="lower end of the 95 % interval")] = None
    high: Annotated[float | None, Field(description="upper end of the 95 % interval")] = None


UNKNOWN = Estimate(None)


class Program(Document):
    """What made the document."""

    version: str = Field(description="version of simvirt")
    number: int = Field(alias="schema", description="version of the form of the document")
    kernel: str = Field(description="`compiled` or `plain`")


class ScenarioName(Document):
    """Which scenario was asked about."""

    name: str = Field(description="its name")
    digest: str = Field(description="SHA-256 of the resolved scenario, overrides included")
    content: Mapping[str, Any] | None = Field(
        default=None,
        description="the scenario itself, with overrides and all defaults: quantities with their units, nothing that is not set")

    @property
    def alone(self) -> ScenarioName:
        """Name and digest without the content."""
        return ScenarioName(name=self.name, digest=self.digest)


class Latency(Document):
    """From the intended arrival of a request to its answer [s]; answered requests only."""

    mean: Estimate = Field(default=UNKNOWN, description="mean over requests")
    p50: Estimate = Field(description="median")
    p90: Estimate = Field(description="90th percentile")
    p95: Estimate = Field(description="95th percentile")
    p99: Estimate = Field(description="99th percentile")
    p999: Estimate = Field(default=UNKNOWN, description="99.9th percentile")
    max: Estimate = Field(
        default=UNKNOWN, description="the largest latency of all replications, which has no interval"
    )


class CpuShares(Document):
    """Shares of CPU time."""

    utilisation: Estimate = Field(
        description="busy share of all hardware threads of the host; polling for halted vCPUs counts as busy"
    )
    steal: Estimate = Field(
        description="time in which vCPUs were runnable but not running, over the time in which they were runnable or "
        "ran"
    )
    costop: Estimate = Field(
        default=UNKNOWN,
        description="under the scheduler `esxi`: time in which vCPUs were held back for their siblings, a part of "
        "`steal`",
    )
    throttled: Estimate = Field(
        description="share of the time in which the run queues of groups with a quota were throttled, averaged over "
        "these groups and the CPUs of their machine"
    )
    virtualization: Estimate = Field(
        description="share of busy CPU time that exists because of the platform: added work, backends of devices, "
        "guest operating systems, polling, the load of a hosted hypervisor"
    )


class MemoryLedger(Document):
    """What holds the host's memory; the parts, less `swapped_bytes`, and `free_bytes` add up to `capacity_bytes`."""

    capacity_bytes: int = Field(description="physical memory")
    kernel_bytes: int = Field(description="kernel and services of the host, page structs, hypervisor, daemons, dom0")
    application_bytes: int = Field(description="anonymous memory of the replicas, wherever they run")
    guest_os_bytes: int = Field(description="kernels and user space of guests, their page structs included")
    held_bytes: int = Field(description="touched by guests once and free inside them, which the host cannot know")
    page_cache_bytes: int = Field(description="file pages in use, each copy once: of the host, of guests, of sandboxes")
    vmm_bytes: int = Field(description="monitors of VMs: data, text once for all, nested page tables, video memory")
    runtime_bytes: int = Field(
        description="shims, pause processes and sentries of containers, and what the kernel keeps for each"
    )
    swapped_bytes: int = Field(description="what does not fit into memory")
    missing_bytes: int = Field(default=0, description="of that what no swap space holds either: the replicas need more than they have")
    free_bytes: int = Field(description="unused")
    shared_bytes: int = Field(description="what sharing saves")
    committed_bytes: int = Field(description="what was promised")


class Verdict(Document):
    """A limit of the objective and the predicted value [s, per s, ratio]."""

    limit: Number = Field(description="the limit that the scenario states")
    value: Number | None = Field(description="the predicted value, `null` where nothing that it is about was answered")
    met: bool | None = Field(description="whether the limit is met, `null` where that is undecided")
    verdict: Decision = Field(
        description="`met` or `missed` by the whole 95 % interval, or by requests that are lost while none is answered, else `undecided`, "
        "as where no request that it is about came"
    )
    longer: Number | None = Field(
        default=None,
        description="where undecided: how many times as much has to be simulated, in time or replications, until it is "
        "likely to be decided; `null` where that is not known, or beyond a thousand",
    )
    setting: str | None = Field(
        default=None, description="where undecided: what to `--set` for that, such as `run.duration=240s`; `null` where nothing is known"
    )


Utilisations = Annotated[Mapping[str, Number], Field(description="the utilisation of each resource, by name")]

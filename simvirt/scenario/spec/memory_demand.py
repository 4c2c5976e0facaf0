"""How much memory a replica of a service needs: what it keeps, and what its load adds."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from simvirt.scenario.fields import WRITTEN_SIZE, Bytes, Nanoseconds, PositiveBytes, PositiveNanoseconds, Ratio, Whole
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.units import UnitError, format_size, parse_size, shown


def _balloon(value: object) -> int | str:
    """A balloon: inflated as the host needs it, never, or by a stated size."""
    if value in ("auto", "none"):
        return str(value)
    try:
        return parse_size(value)
    except UnitError:
        raise UnitError(f"expected auto, none or a size, for example 512MiB; got {shown(value)}") from None


Balloon = Annotated[
    int | str, BeforeValidator(_balloon), WithJsonSchema({"type": "string", "examples": ["auto", "none", "512MiB"]}), WRITTEN_SIZE,
]


class KsmSpec(Spec):
    """Kernel samepage merging on the host: a scanner that finds identical pages of VMs and merges them."""

    example = "{pages_to_scan: 100, sleep: 20ms}"
    pages_to_scan: Annotated[int, Whole(1, 1_000_000, 100)] = Field(default=100, description="pages scanned in a pass", examples=["100"])
    sleep: PositiveNanoseconds = Field(default=20_000_000, description="pause between two passes", examples=["20ms"])
    since: Nanoseconds = Field(default=0, description="how long it has been scanning before the run starts", examples=["1h"])


class TmpfsSpec(Spec):
    """Files that a replica keeps in memory: tmpfs, /dev/shm, volumes of medium Memory; they count against its limit, and stay."""

    example = "200MiB or {used: 10MiB, growth: 64KiB, size: 512MiB}"
    shorthand = "used"
    used: Bytes = Field(default=0, description="bytes in it at first", examples=["200MiB"])
    growth: Bytes = Field(default=0, description="left there by each answered request", examples=["64KiB"])
    size: PositiveBytes | None = Field(
        default=None, description="where growth ends; half of the host's memory by default", examples=["512MiB"])

    @model_validator(mode="after")
    def _used_within_size(self) -> TmpfsSpec:
        if self.size is not None and self.used > self.size:
            refuse("expected at most its size", "used")
        return self


class EvictionSpec(Spec):
    """The kubelet of the host ends pods while less memory is available than a threshold."""

    example = "100MiB or {memory_available: 100MiB, every: 10s}"
    shorthand = "memory_available"
    later = ("soft", "grace", "minimum_reclaim", "transition")
    memory_available: PositiveBytes = Field(default=100 * 2**20, description="the threshold, memory.available", examples=["100MiB"])
    every: PositiveNanoseconds = Field(default=10_000_000_000, description="time between two looks of the kubelet", examples=["10s"])
    soft: PositiveBytes | None = Field(
        default=None, description="a higher threshold, below which memory has to be for the grace period", examples=["300MiB"])
    grace: PositiveNanoseconds | None = Field(default=None, description="how long it has to be below the soft threshold", examples=["90s"])
    minimum_reclaim: Bytes = Field(
        default=0, description="what has to be available beyond a threshold before ending pods stops", examples=["500MiB"])
    transition: Nanoseconds = Field(
        default=300_000_000_000, examples=["5min"],
        description="how long after that the host counts as under pressure, and gets no pods that request nothing (Kubernetes)")

    @model_validator(mode="after")
    def _soft_before_hard(self) -> EvictionSpec:
        if (self.soft is None) != (self.grace is None):
            said = "has no effect by itself; expected soft and grace beside each other, for example {soft: 300MiB, grace: 90s}"
            refuse(said, "grace" if self.soft is None else "soft")
        if self.soft is not None and self.soft <= self.memory_available:
            least = format_size(self.memory_available)
            refuse(f"expected more than memory_available, which is {least}; got {format_size(self.soft)}", "soft")
        return self


class MemorySpec(Spec):
    """The working set of a replica; what is left out is that of its image in the catalogue."""

    example = "{base: 60MiB, per_connection: 100KiB}"
    later = ("dirty",)
    base: Bytes | None = Field(default=None, description="anonymous memory of an idle replica", examples=["60MiB"])
    per_connection: Bytes | None = Field(default=None, description="for each request in the replica, waiting or not", examples=["100KiB"])
    per_request: Bytes = Field(default=0, description="for each request that a thread works on", examples=["2MiB"])
    growth: Bytes = Field(default=0, description="kept for each answered request: caches, garbage, leaks", examples=["4KiB"])
    heap: PositiveBytes | None = Field(default=None, description="where growth ends; unlimited by default", examples=["1GiB"])
    files: Bytes | None = Field(default=None, description="pages of programs and libraries; shared on one kernel", examples=["20MiB"])
    hot: Ratio | None = Field(default=None, description="ratio of the anonymous memory that requests touch repeatedly", examples=["0.5"])

    touch: Bytes | None = Field(default=None, description="how much of it a request touches", examples=["200KB"])
    dirty: Bytes | None = Field(
        default=None, examples=["400KiB"],
        description="how much of it a request writes to, in whole pages; by default all that it touches, takes and leaves (live migration)")

    @classmethod
    def _prepared(cls, data: Any) -> Any:
        """A bare size might be a limit or a need: both are reported."""
        if isinstance(data, (str, int)):
            refuse(f"expected a mapping, for example {cls.example}; a limit is mem_limit: {shown(data)}, got {shown(data)}")
        return super()._prepared(data)

    @model_validator(mode="after")
    def _heap_bounds_growth(self) -> MemorySpec:
        if self.heap is not None and self.growth == 0:
            refuse("bounds a growth that is not there; expected growth beside it, for example growth: 4KiB", "heap")
        return self

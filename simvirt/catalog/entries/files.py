"""File systems as written in YAML: what an operation on files costs where they lie, and how often a server is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, model_validator

from simvirt.catalog.entries.costs import CostSpec, Terms, refuse_parts
from simvirt.catalog.entries.entry import Entry, Part
from simvirt.catalog.operations import FILE_OPERATIONS
from simvirt.catalog.sourced import Share, SourcedCount, SourcedRate, SourcedSize, SourcedWhole, within

Server = Literal["none", "process", "backend"]
REQUEST_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    "none": (), "process": ("cpu", "latency"),
    "backend": ("cpu", "latency", "host_cpu", "kick", "notify", "interrupt", "wake", "host_wake", "host_interrupt"),
}
"""Who serves a file system -> the parts that a request to it may cost."""


class FileCostSpec(Part):
    """What one operation on files costs: CPU work of whoever asks, requests to a server, and those that are left where caches answer."""

    cpu: Terms = None
    requests: Annotated[SourcedCount, within(0, 100)] | None = None
    cached: Annotated[SourcedCount, within(0, 100)] | None = None

    @model_validator(mode="after")
    def _something(self) -> FileCostSpec:
        if self.cpu is None and self.requests is None:
            raise ValueError("expected cpu, requests or both")
        if self.cached is not None and (self.requests is None or self.cached > self.requests):
            raise ValueError("cached: expected at most as many requests as without caches")
        return self


def _known(costs: Any) -> Any:
    """Refuses unknown operations, all at once."""
    if isinstance(costs, Mapping) and (unknown := sorted(set(costs) - set(FILE_OPERATIONS))):
        raise ValueError(f"expected costs of {', '.join(FILE_OPERATIONS)}; unknown: {unknown}")
    return costs


class FileHabits(Part):
    """What software does with files in a CPU second, its paths of `depth` components; `cached`: the ratio that its kernel's caches know."""

    rates: Annotated[dict[str, SourcedRate], BeforeValidator(_known)]
    depth: Annotated[SourcedWhole, within(1, 100)]
    cached: Share


class FilesystemEntry(Entry):
    """A file system: what operations on files cost beyond a local one (`local`: in all).

    `server`: who is asked for what caches do not answer: nobody; a `process` beside the application or on a desktop; or the
    `backend` of the VM's disk path, a thread of the host. A `request` is one round trip to it, of at most `payload` bytes of data.
    `keeps_data`: whether reads of an open file are served by the page cache of whoever asks; else each goes to the server.
    A union looks for a name in one layer after the other, at the cost of `layer` each, and copies a file of a lower layer up
    before its first write: work of `copy_up` beside the copy of its bytes, and a flush.
    """

    server: Server = "none"
    request: CostSpec | None = None
    payload: Annotated[SourcedSize, within(512, 2**30)] | None = None
    keeps_data: bool = True
    layer: Terms = None
    copy_up: Terms = None
    costs: Annotated[dict[str, FileCostSpec], BeforeValidator(_known)]

    @model_validator(mode="after")
    def _acts(self) -> FilesystemEntry:
        if (self.server == "none") != (self.request is None) or (self.request is None) != (self.payload is None):
            raise ValueError("request: expected what a request to a server costs and its payload, or else server: none")
        asking = [f"costs.{name}.requests" for name, cost in self.costs.items() if cost.requests is not None]
        if self.request is None and asking:
            raise ValueError(f"{asking[0]}: has no effect, for there is no server")
        if self.request is not None:
            refuse_parts("request", self.request, REQUEST_PARTS[self.server])
        return self

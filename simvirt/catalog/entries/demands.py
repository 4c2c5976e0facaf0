"""What a request is assumed to need of software of a kind, where only its image is known."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simvirt.catalog.entries.entry import Entry, Text
from simvirt.catalog.sourced import Share, SourcedSize, SourcedTime, SourcedWhole, within


class DemandEntry(Entry):
    """Demands of the software with the profile of this entry's name.

    A request takes `cpu` [ns] in the mean; a store `read`s [bytes] beside it, of which the share `hit` is in memory. `workers` is what
    computes: `threads` of a replica, so many, `unlimited`, or as many event loops (`event_loop` one, `event_loops` one a core).
    `telemetry` is software that requests do not wait for: others report to it, or look addresses up there; `load` what sends requests.
    """

    cpu: Annotated[SourcedTime, within(1, 1e12)]
    workers: Literal["threads", "unlimited", "event_loop", "event_loops"]
    threads: Annotated[SourcedWhole, within(1, 100_000)] | None = None
    read: SourcedSize | None = None
    hit: Share | None = None
    telemetry: Annotated[tuple[Text, ...], Field(max_length=1000)] = ()
    load: Annotated[tuple[Text, ...], Field(max_length=1000)] = ()

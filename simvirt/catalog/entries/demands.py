"""What a request is assumed to need of software of a kind, where only its image is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from simvirt.catalog.entries.entry import Entry, Part, Text
from simvirt.catalog.sourced import Share, SourcedRate, SourcedRatio, SourcedSize, SourcedTime, SourcedWhole, within

Words = Annotated[tuple[Text, ...], Field(max_length=1000)]


class AssumedSpec(Part):
    """What an import assumes beside demands, where no file says it.

    `names` are parts of services' names and the image that each suggests, `front` those of front doors, `workers` of what works by
    itself, `stores` the demands of what keeps data for others. `rate` are the requests that come, `objective` what users expect; a host
    has `cores` and `memory` at least, and `replica_memory` for each replica without a limit and `guest_memory` for the guest of each; the
    share `used` of its memory is for them. A request makes at most `calls` calls that are guessed; what is spread is over so many
    `zones`. A VM of which nothing says what it does keeps the share `busy` of its vCPUs busy, in bursts of `burst`.
    """

    names: Annotated[Mapping[Text, Text], Field(max_length=1000)]
    front: Words
    workers: Words
    stores: Words
    rate: Annotated[SourcedRate, within(1e-6, 1e9)]
    objective: Annotated[SourcedTime, within(1, 1e12)]
    cores: Annotated[SourcedWhole, within(1, 4096)]
    memory: Annotated[SourcedSize, within(1 << 20, 1 << 50)]
    replica_memory: Annotated[SourcedSize, within(1 << 20, 1 << 50)]
    guest_memory: Annotated[SourcedSize, within(1 << 20, 1 << 50)]
    used: Annotated[SourcedRatio, within(0.01, 1)]
    calls: Annotated[SourcedWhole, within(1, 1_000_000)]
    zones: Annotated[SourcedWhole, within(1, 26)]
    busy: Annotated[SourcedRatio, within(1e-6, 1)]
    burst: Annotated[SourcedTime, within(1, 1e12)]


class DemandEntry(Entry):
    """Demands of the software with the profile of this entry's name.

    A request takes `cpu` [ns] in the mean; a store `read`s [bytes] beside it, of which the share `hit` is in memory. `workers` is what
    computes: `threads` of a replica, so many, `unlimited`, or as many event loops (`event_loop` one, `event_loops` one a core).
    `telemetry` is software that requests do not wait for: others report to it, or look addresses up there; `load` what sends requests;
    `assumed` what an import assumes beside demands. The generic entry has these three.
    """

    cpu: Annotated[SourcedTime, within(1, 1e12)]
    workers: Literal["threads", "unlimited", "event_loop", "event_loops"]
    threads: Annotated[SourcedWhole, within(1, 100_000)] | None = None
    read: SourcedSize | None = None
    hit: Share | None = None
    telemetry: Words = ()
    load: Words = ()
    assumed: AssumedSpec | None = None

"""The entries of what moves running VMs and containers from host to host: when it stops copying, how fast it may send, what it costs."""

from __future__ import annotations

from typing import Annotated

from pydantic import model_validator

from simvirt.catalog.entries.entry import Entry
from simvirt.catalog.sourced import Share, SourcedRatio, SourcedSize, SourcedThroughput, SourcedTime, SourcedWhole, within


class MigratorEntry(Entry):
    """How a product moves a running VM. What is None has no part in it.

    It sends at `bandwidth` at most, and stops the guest where the rest takes no longer than `downtime`, is no more than `least`, after
    `rounds`, where `factor` times the memory has been sent, after `patience` for each GiB of it, or where a round sends `grows` more than
    the one before. Where it `cancels`, it gives up after `patience`, and where for `progress` no round has left less than those before.
    A guest that dirties more than `trigger` of what a round sends has at each `strikes`-th such round `first`, then `step` more, `most` at
    most of its time taken away; one under `stun` is slowed until it dirties no more than that share of what is sent. A sender that limits
    itself begins at `pace`, goes on at what is dirtied and `above`, and stops beyond `fastest`.
    A host takes part in `at_once` migrations; each takes `setup` before it sends, of it `serial` one after the other.
    A connection on which nothing moves for `silence` is dead.
    `handover` is what the switch takes beside sending the rest and `state`: registers and devices; `unlog` beside that for each GiB of
    memory. Costs are per page of 4 KiB: `scan` and
    `send` at the source, `receive` at the other side, `log` of the first write of a page in a round in the guest, `fault` of a page that a
    guest after post-copy waits for, beside the network. `empty` is what is sent of a page that was never written.
    `idle` is what an idle guest writes per second. Pages are sent by one thread on each side, or by `channels`. They are compressed to
    `ratio` of their size, or those in a `cache` of pages that were sent before go as `delta` of theirs; `pack` and `unpack` are what that
    takes for a page.
    """

    bandwidth: SourcedThroughput | None = None
    downtime: SourcedTime | None = None
    least: SourcedSize | None = None
    rounds: Annotated[SourcedWhole, within(1, 1000)] | None = None
    factor: Annotated[SourcedRatio, within(1, 1000)] | None = None
    patience: SourcedTime | None = None
    grows: Share | None = None
    progress: SourcedTime | None = None
    cancels: bool = False
    trigger: Share | None = None
    strikes: Annotated[SourcedWhole, within(1, 100)] | None = None
    first: Annotated[SourcedRatio, within(0.01, 0.99)] | None = None
    step: Annotated[SourcedRatio, within(0.01, 0.99)] | None = None
    most: Annotated[SourcedRatio, within(0.01, 0.99)] | None = None
    stun: Share | None = None
    pace: SourcedThroughput | None = None
    above: SourcedThroughput | None = None
    fastest: SourcedThroughput | None = None
    at_once: Annotated[SourcedWhole, within(1, 10_000)]
    setup: SourcedTime
    serial: SourcedTime | None = None
    silence: SourcedTime
    handover: SourcedTime
    unlog: SourcedTime
    state: SourcedSize
    scan: SourcedTime
    send: SourcedTime
    receive: SourcedTime
    log: SourcedTime
    fault: SourcedTime
    channels: Annotated[SourcedWhole, within(1, 255)] | None = None
    ratio: Share | None = None
    cache: SourcedSize | None = None
    delta: Share | None = None
    pack: SourcedTime | None = None
    unpack: SourcedTime | None = None
    empty: SourcedSize
    idle: SourcedThroughput

    @model_validator(mode="after")
    def _complete(self) -> MigratorEntry:
        for names in (("trigger", "strikes", "first", "step", "most"), ("pace", "above", "fastest"), ("cache", "delta")):
            if 0 < sum(getattr(self, name) is not None for name in names) < len(names):
                raise ValueError(f"expected all of {', '.join(names)}, or none of them")
        if self.ratio is not None and self.cache is not None:
            raise ValueError("expected pages that are compressed (ratio), or differences to those in a cache; not both")
        if (self.ratio is None and self.cache is None) != (self.pack is None) or (self.pack is None) != (self.unpack is None):
            raise ValueError("expected pack and unpack where pages are compressed (ratio) or differences are sent (cache)")
        return self

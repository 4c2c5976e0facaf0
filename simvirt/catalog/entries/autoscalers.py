"""What changes the number of replicas with the load: its periods and how near to its target is near enough."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import model_validator

from simvirt.catalog.entries.entry import Entry
from simvirt.catalog.sourced import Share, SourcedRatio, SourcedTime, SourcedWhole, within

OF_HPA: Final = ("resolution", "initialization", "tolerance")
OF_KPA: Final = ("stable", "panic", "threshold", "up_rate", "down_rate", "utilisation")
"""What only the one and only the other kind has."""


class AutoscalerEntry(Entry):
    """An autoscaler and the metrics that it looks at.

    Hosts sample counters of CPU time every `sampling`, a metrics server takes the last samples in every `resolution`, and the autoscaler
    looks at its metrics every `sync`. Usage of a replica that is younger than `initialization` counts once it has been ready for a whole
    window of its metric. Nothing changes while the ratio of usage to target differs from one by at most `tolerance`.
    So much for the horizontal pod autoscaler. One that `acts` as Knative's (`kpa`) samples requests every `sampling`, looks every `sync` at
    their averages over `stable` and `panic`, and aims at the share `utilisation` of the target; where the shorter one asks for `threshold`
    times the ready replicas it panics, and never are there more than `up_rate` times them, or fewer than their `down_rate`-th part.
    With a `buffer` of so many requests a service may have no replica; of one that acts as `hpa` the last goes after a `cooldown`
    without requests.
    """

    acts: Literal["hpa", "kpa"] = "hpa"
    sync: SourcedTime
    sampling: SourcedTime
    resolution: SourcedTime | None = None
    initialization: SourcedTime | None = None
    tolerance: SourcedRatio | None = None
    stable: SourcedTime | None = None
    panic: SourcedTime | None = None
    threshold: SourcedRatio | None = None
    up_rate: SourcedRatio | None = None
    down_rate: SourcedRatio | None = None
    utilisation: Share | None = None
    cooldown: SourcedTime | None = None
    buffer: Annotated[SourcedWhole, within(1, 1_000_000_000)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed, idle = (OF_KPA, (*OF_HPA, "cooldown")) if self.acts == "kpa" else (OF_HPA, OF_KPA)
        lacking = next((name for name in needed if getattr(self, name) is None), None)
        if lacking is not None:
            raise ValueError(f"{lacking}: missing, for it acts as {self.acts}")
        stray = next((name for name in idle if getattr(self, name) is not None), None)
        if stray is not None:
            raise ValueError(f"{stray}: has no effect, for it acts as {self.acts}")
        if self.acts == "hpa" and (self.cooldown is None) != (self.buffer is None):
            raise ValueError("expected cooldown and buffer together")
        return self

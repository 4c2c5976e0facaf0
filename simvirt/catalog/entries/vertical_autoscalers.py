"""What changes the CPUs of replicas with their usage: its periods, percentiles and margins."""

from __future__ import annotations

from typing import Annotated

from simvirt.catalog.entries.entry import Entry
from simvirt.catalog.sourced import Share, SourcedCount, SourcedRatio, SourcedTime, SourcedWhole, within


class VerticalAutoscalerEntry(Entry):
    """A vertical autoscaler.

    Hosts sample counters of CPU time every `sampling`, a metrics server takes them in every `resolution`, and the recommender takes usage
    from there every `interval` into a histogram whose buckets begin at `first` CPUs and grow by `growth`, and whose weights halve in every
    `half_life`. It recommends the `percentile` and a `margin`, at least `least` CPUs; what is requested is changed where it lies beyond the
    percentiles `lower` and `upper`, with the margin, made wider while history is short. At most the share `tolerance` of the replicas
    is away at once, and none of fewer than `replicas`.
    """

    sampling: SourcedTime
    resolution: SourcedTime
    interval: SourcedTime
    first: Annotated[SourcedCount, within(1e-6, 1000)]
    growth: SourcedRatio
    half_life: SourcedTime
    percentile: Share
    lower: Share
    upper: Share
    margin: SourcedRatio
    least: Annotated[SourcedCount, within(0, 1000)]
    tolerance: Share
    replicas: Annotated[SourcedWhole, within(1, 1000)]

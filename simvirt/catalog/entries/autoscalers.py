"""What changes the number of replicas with the load: its periods and how near to its target is near enough."""

from __future__ import annotations

from simvirt.catalog.entries.entry import Entry
from simvirt.catalog.sourced import SourcedRatio, SourcedTime


class AutoscalerEntry(Entry):
    """An autoscaler and the metrics that it looks at.

    Hosts sample counters of CPU time every `sampling`, a metrics server takes the last samples in every `resolution`, and the autoscaler
    looks at its metrics every `sync`. Usage of a replica that is younger than `initialization` counts once it has been ready for a whole
    window of its metric. Nothing changes while the ratio of usage to target differs from one by at most `tolerance`.
    """

    sync: SourcedTime
    sampling: SourcedTime
    resolution: SourcedTime
    initialization: SourcedTime
    tolerance: SourcedRatio

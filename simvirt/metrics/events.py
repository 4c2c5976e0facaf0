"""What happened to instances as numbers: events, how many started and ended of what, where the others stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from simvirt.control.cluster import Cluster
from simvirt.control.records import Events, Told
from simvirt.metrics.statistics import mean_interval
from simvirt.result.events import EventResult, Happened

MOST: Final = 1000
"""Events that are in a result, at most."""


@dataclass(frozen=True)
class Happening:
    """One replication: its events, how many instances were started, those that ended by cause, and where the others stand."""

    events: Events
    started: int
    ended: Mapping[str, int]
    placement: Mapping[str, Mapping[str, int]]

    @property
    def running(self) -> int:
        """Instances that are there."""
        return sum(sum(hosts.values()) for hosts in self.placement.values())


def happening(cluster: Cluster) -> Happening | None:
    """What has happened in a cluster; None where nothing acts on its instances."""
    if cluster.orchestration is None:
        return None
    placement = {name: Counter(map(cluster.name_of, hosts)) for name, hosts in cluster.orchestration.placed().items()}
    started, ended = cluster.orchestration.counted()
    return Happening(cluster.story.events, started, ended, placement)


def happened(replications: Sequence[Happening]) -> Happened:
    """The events of the first replication, and instances over all of them."""
    first, causes = replications[0], sorted({cause for one in replications for cause in one.ended})
    left_out: dict[str, Any] = {} if (told := first.events.told) <= MOST else {
        "last": tuple(map(_event, islice(first.events.last, max(len(first.events.last) - told + MOST, 0), None))),
        "counted": dict(sorted(first.events.counted.items()))}
    return Happened(
        **left_out,
        events=tuple(map(_event, first.events[:MOST])),
        told=told, started=mean_interval([float(one.started) for one in replications]),
        running=mean_interval([float(one.running) for one in replications]),
        ended={cause: mean_interval([float(one.ended.get(cause, 0)) for one in replications]) for cause in causes},
        placement={name: dict(sorted(hosts.items())) for name, hosts in first.placement.items()},
    )


def _event(told: Told) -> EventResult:
    """An event as a result."""
    return EventResult(at_s=told.at / 1e9, what=told.what, who=told.who, where=told.where, why=told.why)

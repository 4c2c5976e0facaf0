"""What services are asked, as an autoscaler sees it: requests under way, in lines, and how many come, sampled at regular instants.

*Model*: under way are requests at replicas and those that wait for one to be ready; in line those of them that have no thread. How many
    are at replicas is a mean over time: what calls spent there, over the time in which they did (Little). Lines are those of instants.
*Ignores*: what calls that failed spent in the end; what samples take on the network.
*Source*: as a metric of Kubernetes' kind External with an AverageValue: the sum over a service, of which each replica has its share.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from simvirt.control.metrics_server import SECOND
from simvirt.kernel import constants as k
from simvirt.plane import DataPlane

What = Literal["requests", "concurrency", "queue"]
OF_DEMAND: Final[Mapping[What, str]] = {"requests": "requests per second", "concurrency": "requests in flight", "queue": "requests in line"}


@dataclass(frozen=True, slots=True)
class Demand:
    """What a service is asked at an instant [s].

    Requests under way, those of them in line, those that wait for a replica, all that have come; what calls spent at replicas so far [s].
    """

    at_s: float
    under_way: int
    waiting: int
    before: int
    arrived: int
    spent_s: float


@dataclass
class Demands:
    """Samples of services, as far back as `window_s`, the longest one that anybody looks at [s]."""

    plane: DataPlane
    window_s: float
    samples: dict[str, deque[Demand]] = field(default_factory=dict)

    def sample(self, service: str) -> Demand:
        """Take in what a service is asked now; what is too old to be looked at is forgotten."""
        kept = self.samples.setdefault(service, deque())
        kept.append(demand_of(self.plane, service))
        while len(kept) > 2 and kept[1].at_s < kept[-1].at_s - self.window_s:
            kept.popleft()
        return kept[-1]

    def mean(self, service: str, what: What, window_s: float) -> float | None:
        """The mean over the last window; None before there is one. Of requests it is how many have come per second."""
        kept = self.samples.get(service, deque())
        if len(kept) < 2:
            return None
        last, since = kept[-1], kept[-1].at_s - window_s
        first = next((one for one in reversed(kept) if one.at_s <= since), kept[0])
        if what == "requests":
            return (last.arrived - first.arrived) / (last.at_s - first.at_s)
        found = [one.waiting if what == "queue" else one.before for one in kept if one.at_s > since]
        inside = 0.0 if what == "queue" else max(0.0, last.spent_s - first.spent_s) / (last.at_s - first.at_s)
        return inside + sum(found) / len(found)

    def age_s(self, service: str) -> float:
        """How old the last sample is [s]."""
        return float(self.plane.clock.now) / SECOND - self.samples[service][-1].at_s


def demand_of(plane: DataPlane, service: str) -> Demand:
    """What a service is asked now."""
    rows, row = plane.instances_of(service), plane.lowered.services.index(service)
    inside, line, refused = (plane.read("instances", name)[rows] for name in ("in_flight", "queue_length", "rejected"))
    before, lost = (int(plane.read("services", name)[row]) for name in ("line_length", "line_refused"))
    under_way = int(inside.sum()) + before
    ended = sum(int(plane.read("services", name)[row]) for name in ("completed", "failed")) + int(refused.sum()) + lost
    spent = (float(plane.read("services", "latency_sum")[row]) + _so_far(plane, rows)) / SECOND
    return Demand(float(plane.clock.now) / SECOND, under_way, int(line.sum()) + before, before, ended + under_way, spent)


def _so_far(plane: DataPlane, rows: list[int]) -> float:
    """What calls that are at some instances now have spent there [ns]."""
    kind, instance, began = (plane.read("frames", name) for name in ("kind", "instance", "began"))
    there = ((kind == k.REQUEST) | (kind == k.CALLEE)) & np.isin(instance, rows)
    return float((int(plane.clock.now) - began[there]).sum())

"""An observer that samples the state of the data plane at regular instants; watching changes nothing."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import simpy

from simvirt.clock import Clock


@dataclass
class Series:
    """Samples over time; one entry per sample."""

    at_s: list[float] = field(default_factory=list)
    in_system: list[int] = field(default_factory=list)
    completed: list[int] = field(default_factory=list)
    busy_cpus: list[int] = field(default_factory=list)
    queued: list[int] = field(default_factory=list)

    def document(self) -> dict[str, list[Any]]:
        """The samples by name."""
        return dict(vars(self))


def observe(clock: Clock, every: int, series: Series) -> Generator[simpy.Event, Any, None]:
    """Sample every so many ns."""
    plane = clock.plane
    pcpus = plane.lowered.host.pcpus
    while True:
        series.at_s.append(int(clock.now) / 1e9)
        series.in_system.append(int(plane.read("tallies", "in_system")[0]))
        series.completed.append(int(plane.read("tallies", "completed").sum()))
        series.busy_cpus.append(int(np.count_nonzero(plane.read("cpus", "current")[:pcpus] >= 0)))
        series.queued.append(int(plane.read("instances", "queue_length").sum()))
        yield clock.timeout(every)

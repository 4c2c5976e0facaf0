"""The metrics that an autoscaler looks at: how much CPU time each task used over a window, and how old that is.

*Model*: hosts sample counters of CPU time every `sampling`; a metrics server takes the last samples in every `resolution`, and keeps of
    each task the last two that differ, whose difference is its usage over the window between them. A restart begins anew.
*Ignores*: that every host samples at instants of its own; usage since its start of a container that has been sampled once; the time
    that samples take over the network.
*Source*: kubernetes-sigs/metrics-server pkg/storage/pod.go; kubernetes/kubernetes pkg/kubelet/cadvisor.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from simvirt.control.orchestrators.interface import Task
from simvirt.orchestration.hpa import Sample

MILLI = 1000
"""Milli-CPUs of a CPU."""
SECOND = 1e9
"""Nanoseconds of a second."""


Point = tuple[int, int]
"""An instant, and the CPU time that an instance had used by then [ns]."""
NOTHING: Final = (None, None)
"""The samples of a task that was not sampled."""


@dataclass
class MetricsServer:
    """The last two samples of each task in its present life, one where there are no two, and what the hosts have sampled last."""

    sampled: tuple[int, list[int]] = (0, [])
    seen: dict[tuple[int, int], tuple[Point, Point | None]] = field(default_factory=dict)

    def sample(self, at: int, used: np.ndarray) -> None:
        """CPU time of all rows, as the hosts tell it from now on."""
        self.sampled = at, used.tolist()

    def scrape(self, tasks: Iterable[tuple[Task, int]]) -> None:
        """Take in the samples of tasks with their rows, of those that began before; forget all others."""
        at, used = self.sampled
        found = dict[tuple[int, int], tuple[Point, Point | None]]()
        for task, row in tasks:
            if begun(task) < at:
                key = task.number, task.restarts
                last, before = self.seen.get(key, NOTHING)
                found[key] = (at, used[row]), last if last is None or last[0] < at else before
        self.seen = found

    def usage(self, task: Task, now: int) -> Sample | None:
        """The usage of a task in milli-CPUs, None before two samples of it are there."""
        seen, since = self.seen.get((task.number, task.restarts), NOTHING)
        if seen is None or since is None:
            return None
        (last, used), (before, had) = seen, since
        return Sample(round(MILLI * (used - had) / (last - before)), (now - last) / SECOND, (last - before) / SECOND)


def begun(task: Task) -> int:
    """When the present life of a task began [ns]."""
    return task.asked_at if not task.restarts else task.since if task.phase == "starting" else task.ready_at or task.since

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

import numpy as np

from simvirt.control.orchestrators.interface import Task
from simvirt.orchestration.hpa import Sample

MILLI = 1000
"""Milli-CPUs of a CPU."""
SECOND = 1e9
"""Nanoseconds of a second."""


@dataclass(frozen=True, slots=True)
class Point:
    """CPU time that an instance had used by an instant [ns]."""

    at: int
    used: int


@dataclass
class MetricsServer:
    """The last two samples of each task in its present life, and what the hosts have sampled last."""

    sampled: tuple[int, np.ndarray] = (0, np.zeros(0, np.int64))
    last: dict[tuple[int, int], Point] = field(default_factory=dict)
    before: dict[tuple[int, int], Point] = field(default_factory=dict)

    def sample(self, at: int, used: np.ndarray) -> None:
        """CPU time of all rows, as the hosts tell it from now on."""
        self.sampled = at, used

    def scrape(self, tasks: Iterable[tuple[Task, int]]) -> None:
        """Take in the samples of tasks with their rows, of those that began before; forget all others."""
        at, used = self.sampled
        found = {(task.number, task.restarts): Point(at, int(used[row])) for task, row in tasks if begun(task) < at}
        kept = {key: self.last[key] if self.last[key].at < point.at else self.before.get(key)
                for key, point in found.items() if key in self.last}
        self.before = {key: point for key, point in kept.items() if point is not None}
        self.last = found

    def usage(self, task: Task, now: int) -> Sample | None:
        """The usage of a task in milli-CPUs, None before two samples of it are there."""
        key = task.number, task.restarts
        if key not in self.before:
            return None
        last, before = self.last[key], self.before[key]
        used = round(MILLI * (last.used - before.used) / (last.at - before.at))
        return Sample(used, (now - last.at) / SECOND, (last.at - before.at) / SECOND)


def begun(task: Task) -> int:
    """When the present life of a task began [ns]."""
    return task.asked_at if not task.restarts else task.since if task.phase == "starting" else task.ready_at or task.since

"""One replication as numbers: what happened between the end of the warm-up and the end of the run."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

import numpy as np

from simvirt.control.lives import Lives
from simvirt.control.records import Move
from simvirt.memory.ledger import Ledger
from simvirt.memory.working_set import Load
from simvirt.metrics.availability import Course
from simvirt.metrics.events import Happening
from simvirt.metrics.machines import Fleet
from simvirt.metrics.scaling import ServiceCourse
from simvirt.result.run_document import HostLayout

CATEGORIES = (
    "queue", "run_queue", "throttled", "steal", "cpu", "virtualization", "interference", "disk", "network", "delay", "lock",
)


BEHIND: Final = 1.005
"""Arrivals over answers from which a backlog that grows is no coincidence."""


@dataclass(frozen=True)
class Growth:
    """A backlog that grows: what was offered and what was answered in the second half of the arrivals [per second]."""

    offered_per_s: float
    answered_per_s: float


@dataclass(frozen=True)
class ServiceOutcome:
    """What one service did."""

    latency_mean_s: float | None
    histogram: np.ndarray
    ends_ns: tuple[int, int]
    throughput_per_s: float
    queue_wait_s: float | None
    cpu_cores: float
    nr_throttled: float
    nr_periods: float
    throttled_s: float
    rejected: float
    threads_busy: float
    costop_s: float | None
    limit: float | None = None

    def load(self, answered: float, replicas: int, loops: bool) -> Load:
        """The load of one replica: requests in it by Little's law, and those that its threads work on: all, on event loops."""
        inside = self.throughput_per_s * (self.latency_mean_s or 0.0)
        busy = inside if loops else self.threads_busy
        return Load(_finite(inside) / replicas, _finite(busy) / replicas, answered / replicas)


def _finite(rate: float) -> float:
    """A rate; 0 where there was no time to see any."""
    return rate if math.isfinite(rate) else 0.0


@dataclass(frozen=True)
class Answers:
    """What became of requests after the warm-up, of all or of one workload; rates are NaN where nothing came after it.

    `ends_ns` are the smallest and the largest latency of a histogram, `batches_s` means of consecutive latencies, `pieces` the
    histograms of equally long pieces of the window; `classes` are operations that requests enter at.
    """

    requests: int
    warmup_s: float
    simulated_s: float
    latency_mean_s: float | None
    latency_max_s: float | None
    histogram: np.ndarray
    ends_ns: tuple[int, int]
    classes: dict[str, np.ndarray]
    class_ends_ns: dict[str, tuple[int, int]]
    batches_s: np.ndarray
    pieces: np.ndarray
    class_means_s: dict[str, float | None]
    class_lost: dict[str, int]
    throughput_per_s: float
    offered_per_s: float
    rejected: float
    failed: float
    breakdown_s: dict[str, float | None]


@dataclass(frozen=True)
class Guarded:
    """What one replication says of its guards: ratios of requests that failed by cause, of all and of each workload; numbers by guard."""

    failed: dict[str, float]
    workloads: dict[str, dict[str, float]]
    guards: dict[str, dict[str, float | None]]


@dataclass(frozen=True)
class Messages:
    """One replication of a subscription: its numbers by name, its latencies with their ends [ns]."""

    numbers: dict[str, float | None]
    latency_mean_s: float | None
    histogram: np.ndarray
    ends_ns: tuple[int, int]


@dataclass(frozen=True)
class Outcome(Answers):
    """What one replication of a platform did after its warm-up.

    `seen` is the memory of a service's mean replica, and without a name that of the host.
    """

    workloads: dict[str, Answers]
    """By name; nothing where there is at most one without a name."""
    events: int
    wall_s: float
    utilisation: float
    steal: float
    costop: float | None
    throttled: float
    virtualization: float
    services: dict[str, ServiceOutcome]
    resources: dict[str, float]
    memory: dict[str, int]
    devices: dict[str, dict[str, int]]
    ledger: Ledger
    seen: dict[str, dict[str, float]]
    limits: list[dict[str, Any]]
    reclaim: tuple[dict[str, Any], list[str]] | None
    notes: tuple[str, ...]
    checks: dict[str, str]
    unstable: Growth | None
    """None of a run whose backlog does not grow."""
    full_at_s: float | None
    cut_off: bool = False
    series: dict[str, Any] = field(default_factory=dict)
    layout: tuple[HostLayout, ...] = ()
    hosts: dict[str, dict[str, float]] = field(default_factory=dict)
    """How full the CPUs, disk, NIC and memory of each of several hosts are, by its name."""
    links: dict[str, float] = field(default_factory=dict)
    """Utilisation of each link between switches, by its ends."""
    guarded: Guarded | None = None
    """What guards of calls did, where there are any."""
    messages: dict[str, Messages] = field(default_factory=dict)
    """What became of the messages of each subscription, by topic and operation."""
    scaled: dict[str, ServiceCourse] = field(default_factory=dict)
    """How many replicas of each service were wanted and ready, where something acts on them."""
    fleet: Fleet | None = None
    """The hosts that came and went, where a pool of them autoscales."""
    happening: Happening | None = None
    """What happened to instances, where something acts on them."""
    course: Course | None = None
    """How available it was, where something fails."""
    lives: Lives | None = None
    moves: tuple[Move, ...] = ()
    """Starts of instances, where they are followed."""

    def of(self, workload: str) -> Outcome:
        """The same with the requests of one of several workloads alone; as it is for "", all requests."""
        if not workload:
            return self
        found = self.workloads[workload]
        return replace(self, workloads={}, **{part.name: getattr(found, part.name) for part in fields(Answers)})

"""One replication as numbers: what happened between the end of the warm-up and the end of the run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simvirt.memory.ledger import Ledger
from simvirt.memory.working_set import Load

CATEGORIES = ("queue", "run_queue", "throttled", "steal", "cpu", "virtualization", "disk", "network", "delay")


@dataclass(frozen=True)
class ServiceOutcome:
    """What one service did."""

    latency_mean_s: float | None
    histogram: np.ndarray
    throughput_per_s: float
    queue_wait_s: float | None
    cpu_cores: float
    nr_throttled: float
    nr_periods: float
    throttled_s: float
    rejected: float
    threads_busy: float
    costop_s: float | None

    def load(self, answered: float, replicas: int) -> Load:
        """The load of one replica: requests in it by Little's law, and those that its threads work on."""
        inside = self.throughput_per_s * (self.latency_mean_s or 0.0)
        return Load(inside / replicas, self.threads_busy / replicas, answered / replicas)


@dataclass(frozen=True)
class Outcome:
    """What one replication of a platform did after its warm-up."""

    requests: int
    events: int
    wall_s: float
    warmup_s: float
    simulated_s: float
    latency_mean_s: float | None
    latency_max_s: float | None
    histogram: np.ndarray
    classes: dict[str, np.ndarray]
    class_means_s: dict[str, float | None]
    throughput_per_s: float
    offered_per_s: float
    rejected: float
    failed: float
    utilisation: float
    steal: float
    costop: float | None
    throttled: float
    virtualization: float
    breakdown_s: dict[str, float | None]
    services: dict[str, ServiceOutcome]
    resources: dict[str, float]
    memory: dict[str, int]
    devices: dict[str, dict[str, int]]
    ledger: Ledger
    limits: list[dict[str, Any]]
    reclaim: tuple[dict[str, Any], list[str]] | None
    checks: dict[str, str]
    unstable: float | None
    full_at_s: float | None
    series: dict[str, list[Any]] = field(default_factory=dict)

"""The vertical autoscaler: it recommends CPUs for the replicas of a service from their usage, and gives them to those out of bounds.

*Model*: usage is that of a metrics server (`control/metrics_server.py`). New replicas have what is recommended; limits change with requests
    in proportion. Those out of bounds are stopped for others to take their places, or have their quota changed while they run, where their
    host has left what they request more.
*Ignores*: the phase between recommender and updater; a lifetime after which smaller changes are made too (12 h); memory.
*Source*: kubernetes/autoscaler vertical-pod-autoscaler (pkg/recommender, pkg/updater, pkg/admission-controller); KEP 1287 (in place).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from simvirt.catalog.entries.vertical_autoscalers import VerticalAutoscalerEntry
from simvirt.control.evicting import evict
from simvirt.control.metrics_server import MILLI, SECOND, MetricsServer
from simvirt.control.orchestrate import Orchestration
from simvirt.control.orchestrators.interface import Task
from simvirt.control.periods import every
from simvirt.control.places import resize
from simvirt.control.wanted import with_cpus
from simvirt.gauges import cpu_time
from simvirt.orchestration.vpa import Buckets, History, Recommendation, Rules, recommend
from simvirt.scenario.spec.services import ServiceSpec
from simvirt.workload.streams import SYNCS, Phases

SAMPLES, SCRAPES, LOOKS = 4, 5, 6
"""What a period is of."""
MOST_CPUS = 1000.0
"""Usage that the last bucket of a histogram holds. Source: cpuHistogramOptions, pkg/recommender/model/aggregations_config.go."""


@dataclass
class Vertical:
    """The services that one entry gives CPUs to, each with its history."""

    orchestration: Orchestration
    entry: VerticalAutoscalerEntry
    services: Mapping[str, ServiceSpec]
    metrics: MetricsServer = field(default_factory=MetricsServer)
    histories: dict[str, History] = field(default_factory=dict)

    def begin(self, phases: Phases) -> None:
        """Let all periods begin."""
        clock, known = self.orchestration.cluster.clock, self.orchestration.cluster.plane.lowered.services
        clock.process(every(clock, self.entry.sampling, phases.of(SYNCS, SAMPLES), self._sample))
        clock.process(every(clock, self.entry.resolution, phases.of(SYNCS, SCRAPES), self._scrape))
        for name in self.services:
            self.histories[name] = History(Buckets(self.entry.first, float(self.entry.growth), MOST_CPUS), self.entry.half_life / SECOND)
            clock.process(every(clock, self.entry.interval, phases.of(SYNCS, LOOKS, known.index(name)), partial(self._look, name)))

    def _sample(self) -> None:
        """Hosts sample the counters of their instances."""
        now = self.orchestration.now
        self.metrics.sample(now, cpu_time(self.orchestration.cluster.plane, now))

    def _scrape(self) -> None:
        """The metrics server takes samples in."""
        of = {name: self.orchestration.ledger[name] for name in self.services}
        self.metrics.scrape((task, one.rows[task.number]) for one in of.values() for task in one.tasks.values())

    def _look(self, name: str) -> None:
        """Take usage in, and act on what is recommended."""
        of, history, now = self.orchestration.ledger[name], self.histories[name], self.orchestration.now
        for task in of.tasks.values():
            if (usage := self.metrics.usage(task, now)) is not None:
                history.add(usage.value / MILLI, self._requested(task), now / SECOND)
        stated = self.services[name].vertical
        found = recommend(history, rules_of(self.entry))
        if found is None or stated is None:
            return
        found = found.within(stated.min, stated.max)
        tasks = [task for task in of.tasks.values() if task.phase in ("ready", "unhealthy")]
        moved = [task for task in tasks if found.moves(self._requested(task))]
        if moved:
            self._want(name, found)
            left = moved if stated.update == "recreate" else [task for task in moved if not self._resize(task, found)]
            self._evict(name, left, found)

    def _requested(self, task: Task) -> float:
        """CPUs that a replica requests now."""
        spec = self.orchestration.cluster.spec_of(self.orchestration.ledger.row_of(task))
        return float((spec.cpu_limit if spec.cpu_reservation is None else spec.cpu_reservation) or 0.0)

    def _want(self, name: str, found: Recommendation) -> None:
        """Replicas that start from now on have what is recommended."""
        of = self.orchestration.ledger[name]
        version = of.wanted.version
        of.wanted = replace(of.wanted, version=replace(version, spec=with_cpus(version.spec, found.target)))

    def _resize(self, task: Task, found: Recommendation) -> bool:
        """Change a replica while it runs; whether its host has room for that."""
        cluster, ledger = self.orchestration.cluster, self.orchestration.ledger
        row, before = ledger.row_of(task), self._requested(task)
        spec = with_cpus(cluster.spec_of(row), found.target)
        if not ledger.keep(task, spec):
            return False
        resize(cluster, row, spec)
        cluster.story.tell("resized", f"{task.service}-{task.slot}", cluster.name_of(task.host), f"{before:.3g} to {found.target:.3g} CPUs")
        return True

    def _evict(self, name: str, tasks: list[Task], found: Recommendation) -> None:
        """Stop as many as may be away at once, for others to take their places."""
        of = self.orchestration.ledger[name]
        up = sum(task.phase == "ready" for task in of.tasks.values())
        least = of.wanted.replicas - math.floor(of.wanted.replicas * self.entry.tolerance)
        if of.wanted.replicas >= self.entry.replicas:
            for task in tasks[: max(0, up - least)]:
                evict(self.orchestration, self.orchestration.ledger.row_of(task), f"{found.target:.3g} CPUs are recommended")


def rules_of(entry: VerticalAutoscalerEntry) -> Rules:
    """What an entry says."""
    return Rules(float(entry.percentile), float(entry.lower), float(entry.upper), float(entry.margin), float(entry.least))


def follow_usage(orchestration: Orchestration) -> None:
    """Let the vertical autoscalers of a cluster's services begin, those of one entry of the catalogue together."""
    cluster, by = orchestration.cluster, dict[str, dict[str, ServiceSpec]]()
    for name, spec in cluster.scenario.services.items():
        if spec.vertical is not None:
            by.setdefault(spec.vertical.by, {})[name] = spec
    for name, services in by.items():
        entry = cluster.catalog.typed("vertical_autoscalers", name, VerticalAutoscalerEntry)
        Vertical(orchestration, entry, services).begin(Phases(cluster.plane.seed, cluster.plane.replication))

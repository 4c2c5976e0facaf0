"""What a scenario says that fails, carried out at its instants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simvirt.control.cluster import Cluster
from simvirt.control.detection import Detection
from simvirt.control.failures import Failures
from simvirt.control.impairments import Impairments
from simvirt.control.lifecycle import Process, rows_of
from simvirt.control.start import Starts
from simvirt.scenario.spec.experiment import TimelineEvent
from simvirt.scenario.spec.failures import LOST, OF_HOSTS, SLOWER
from simvirt.scenario.targets import hosts_of


@dataclass(frozen=True)
class Failing:
    """All that may fail in a cluster."""

    failures: Failures
    impairments: Impairments

    @property
    def cluster(self) -> Cluster:
        """The cluster in which it does."""
        return self.failures.cluster

    def begin(self, event: TimelineEvent) -> None:
        """Let what an event says fail now."""
        for process in self._of(event):
            self.cluster.clock.process(process)

    def _of(self, event: TimelineEvent) -> Iterator[Process]:
        """The processes of one event."""
        target, lasts = event.fail or "", event.for_
        hosts = hosts_of(self.cluster.scenario, target) if event.how in OF_HOSTS else ()
        if event.how == "partition":
            yield self.impairments.partition(hosts, lasts)
        elif event.how == "loss":
            yield self.impairments.loss(hosts, event.ratio or LOST, lasts)
        elif event.how == "registry":
            yield self.impairments.registry(target, lasts)
        elif hosts:
            yield from (self._of_host(event, host) for host in hosts)
        else:
            rows = rows_of(self.cluster.clock, event, target)
            if event.how == "process":
                yield from (self.failures.process(row) for row in rows)
            else:
                yield from (self.failures.kernel_of(row, lasts) for row in self._one_each(rows))

    def _of_host(self, event: TimelineEvent, host: int) -> Process:
        """The failure of a host."""
        if event.how == "slow-disk":
            return self.impairments.slow_disk(host, event.factor or SLOWER, event.for_)
        return (self.failures.power if event.how == "power" else self.failures.panic)(host, event.for_)

    def _one_each(self, rows: list[int]) -> list[int]:
        """One instance for each kernel that some run on."""
        return list({self.cluster.instance(row).machine: row for row in reversed(rows)}.values())[::-1]


def follow_failures(cluster: Cluster, starts: Starts) -> None:
    """Let the failures of the timeline happen."""
    detection = Detection(cluster)
    failing = Failing(Failures(cluster, starts, detection), Impairments(cluster, detection))
    for event in cluster.scenario.timeline:
        if event.fail is not None:
            cluster.clock.process(_happen(failing, event))


def _happen(failing: Failing, event: TimelineEvent) -> Process:
    """A failure of the timeline, at its instant."""
    yield failing.cluster.clock.timeout(event.at)
    failing.begin(event)

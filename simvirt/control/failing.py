"""What a scenario says that fails, carried out: at instants of the timeline, by chance, and as a trace has it.

*Model*: what fails by chance is up for a time with a Weibull distribution, then fails, is repaired after a time of its own distribution,
    and is up again. Each host, and each instance of a service, draws its times from a stream of its own, so that nothing else shifts them.
*Ignores*: failures that others bring with them, beyond those of one cause on several hosts.
*Source*: Schroeder and Gibson, A large-scale study of failures in high-performance computing systems, DSN 2006.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from simvirt.control.cluster import Cluster
from simvirt.control.detection import Detection
from simvirt.control.failures import Failures
from simvirt.control.impairments import Impairments
from simvirt.control.lifecycle import Process, rows_of
from simvirt.control.start import Starts
from simvirt.scenario.bounds import LATEST_NS
from simvirt.scenario.reading.failurefile import read_failures
from simvirt.scenario.spec.experiment import TimelineEvent
from simvirt.scenario.spec.failures import LOST, OF_HOSTS, SLOWER, FailureTraceSpec, RandomFailureSpec
from simvirt.scenario.targets import hosts_of
from simvirt.workload.sampling import sampler
from simvirt.workload.streams import FAILURES, TIMES, stream


@dataclass(frozen=True)
class Blow:
    """How something fails: what happens, after how long it is repaired [ns]; a factor, a ratio, the side of clients, where it has them."""

    how: str
    lasts: int | None
    factor: float | None = None
    ratio: float | None = None
    clients: str | None = None


@dataclass(frozen=True)
class Failing:
    """All that may fail in a cluster."""

    failures: Failures
    impairments: Impairments

    @property
    def cluster(self) -> Cluster:
        """The cluster in which it does."""
        return self.failures.cluster

    def of_hosts(self, hosts: Sequence[int], blow: Blow) -> Iterator[Process]:
        """The processes of the failure of hosts, together."""
        if blow.how == "partition":
            yield self.impairments.partition(hosts, blow.lasts, blow.clients or "both")
        elif blow.how == "loss":
            yield self.impairments.loss(hosts, blow.ratio or LOST, blow.lasts)
        else:
            yield from (self._of_host(host, blow) for host in hosts)

    def _of_host(self, host: int, blow: Blow) -> Process:
        """The failure of a host."""
        if blow.how == "slow-disk":
            return self.impairments.slow_disk(host, blow.factor or SLOWER, blow.lasts)
        return (self.failures.power if blow.how == "power" else self.failures.panic)(host, blow.lasts)

    def of_rows(self, rows: Sequence[int], blow: Blow) -> Iterator[Process]:
        """The processes of the failure of instances, or of the kernels beneath them, each once."""
        if blow.how == "process":
            yield from (self.failures.process(row) for row in rows)
        else:
            beneath = {self.cluster.instance(row).machine: row for row in reversed(rows)}
            yield from (self.failures.kernel_of(row, blow.lasts) for row in list(beneath.values())[::-1])

    def happen(self, event: TimelineEvent) -> Process:
        """A failure of the timeline, at its instant."""
        clock, target, blow = self.cluster.clock, event.fail or "", Blow(event.how, event.for_, event.factor, event.ratio, event.clients)
        yield clock.timeout(event.at)
        hosts = hosts_of(self.cluster.scenario, target) if blow.how in OF_HOSTS else ()
        if blow.how == "registry":
            processes = iter([self.impairments.registry(target, blow.lasts)])
        else:
            processes = self.of_hosts(hosts, blow) if hosts else self.of_rows(rows_of(clock, event, target), blow)
        for process in processes:
            clock.process(process)

    def again_and_again(self, number: int, spec: RandomFailureSpec) -> Iterator[Process]:
        """The processes of what fails by chance, one for each host or instance."""
        plane, hosts = self.cluster.plane, hosts_of(self.cluster.scenario, spec.fail) if spec.how in OF_HOSTS else ()
        rows = () if hosts or spec.how == "registry" else plane.instances_of(spec.fail)
        for place, which in enumerate(hosts or rows or (0,)):
            first, second = (stream(plane.seed, plane.replication, FAILURES, TIMES, number, place, part) for part in (0, 1))
            yield self._by_chance(spec, which if hosts else None, which if rows else None, first, second)

    def _by_chance(
        self, spec: RandomFailureSpec, host: int | None, row: int | None, first: np.random.Generator, second: np.random.Generator,
    ) -> Process:
        """Up, down, up again, for ever."""
        clock, repair = self.cluster.clock, None if spec.mttr is None else sampler(spec.mttr, second, second)
        scale = spec.mtbf / math.gamma(1.0 + 1.0 / spec.shape)
        while True:
            yield clock.timeout(max(1, round(min(scale * float(first.weibull(spec.shape)), LATEST_NS))))
            lasts = None if repair is None else max(1, round(float(repair(1)[0])))
            blow = Blow(spec.how, lasts, spec.factor, spec.ratio, spec.clients)
            if host is not None:
                processes = self.of_hosts([host], blow)
            else:
                processes = iter([self.impairments.registry(spec.fail, lasts)]) if row is None else self.of_rows([row], blow)
            yield clock.all_of([clock.process(process) for process in processes])


def follow_failures(cluster: Cluster, starts: Starts) -> Failures:
    """Let what the scenario says fail; what fails and is repaired."""
    scenario, detection = cluster.scenario, Detection(cluster)
    failing = Failing(Failures(cluster, starts, detection), Impairments(cluster, detection))
    for event in scenario.timeline:
        if event.fail is not None:
            cluster.clock.process(failing.happen(event))
    if scenario.failures is not None:
        for number, spec in enumerate(scenario.failures.random):
            for process in failing.again_and_again(number, spec):
                cluster.clock.process(process)
        if scenario.failures.trace is not None:
            _replay(failing, scenario.failures.trace)
    return failing.failures


def _replay(failing: Failing, trace: FailureTraceSpec) -> None:
    """Let what a trace says fail."""
    clock = failing.cluster.clock
    for one in read_failures(trace, [host.name for host in failing.cluster.scenario.each_host]):
        clock.process(_at(failing, one.at, one.host, Blow(trace.how, one.lasts)))


def _at(failing: Failing, at: int, host: int, blow: Blow) -> Process:
    """A failure of a host at an instant [ns]."""
    yield failing.cluster.clock.timeout(at)
    for process in failing.of_hosts([host], blow):
        failing.cluster.clock.process(process)

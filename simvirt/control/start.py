"""The start of an instance: the phases of its platform in their order, then what its service does before it is ready.

*Model*: a phase computes, reads, writes and waits where it happens: on the host's own kernel, on its guest's vCPUs, in the replica's
    cgroup. It holds its lock meanwhile, for which others wait in line. A phase of a VM or of a host is done once, and all that
    need it wait for its end.
*Ignores*: that a runtime does some of its phases side by side.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import simpy

from simvirt.catalog.resolve.startups import Phase
from simvirt.control.cluster import HEALTHY, STARTED, Cluster
from simvirt.control.health import found_well, watch
from simvirt.control.housing import house
from simvirt.control.lifecycle import Process
from simvirt.control.places import power_off
from simvirt.control.records import DEPENDENCIES, Life, Span
from simvirt.control.work import perform
from simvirt.kernel import constants as k

Began = Generator[simpy.Event, Any, int]
APPLICATION: Final = "start-up"
"""What a scenario says that a service does before it is ready, as a phase."""


@dataclass(frozen=True)
class Starts:
    """How instances start in a cluster; on a host that is down nothing does."""

    cluster: Cluster
    under_way: dict[int, simpy.Process] = field(default_factory=dict)  # by instance

    def start(self, instance: int) -> Process:
        """Start an instance that is down: all its phases, then it takes requests, unless it is abandoned before."""
        if self.cluster.is_down(self.cluster.host_of(instance)):
            self.cluster.plane.crash(instance, k.GONE)
            return
        mine = self.cluster.clock.active_process
        assert mine is not None
        self.under_way[instance] = mine
        house(self.cluster, instance)
        life = begun(self.cluster, instance)
        try:
            yield from _started(self.cluster, life)
        except simpy.Interrupt:
            life.abandoned = True
            if life.ready is None:
                self.cluster.lives.remove(life)
        finally:
            if self.under_way.get(instance) is mine:
                del self.under_way[instance]
        if life.failure is not None:
            self._failed(life)
        self.cluster.lives.over(life)

    def _failed(self, life: Life) -> None:
        """A start has come to nothing; where somebody decides what follows, no record of it stays."""
        self.cluster.plane.crash(life.instance)
        if self.crashed(life.instance, life.failure or ""):
            self.cluster.lives.remove(life)

    def abandon(self, instance: int) -> None:
        """End the start of an instance that is stopped or crashes before it is ready; what it shares with others goes on."""
        if (mine := self.under_way.pop(instance, None)) is not None:
            mine.interrupt()

    def is_down(self, host: int) -> bool:
        """Whether a host is off, has failed, or boots."""
        return self.cluster.is_down(host)

    def stopped(self, instance: int) -> None:
        """Takes in that an instance was stopped: a VM that was there for it alone is gone."""
        if self.cluster.orchestration is not None:
            power_off(self.cluster, instance)
        self.cluster.shut_down(instance)

    def crashed(self, instance: int, why: str) -> bool:
        """Takes in that an instance has failed; whether an orchestrator decides what becomes of it."""
        if self.cluster.orchestration is None:
            self.cluster.unmake(instance)
            return False
        self.stopped(instance)
        self.cluster.orchestration.failed(instance, why)
        return self.cluster.orchestration.watches

    def evicted(self, instance: int, why: str) -> bool:
        """Takes in that a host ends an instance for its own sake; whether another one takes its place."""
        return self.cluster.orchestration is not None and self.cluster.orchestration.evicted(instance, why)

    def pressed(self, host: int, under: bool) -> None:
        """Takes in that a host is under pressure of memory, or is not any more."""
        self.cluster.story.tell("pressure" if under else "eased", self.cluster.name_of(host), None, "memory")
        if self.cluster.orchestration is not None:
            self.cluster.orchestration.pressed(host, under)

    def priority_of(self, instance: int) -> int:
        """How important an instance is to what orchestrates it."""
        return 0 if self.cluster.orchestration is None else self.cluster.orchestration.priority_of(instance)

    def standing(self, service: str) -> Mapping[int, int] | None:
        """The rows of a service's instances that are there, by the replicas that they are; None where nothing orchestrates them."""
        return None if self.cluster.orchestration is None else self.cluster.orchestration.standing(service)


def begun(cluster: Cluster, row: int) -> Life:
    """The record of a start that begins now."""
    one = cluster.instance(row)
    life = Life(row, one.service, cluster.number_of(row), cluster.host_of(row), int(cluster.clock.now))
    cluster.lives.append(life)
    return life


def _started(cluster: Cluster, life: Life) -> Process:
    """All phases of a start, recorded."""
    plane, row, one = cluster.plane, life.instance, cluster.instance(life.instance)
    if cluster.fetch is not None:
        yield from cluster.fetch.disk(life)
    phases = cluster.phases(row)
    booted = _of_vm(cluster, phases)
    for phase in phases[:booted]:
        yield from _phase(cluster, life, phase)
    if cluster.fetch is not None and not (yield from cluster.fetch.image(life)):
        return
    yield from _dependencies(cluster, life)
    process = None
    for phase in phases[booted:]:
        if phase.on == "instance" and process is None:
            process = _began(cluster, life)
        yield from _phase(cluster, life, phase)
    cluster.begin_guest(one.machine)
    process = _began(cluster, life) if process is None else process
    if cluster.scenario.services[life.service].is_job:
        yield from _job(cluster, life)
        return
    yield from _application(cluster, life)
    life.up = int(cluster.clock.now)
    plane.start_background(row)
    yield from found_well(cluster, row, process)
    if cluster.orchestration is not None:
        yield from cluster.orchestration.publishing(row)
    cluster.take_in(row)
    life.ready = int(cluster.clock.now)
    cluster.is_back(life)
    cluster.reach(row, HEALTHY)
    if cluster.orchestration is not None:
        cluster.orchestration.became_ready(row)


def _began(cluster: Cluster, life: Life) -> int:
    """The process of an instance is there, and is watched from now on [ns]."""
    cluster.reach(life.instance, STARTED)
    watch(cluster, life)
    return int(cluster.clock.now)


def _job(cluster: Cluster, life: Life) -> Process:
    """The work of a job, after which its instance ends; it counts as ready when it begins."""
    life.up = life.ready = int(cluster.clock.now)
    cluster.is_back(life)
    cluster.plane.start_background(life.instance)
    if cluster.orchestration is not None:
        cluster.orchestration.became_ready(life.instance)
    yield from _application(cluster, life)
    cluster.reach(life.instance, HEALTHY)
    if cluster.orchestration is not None:
        cluster.orchestration.completed(life.instance)


def _dependencies(cluster: Cluster, life: Life) -> Process:
    """Wait for the instances of other services as far as this one's waits for them."""
    due = int(cluster.clock.now)
    waits = cluster.orchestration is None or cluster.orchestration.waits_for_others
    for name, dependency in cluster.scenario.services[life.service].depends_on.items() if waits else ():
        yield cluster.reached(name, dependency.condition)
    if cluster.clock.now > due:
        life.spans.append(Span(DEPENDENCIES, life.service, due, int(cluster.clock.now), int(cluster.clock.now)))


def _of_vm(cluster: Cluster, phases: Sequence[Phase]) -> int:
    """How many of the first phases are those of a VM, before there is a kernel on which containers and processes can start."""
    platform = cluster.plane.lowered.platform
    names = {name for layer in platform.hypervisors for name in (layer.name, layer.guest.name if layer.guest else None)}
    return next((at for at, phase in enumerate(phases) if phase.layer not in names), len(phases))


def _application(cluster: Cluster, life: Life) -> Process:
    """What the scenario says that the service does before it is ready."""
    if not cluster.scenario.services[life.service].startup:
        return
    due = int(cluster.clock.now)
    with cluster.plane.perform(cluster.plane.lowered.startup[life.service], life.instance) as done:
        yield done
    life.spans.append(Span(APPLICATION, life.service, due, due, int(cluster.clock.now)))


def _phase(cluster: Cluster, life: Life, phase: Phase) -> Process:
    """One phase of a start, or the wait for one that is done once for several; it is recorded."""
    due = int(cluster.clock.now)
    if phase.per == "instance":
        began = yield from _carried_out(cluster, life.instance, phase)
    else:
        of = life.host if phase.per == "host" else cluster.instance(life.instance).machine
        if (phase.per, of) in cluster.there:
            return
        began = yield cluster.once((phase.per, of), (phase.layer, phase.name), lambda: _carried_out(cluster, life.instance, phase))
        began = max(due, began)
    life.spans.append(Span(phase.name, phase.layer, due, began, int(cluster.clock.now)))


def _carried_out(cluster: Cluster, row: int, phase: Phase) -> Began:
    """Do the work of a phase, under its lock where it has one; the instant at which it began [ns]."""
    on = performer(cluster, row, phase)
    if phase.lock is None:
        began = int(cluster.clock.now)
        yield from _done(cluster, on, row, phase)
        return began
    with cluster.kernel_lock(_kernel(cluster, row, phase), phase.lock).request() as turn:
        yield turn
        began = int(cluster.clock.now)
        yield from _done(cluster, on, row, phase)
    return began


def _done(cluster: Cluster, on: int, row: int, phase: Phase) -> Process:
    work_ns = phase.cpu_ns + (phase.each_ns * cluster.others(row) if phase.each_ns else 0.0)
    yield from perform(cluster, on, work_ns, phase.read, phase.write, phase.wait_ns, piece=phase.piece, flushes=phase.flushes)
    cluster.make(row)


def performer(cluster: Cluster, row: int, phase: Phase) -> int:
    """The instance that does the work of a phase of another one's start."""
    if phase.on == "instance":
        return row
    return cluster.host_hands(cluster.host_of(row)) if phase.on == "host" else cluster.guest_hands(cluster.instance(row).machine)


def _kernel(cluster: Cluster, row: int, phase: Phase) -> int:
    """The kernel whose locks a phase takes."""
    plan = cluster.plane.lowered.arrangement
    return plan.hosts[cluster.host_of(row)].machine if phase.on == "host" else plan.instances[row].machine


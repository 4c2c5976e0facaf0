"""The start of an instance: the phases of its platform in their order, then what its service does before it is ready.

*Model*: a phase computes, reads, writes and waits where it happens: on the host's own kernel, on its guest's vCPUs, in the replica's
    cgroup. It holds its lock meanwhile, for which others wait in line. A phase of a VM or of a host is done once, and all that
    need it wait for its end.
*Ignores*: that a runtime does some of its phases side by side.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from simvirt.catalog.resolve.startups import Phase
from simvirt.control.cluster import Cluster
from simvirt.control.lifecycle import Process
from simvirt.control.records import Life, Span
from simvirt.control.work import perform

Began = Generator[simpy.Event, Any, int]
APPLICATION = "start-up"
"""What a scenario says that a service does before it is ready, as a phase."""


def start(cluster: Cluster, row: int) -> Process:
    """Start an instance: all its phases, then it takes requests. One that is being stopped starts once it is down; one that is up stays."""
    plane = cluster.plane
    if plane.is_draining(row):
        yield plane.drain(row)
    if not plane.start(row):
        return
    one = cluster.instance(row)
    life = Life(row, one.service, one.replica, cluster.host_of(row), int(cluster.clock.now))
    cluster.lives.append(life)
    for phase in cluster.phases(row):
        yield from _phase(cluster, life, phase)
    cluster.begin_guest(one.machine)
    yield from _application(cluster, life)
    plane.start_background(row)
    plane.admit(row)
    life.ready = int(cluster.clock.now)


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
        yield cluster.once((phase.layer, phase.name, phase.per, of), lambda: _carried_out(cluster, life.instance, phase))
        began = due
    life.spans.append(Span(phase.name, phase.layer, due, began, int(cluster.clock.now)))


def _carried_out(cluster: Cluster, row: int, phase: Phase) -> Began:
    """Do the work of a phase, under its lock where it has one; the instant at which it began [ns]."""
    on = performer(cluster, row, phase)
    if phase.lock is None:
        began = int(cluster.clock.now)
        yield from _done(cluster, on, phase)
        return began
    with cluster.kernel_lock(_kernel(cluster, row, phase), phase.lock).request() as turn:
        yield turn
        began = int(cluster.clock.now)
        yield from _done(cluster, on, phase)
    return began


def _done(cluster: Cluster, on: int, phase: Phase) -> Process:
    yield from perform(cluster, on, phase.cpu_ns, phase.read, phase.write, phase.wait_ns)


def performer(cluster: Cluster, row: int, phase: Phase) -> int:
    """The instance that does the work of a phase of another one's start."""
    if phase.on == "instance":
        return row
    return cluster.host_hands(cluster.host_of(row)) if phase.on == "host" else cluster.guest_hands(cluster.instance(row).machine)


def _kernel(cluster: Cluster, row: int, phase: Phase) -> int:
    """The kernel whose locks a phase takes."""
    plan = cluster.plane.lowered.arrangement
    return plan.hosts[cluster.host_of(row)].machine if phase.on == "host" else plan.instances[row].machine


"""A host is drained by restarts: it takes nothing new, what is on it is stopped, and what orchestrates it starts others elsewhere.

*Model*: all instances on the host are asked to stop at once, each within its time of grace, as `kubectl drain` evicts pods and Swarm's
    `docker node update --availability drain` shuts tasks down; those that a disruption budget keeps are asked again. Kubernetes leaves
    what each node has one of.
*Source*: Kubernetes documentation, Safely Drain a Node; Docker documentation, Drain a node on the swarm.
"""

from __future__ import annotations

from typing import Final

from simvirt.control.evicting import evict
from simvirt.control.lifecycle import Process
from simvirt.control.moves import host_named
from simvirt.control.orchestrate import Orchestration
from simvirt.scenario.spec.experiment import TimelineEvent

DRAINED: Final = "its host is drained"


def follow_drains(orchestration: Orchestration) -> None:
    """Let the hosts that the timeline drains by restarts be drained."""
    for event in orchestration.cluster.scenario.timeline:
        if event.restarts:
            orchestration.cluster.clock.process(_drain(orchestration, event))


def _drain(orchestration: Orchestration, event: TimelineEvent) -> Process:
    """A host is drained, at the instant of the event."""
    cluster = orchestration.cluster
    yield cluster.clock.timeout(event.at)
    host = host_named(cluster, event.drain or "")
    cluster.close(host)
    for row in orchestration.rows_on(host):
        if orchestration.entry.acts != "kubernetes" or not cluster.spec_of(row).is_global:
            evict(orchestration, row, DRAINED)

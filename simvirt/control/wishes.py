"""What a scenario wants of what acts on its instances: which orchestrator that is, and what the timeline says from when on."""

from __future__ import annotations

from collections.abc import Sequence

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.cluster import Cluster
from simvirt.control.lifecycle import Process
from simvirt.control.orchestrate import Orchestration
from simvirt.control.orchestrators.registry import ORCHESTRATORS
from simvirt.control.tasks import Ledger
from simvirt.control.wanted import changed
from simvirt.placement import hosts_of
from simvirt.scenario.spec.experiment import TimelineEvent
from simvirt.scenario.spec.orchestration import ORCHESTRATED


def follow(orchestration: Orchestration, timeline: Sequence[TimelineEvent]) -> None:
    """Let what the timeline wants be wanted."""
    for event in timeline:
        if event.verb in ORCHESTRATED:
            orchestration.cluster.clock.process(_happen(orchestration, event))


def _happen(orchestration: Orchestration, event: TimelineEvent) -> Process:
    """What an event wants, at its instant."""
    yield orchestration.cluster.clock.timeout(event.at)
    if event.scale is not None:
        orchestration.scale(event.scale, event.replicas or 0)
    if event.update is not None:
        orchestration.update(event.update, changed(orchestration.ledger[event.update].wanted.version.spec, event))
        if event.replicas is not None:
            orchestration.scale(event.update, event.replicas)
    if event.rollback is not None:
        orchestration.revert(event.rollback, "timeline")


def orchestration_of(cluster: Cluster) -> Orchestration:
    """What acts on the instances of a cluster: nothing of any service is there yet, and as many as the scenario says are wanted."""
    lowered, name = cluster.plane.lowered, cluster.plane.lowered.platform.orchestrator or "none"
    entry = cluster.catalog.typed("orchestrators", name, OrchestratorEntry)
    hosts = hosts_of([host.site.named for host in lowered.arrangement.hosts], lowered.hosts)
    able = [not host.site.named.spare for host in lowered.arrangement.hosts]
    found = Orchestration(cluster, entry, ORCHESTRATORS[entry.acts], Ledger(hosts, able, entry.reserves))
    for service, spec in cluster.scenario.services.items():
        found.manage(service, cluster.plane.instances_of(service), spec.replicas)
    return found

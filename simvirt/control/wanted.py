"""What is wanted of a service, as its scenario and the events of the timeline say it."""

from __future__ import annotations

from simvirt.catalog import Catalog
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.catalog.entries.priorities import PriorityEntry
from simvirt.control.orchestrators.interface import Version, Wanted
from simvirt.scenario.spec.experiment import TimelineEvent
from simvirt.scenario.spec.services import ServiceSpec


def wanted_of(service: str, replicas: int, spec: ServiceSpec, entry: OrchestratorEntry, catalog: Catalog) -> Wanted:
    """What is wanted of a service at first."""
    return Wanted(service, replicas, Version(0, spec), None, *priority_of(spec, entry, catalog))


def priority_of(spec: ServiceSpec, entry: OrchestratorEntry, catalog: Catalog) -> tuple[int, bool]:
    """How important the replicas of a service are, and whether they drive out others; all are alike where nothing is made of it."""
    said = spec.deploy.priority
    if said is None or entry.priorities is None:
        return 0, True
    if isinstance(said, int):
        return said, True
    found = catalog.typed("priorities", said, PriorityEntry)
    return found.value, found.preempts


def changed(spec: ServiceSpec, event: TimelineEvent) -> ServiceSpec:
    """A service in the version that an event wants."""
    found = spec if event.image is None else spec.model_copy(update={"image": event.image})
    found = found if event.cpus is None else found.model_copy(update={"cpus": event.cpus, "cpu_quota": None})
    return found if event.mem_limit is None else found.model_copy(update={"mem_limit": event.mem_limit})

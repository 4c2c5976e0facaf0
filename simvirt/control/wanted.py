"""What is wanted of a service, as its scenario and the events of the timeline say it."""

from __future__ import annotations

from simvirt.catalog import Catalog
from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.catalog.entries.priorities import PriorityEntry
from simvirt.control.orchestrators.interface import Version, Wanted
from simvirt.scenario.spec.experiment import TimelineEvent
from simvirt.scenario.spec.services import LEAST_PERIOD_NS, ServiceSpec


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


def with_cpus(service: ServiceSpec, cpus: float) -> ServiceSpec:
    """A service whose replicas request so many CPUs, and are limited to as many times that as before."""
    requested, limit, resources = service.cpu_reservation, service.cpu_limit, service.deploy.resources
    grown = max(cpus if requested is None or limit is None else limit * cpus / requested, LEAST_PERIOD_NS / service.period_ns)
    reserved = resources.reservations.model_copy(update={"cpus": None if requested is None else cpus})
    bounds = resources.model_copy(update={"limits": resources.limits.model_copy(update={"cpus": None}), "reservations": reserved})
    deploy = service.deploy.model_copy(update={"resources": bounds})
    return service.model_copy(update={"cpus": grown, "cpu_quota": None, "deploy": deploy})

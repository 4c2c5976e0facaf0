"""How many instances of a service may ever live at once: a row for each is there from the start, and stands where it is put."""

from __future__ import annotations

from itertools import pairwise
from typing import Protocol

from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.orchestration import ORCHESTRATED
from simvirt.scenario.spec.state import StateSpec


class Named(Protocol):
    """A platform, as far as it says what acts on it."""

    @property
    def orchestrator(self) -> str | None:
        """The entry of what acts on its instances."""


def acted_on(scenario: Scenario, platform: Named) -> bool:
    """Whether something acts on instances while a scenario runs on a platform: an orchestrator, or a timeline that says what is wanted."""
    wishes = any(event.verb in ORCHESTRATED or event.restarts for event in scenario.timeline)
    return platform.orchestrator is not None or scenario.autoscales or scenario.resizes or wishes


def as_acted_on(scenario: Scenario, platform: Named) -> Scenario:
    """The scenario with a state where something acts on its instances, so that starts are followed phase by phase; itself otherwise."""
    if scenario.state is not None or not acted_on(scenario, platform):
        return scenario
    return scenario.model_copy(update={"state": StateSpec.model_construct()})


def slots(scenario: Scenario, service: str) -> int:
    """Rows that instances of a service need: as many as are ever wanted, and those that are on their way out meanwhile.

    Where less is wanted and then more, what was stopped may not have ended when others start: there are twice as many then, and so
    there are where an autoscaler may want up to its most, instances are replaced by those of another version, may be preempted, or a host
    is drained by restarts.
    """
    spec = scenario.services[service]
    wanted = [spec.replicas, *_scales(scenario, service)] if not spec.is_global else [spec.most_replicas]
    if spec.autoscale is not None:
        return 2 * max(*wanted, spec.autoscale.max)
    falls = any(after < before for before, after in pairwise(wanted))
    replaced = any(service in (event.update, event.rollback) or event.restarts for event in scenario.timeline)
    replaced |= spec.vertical is not None or scenario.machines_scale
    return max(wanted) * (2 if falls or replaced or _gives_way(scenario, service) else 1)


def _gives_way(scenario: Scenario, service: str) -> bool:
    """Whether instances of a service may be on their way out for the sake of others, while their successors start elsewhere."""
    return any(name != service and other.deploy.priority is not None for name, other in scenario.services.items())


def is_first(scenario: Scenario, service: str, replica: int) -> bool:
    """Whether a row is one of the replicas that a service has at first, and not internal, of a job, or one that may come to live."""
    return service in scenario.services and replica < scenario.services[service].replicas and not scenario.services[service].is_job


def _scales(scenario: Scenario, service: str) -> list[int]:
    """How many replicas the timeline wants, one number after the other."""
    mine = (event for event in scenario.timeline if service in (event.scale, event.update) and event.replicas is not None)
    return [event.replicas or 0 for event in sorted(mine, key=lambda event: event.at)]

"""What the tables and the control plane need to know of memory: what replicas need, limits, and how often page caches serve a read."""

from collections.abc import Mapping
from dataclasses import dataclass

from simvirt.capacity.limits import Limit, limits
from simvirt.catalog import Catalog
from simvirt.catalog.entries.capacity import ReclaimEntry
from simvirt.catalog.records import HostEntry, Platform
from simvirt.memory import Occupancy, occupancy
from simvirt.memory.at_rest import at_rest
from simvirt.memory.caching import Beneath, Key, hits
from simvirt.memory.working_set import expected_loads
from simvirt.scenario.spec.models import Scenario


@dataclass(frozen=True)
class Memory:
    """The static part of a platform's memory: who is on the host, limits, hit ratios of page caches, costs of memory management.

    `follows` says that the control plane follows memory while time passes.
    """

    there: Occupancy
    limits: list[Limit]
    hits: Mapping[Key | Beneath, float]
    costs: ReclaimEntry
    follows: bool

    @property
    def followed(self) -> ReclaimEntry | None:
        """The costs of memory management where memory is followed."""
        return self.costs if self.follows else None


def memory_of(
    scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry, follows: bool, counts: Mapping[str, int] | None = None
) -> Memory:
    """The memory of a host of a scenario on a platform, with all replicas or some, at the load that Little's law expects of one."""
    every = {name: service.replicas for name, service in scenario.services.items()}
    loads = None if counts is None else expected_loads(scenario, platform, host, every)
    there = occupancy(scenario, catalog, platform, host, counts, loads)
    memory = at_rest(there)
    found = hits(scenario, there.needs, memory.page_caches(), memory.beneath)
    return Memory(there, limits(there, catalog), found, there.costs, follows)


def follows(scenario: Scenario, platform: Platform) -> bool:
    """Whether memory is followed while time passes: somebody said how much is needed, what is done when it is short, or looks at it."""
    hosts = scenario.pools.values()
    asked = any(host.swap is not None or host.ksm is not None or host.eviction is not None for host in hosts)
    asked |= platform.balloon != "none" or platform.free_page_reporting or platform.guest_swap > 0
    asked |= any(service.autoscale is not None and service.autoscale.target.of_memory for service in scenario.services.values())
    return asked or any(service.memory is not None or service.tmpfs is not None for service in scenario.services.values())

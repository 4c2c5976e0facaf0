"""Who is on a host: how many replicas of each service, on which platform, and what each needs and has to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from simvirt.catalog import Catalog
from simvirt.catalog.entries.capacity import ReclaimEntry
from simvirt.catalog.records import HostEntry, Platform, Vms
from simvirt.memory.working_set import Load, Needs, expected_loads, needs, written_by
from simvirt.scenario.order import canonical_services
from simvirt.scenario.spec.models import Scenario


@dataclass(frozen=True, slots=True)
class Occupancy:
    """Services on one host, in the order in which they are placed: replicas of each, the needs and the load of one."""

    scenario: Scenario
    platform: Platform
    host: HostEntry
    needs: Mapping[str, Needs]
    costs: ReclaimEntry
    counts: Mapping[str, int]
    loads: Mapping[str, Load]

    @property
    def shared_vms(self) -> Vms | None:
        """The VMs that replicas share; None where there are none."""
        return self.platform.vms.on(self.host) if self.platform.vms is not None and self.platform.hypervisors else None

    def with_counts(self, **counts: int) -> Occupancy:
        """So many replicas of some services and none of the others, each at the load that it has here."""
        return replace(self, counts=dict.fromkeys(self.counts, 0) | counts)


def occupancy(
    scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry, counts: Mapping[str, int] | None = None,
    loads: Mapping[str, Load] | None = None,
) -> Occupancy:
    """A scenario's replicas on a host, or other numbers of some, at the load that Little's law expects or at another."""
    given = {name: scenario.services[name].replicas for name in canonical_services(scenario)} | dict(counts or {})
    written = written_by(scenario)
    wanted = {name: _on(host, needs(catalog, service), *written.get(name, (0.0, False))) for name, service in scenario.services.items()}
    load = expected_loads(scenario, platform, host, given) if loads is None else loads
    return Occupancy(scenario, platform, host, wanted, catalog.reclaim(), given, load)


def _on(host: HostEntry, need: Needs, written: float, appended: bool) -> Needs:
    """The needs of a replica with what it writes, and with the size that a tmpfs has on a host by default: half of its memory.

    *Source*: Linux Documentation/filesystems/tmpfs.rst, size.
    """
    return replace(need, written=written, appended=appended and written > 0, tmpfs_size=min(need.tmpfs_size, host.memory / 2))

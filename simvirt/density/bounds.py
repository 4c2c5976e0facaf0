"""What n cannot exceed, known without simulating n: memory and other limits, and where a resource would be used up.

*Model*: a hard bound counts: so many bytes, addresses or ports for each instance. A soft one comes from the utilisation law: what a
    request asks of the host's CPUs, disk and NIC (platform costs included, every device operation with a kick and an interrupt of its own),
    times the requests of an instance, cannot exceed what there is; of a service that all instances share, u(n) = n u(m) / m cannot
    exceed 1. Hard bounds end the search, soft ones guide it and are never an answer.
*Source*: Denning and Buzen, The operational analysis of queueing network models, ACM Computing Surveys 10 (1978).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simvirt.analysis.demands import Demand, analyse
from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.density.copies import Unit, scaled
from simvirt.density.length import offered_per_s
from simvirt.density.trials import Point, mean_of
from simvirt.result.density_document import BoundResult
from simvirt.scenario.spec.models import Scenario

HOST = ("host.cpu", "host.disk", "host.nic")
END = "max"
"""The bound that the scenario sets to the search itself."""


@dataclass(frozen=True)
class Bound:
    """A resource, the largest n that it admits, and why."""

    resource: str
    most: int
    hard: bool
    why: str

    def typed(self) -> BoundResult:
        """The bound as it stands in a result."""
        return BoundResult(resource=self.resource, n=self.most, hard=self.hard, why=self.why)


def end_of_search(unit: Unit) -> Bound:
    """Where the scenario ends the search."""
    return Bound(END, unit.most, True, "density.max")


def lowest(bounds: Sequence[Bound]) -> Bound:
    """The bound that is reached first; of equals the first."""
    return min(bounds, key=lambda bound: bound.most)


def analytic_bounds(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit) -> list[Bound]:
    """Where the demands of the operations alone use the host's CPUs, disk and NIC up."""
    one = scaled(scenario, unit, 1)
    host = catalog.resolve_host(scenario.host)
    found = analyse(one, catalog, platform, host)
    rate = offered_per_s(one)
    total = sum((found.service(name) for name in one.services), Demand())
    background = sum(s.replicas * s.background.threads * s.background.duty for s in one.services.values() if s.background is not None)
    cores = host.sockets * host.cores * max(host.core_yield(host.smt, two) for two in (host.smt_yield, *_yields(one, catalog)))
    each, always = (0.0, background) if unit.load_only else (background, 0.0)
    uses = {
        "host.cpu": (rate * (total.cpu_s + total.io_cpu_s) + each, max(cores - always, 0.0), "cores"),
        "host.disk": (rate * total.disk_s, host.disk.channels, "channels"),
        "host.nic": (rate * max(total.out_bytes, total.in_bytes), host.nic.bandwidth / 8, "bytes/s"),
    }
    return [
        Bound(name, math.floor(min(capacity / use, 10**9)), False, f"{use:.3g} of {capacity:.4g} {what} for each instance")
        for name, (use, capacity, what) in uses.items() if use > 0
    ]


def _yields(scenario: Scenario, catalog: Catalog) -> list[float]:
    """What two busy siblings of a core yield with the software of each service, where that is known."""
    found = (catalog.profile(service).smt_yield for service in scenario.services.values())
    return [value for value in found if value is not None]


def shared_bounds(point: Point, scenario: Scenario, unit: Unit) -> list[Bound]:
    """Where services that all instances share would be used up, as their use at a simulated point has it."""
    found = []
    for name in point.outcomes[0].resources:
        used = mean_of(point.outcomes, lambda o, name=name: o.resources[name])  # type: ignore[misc]
        if used > 0 and name not in HOST and is_shared(name, scenario, unit):
            why = f"{used:.3g} of it used by {point.n}"
            found.append(Bound(name, math.floor(min(point.n / used, 10**9)), False, why))
    return found


def is_shared(resource: str, scenario: Scenario, unit: Unit) -> bool:
    """Whether a resource belongs to a service that all instances share, so that its utilisation grows with n."""
    if unit.load_only:
        return True
    service, _, _ = resource.partition(".")
    return unit.service is not None and service in scenario.services and service != unit.service

"""What n cannot exceed, known without simulating n: memory and other limits, and where a resource would be used up.

*Model*: a hard bound counts: so many bytes, addresses or ports for each instance. A soft one comes from the utilisation law: what a
    request asks of the host's CPUs, disk and NIC (platform costs included, every device operation with a kick and an interrupt of its own),
    times the requests of an instance, cannot exceed what there is; of a service that all instances share, u(n) = n u(m) / m cannot
    exceed 1. Hard bounds end the search, soft ones guide it and are never an answer.
*Source*: Denning and Buzen, The operational analysis of queueing network models, ACM Computing Surveys 10 (1978).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from simvirt.analysis.demands import Demand, analyse
from simvirt.catalog import Catalog
from simvirt.catalog.records import HostEntry, Platform
from simvirt.density.copies import Unit, scaled
from simvirt.density.hosts import parts_of, spread_out
from simvirt.density.length import offered_per_s
from simvirt.density.trials import Point, mean_of
from simvirt.result.density_document import BoundResult
from simvirt.scenario.spec.cluster import ALONE
from simvirt.scenario.spec.models import Scenario, ServiceSpec

KINDS = (".cpu", ".disk", ".nic")
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
    """Where the demands of the operations alone use CPUs, disk and NIC up: of the host, or of the first of several."""
    one = scaled(scenario, unit, 1)
    if not scenario.several_hosts:
        return _of_host(one, catalog, platform, unit, Part(ALONE, catalog.resolve_host(scenario.host), dict.fromkeys(one.services, 1.0)))
    hosts = parts_of(spread_out(scenario, catalog, platform, unit))
    speed = catalog.resolve_host(scenario.first_host).speed
    parts = (Part(host.name, host.there.host, shares, speed / host.there.host.speed) for host, shares in hosts)
    found = [_of_host(one, catalog, platform, unit, part) for part in parts]
    return list(_first_of_kind([bound for bounds in found for bound in bounds]))


def _first_of_kind(bounds: Sequence[Bound]) -> Iterator[Bound]:
    """Of several hosts' bounds the lowest of each kind."""
    for kind in KINDS:
        if alike := [bound for bound in bounds if bound.resource.endswith(kind)]:
            yield lowest(alike)


@dataclass(frozen=True)
class Part:
    """A host, its part of each service's replicas, and how many times as long CPU work takes there."""

    name: str
    host: HostEntry
    shares: Mapping[str, float]
    pace: float = 1.0


def _of_host(one: Scenario, catalog: Catalog, platform: Platform, unit: Unit, part: Part) -> list[Bound]:
    """Where a host's part of n times the demands of one instance uses it up."""
    host, shares = part.host, part.shares
    found, rate = analyse(one, catalog, platform, host), offered_per_s(one)
    total = sum((found.service(name).times(shares[name]) for name in one.services), Demand())
    background = sum(shares[name] * _background(spec) for name, spec in one.services.items() if spec.background is not None)
    cores = host.sockets * host.cores * max(host.core_yield(host.smt, two) for two in (host.smt_yield, *_yields(one, catalog)))
    each, always = (0.0, background) if unit.load_only else (background, 0.0)
    uses = {
        "cpu": (rate * part.pace * (total.cpu_s + total.io_cpu_s) + each, max(cores - always, 0.0), "cores"),
        "disk": (rate * total.disk_s, host.disk.channels, "channels"),
        "nic": (rate * max(total.out_bytes, total.in_bytes), host.nic.bandwidth / 8, "bytes/s"),
    }
    return [
        Bound(f"{part.name}.{kind}", math.floor(min(capacity / use, 10**9)), False, f"{use:.3g} of {capacity:.4g} {what} for each instance")
        for kind, (use, capacity, what) in uses.items() if use > 0
    ]


def _background(spec: ServiceSpec) -> float:
    """Cores that the background threads of a service keep busy."""
    return 0.0 if spec.background is None else spec.replicas * spec.background.threads * spec.background.duty


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

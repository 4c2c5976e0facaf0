"""The hosts of a scenario with n instances: which replicas stand on each, and what part of the load.

*Model*: replicas stand where a run places them (`simvirt.placement`), each with the load that Little's law expects of one of them all.
    Load balancing knows services, not hosts: each replica gets as many requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.density.copies import Unit, scaled
from simvirt.errors import ScenarioError
from simvirt.lowering.sites import dealt, sites_of
from simvirt.memory import Occupancy, occupancy
from simvirt.memory.working_set import expected_loads
from simvirt.scenario.order import canonical_services
from simvirt.scenario.spec.cluster import ALONE
from simvirt.scenario.spec.models import Scenario

MEMORY: Final = "memory"
EACH: Final = 8
"""Instances for each host, from whose places the hosts' parts of a large load are read off."""


@dataclass(frozen=True)
class Carrier:
    """A host, and who is on it."""

    name: str
    pool: str
    there: Occupancy


def carriers(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit, n: int) -> list[Carrier]:
    """The hosts with n instances, hosts that carry the same with one occupancy; ScenarioError where a replica finds no host."""
    at_n = scaled(scenario, unit, n)
    if not scenario.several_hosts:
        return [Carrier(ALONE, ALONE, occupancy(at_n, catalog, platform, catalog.resolve_host(scenario.host)))]
    sites, names, every = sites_of(at_n, catalog), canonical_services(at_n), {name: spec.replicas for name, spec in at_n.services.items()}
    known: dict[tuple[str, ...], Occupancy] = {}
    found = []
    for site, replicas in zip(sites, dealt(at_n, names, sites), strict=True):
        here = Counter(name for name, _ in replicas)
        counts = {name: here[name] for name in names}
        key = (site.named.pool, *map(str, counts.values()))
        if key not in known:
            known[key] = occupancy(site.view, catalog, platform, site.entry, counts, expected_loads(site.view, platform, site.entry, every))
        found.append(Carrier(site.named.name, site.named.pool, known[key]))
    return found


def pool_of(scenario: Scenario, resource: str) -> tuple[str, str] | None:
    """The pool of the host, one of several, that a resource belongs to, and its kind: `cpu`, `disk`, `nic`; None for what is no host's."""
    host, _, kind = resource.partition("].")
    pool, bracket, _ = host.partition("[")
    return (pool, kind) if kind and bracket and pool in scenario.hosts else None


def parts_of(hosts: list[Carrier]) -> list[tuple[Carrier, Mapping[str, float]]]:
    """Hosts that differ in who is on them, each with its part of every service's replicas."""
    every: Counter[str] = Counter()
    for host in hosts:
        every.update(host.there.counts)
    distinct = {id(host.there): host for host in reversed(hosts)}.values()
    return [(host, {name: count / max(every[name], 1) for name, count in host.there.counts.items()}) for host in distinct]


def spread_out(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit) -> list[Carrier]:
    """The hosts with so many instances that each of them has its part; with as many as find a host, none where not even one does."""
    n = EACH * len(scenario.each_host)
    while n:
        try:
            return carriers(scenario, catalog, platform, unit, n)
        except ScenarioError:
            n //= 2
    return []

"""Where hosts are to be, and which replicas stand on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from simvirt.catalog import Catalog
from simvirt.catalog.records import HostEntry, Platform
from simvirt.errors import Issue, ScenarioError
from simvirt.placement import POLICIES, Asked, Choice, Hosts, Policy, asked_by, hosts_of, place_all
from simvirt.placement.spread import spread
from simvirt.scenario.slots import acted_on, slots
from simvirt.scenario.spec.cluster import NamedHost, PlacementSpec
from simvirt.scenario.spec.models import Scenario

Replicas = list[tuple[str, int]]  # service, number


@dataclass(frozen=True)
class Site:
    """A host to be: what it is called and where it stands, its entry in the catalogue, the scenario as it would be on that host alone."""

    named: NamedHost
    entry: HostEntry
    view: Scenario


def sites_of(scenario: Scenario, catalog: Catalog) -> list[Site]:
    """Where the hosts of a scenario are to be."""
    views, entries = scenario.by_pool, catalog.resolve_hosts(scenario)
    return [Site(host, entry, views[host.pool]) for host, entry in zip(scenario.each_host, entries, strict=True)]


def dealt(scenario: Scenario, services: Sequence[str], sites: Sequence[Site], platform: Platform | None = None) -> list[Replicas]:
    """The replicas on each host in the order of the services, placed as on a platform; ScenarioError where some have none."""
    policy, reserves = (spread, None) if platform is None else (POLICIES[platform.places], platform.reserves)
    if scenario.placed is not None:
        return _standing(scenario.placed, services)
    there, found = [row for row, site in enumerate(sites) if not site.named.spare], [Replicas() for _ in sites]
    hosts = hosts_of([sites[row].named for row in there], [sites[row].entry for row in there])
    for name in _in_turn(scenario, services):
        spec = scenario.services[name]
        for replica, choice in enumerate(_placed(hosts, asked_by(name, spec, reserves), spec.replicas, policy)):
            if choice.host is None:
                path = ("services", name, "deploy", "placement")
                said = f"no host may take replica {replica} of {spec.replicas}: {choice.reason}{_advice(spec.deploy.placement, sites)}"
                raise ScenarioError([Issue(*scenario.locate(path), ".".join(path), said)])
            found[there[choice.host]].append((name, replica))
    return found


def _placed(hosts: Hosts, asked: Asked, count: int, policy: Policy) -> list[Choice]:
    """The hosts of replicas that are up at the beginning, even where there is no room for what is reserved for all of them."""
    found = place_all(hosts, asked, count, policy)
    if asked.reserves and found and found[-1].host is None:
        found[-1:] = place_all(hosts, replace(asked, reserves={}), count - len(found) + 1, policy)
    return found


def _in_turn(scenario: Scenario, services: Sequence[str]) -> list[str]:
    """Services in the order in which they are placed: those that stand beside others, or do not, come after these."""
    def waits(name: str, seen: tuple[str, ...] = ()) -> int:
        beside = {rule.near or rule.away_from for rule in scenario.services[name].placement.affinity}
        return max((1 + waits(other, (*seen, name)) for other in services if other in beside - {*seen, name}), default=0)
    return sorted(services, key=waits)


def spares(scenario: Scenario, platform: Platform, services: Sequence[str], sites: Sequence[Site]) -> list[Replicas]:
    """The rows of replicas that may come to live later, dealt out to all hosts in turn; they are put where they start."""
    found: list[Replicas] = [[] for _ in sites]
    if acted_on(scenario, platform):
        later = [(name, n) for name in services for n in range(scenario.services[name].replicas, slots(scenario, name))]
        for at, one in enumerate(later):
            found[at % len(sites)].append(one)
    return found


def _standing(placed: Sequence[Mapping[str, int]], services: Sequence[str]) -> list[Replicas]:
    """Replicas that stand already, numbered from host to host in turn."""
    found: list[Replicas] = [[] for _ in placed]
    for name in services:
        counts = [host.get(name, 0) for host in placed]
        turns = ((row, turn) for turn in range(max(counts, default=0)) for row, count in enumerate(counts) if turn < count)
        for replica, (row, _) in enumerate(turns):
            found[row].append((name, replica))
    return found


def _advice(asked: PlacementSpec | None, sites: Sequence[Site]) -> str:
    """What hosts have of what a constraint asks that no host is; what else there may be done."""
    for constraint in asked.constraints if asked is not None else ():
        values = {site.named.said(constraint.key) for site in sites}
        if not any((value == constraint.value) == constraint.equal for value in values):
            known = sorted(value for value in values if value is not None)
            return f"; {constraint.key} of hosts: {', '.join(known[:8]) or 'none'}{' ...' if len(known) > 8 else ''}"
    return "; expected fewer replicas, more hosts, or fewer constraints"

"""What n instances on several hosts cannot exceed, known without simulating n.

*Model*: n instances fit while each replica finds a host and no host has too little of anything that it has only so much of.
*Ignores*: an n beyond the first that does not fit, at which they do again because replicas are placed otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from simvirt.capacity.limits import Limit, limits
from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.density.bounds import Bound
from simvirt.density.copies import Unit
from simvirt.density.hosts import MEMORY, Carrier, carriers
from simvirt.errors import ScenarioError
from simvirt.lowering.memory_needs import follows
from simvirt.memory import Occupancy, footprint
from simvirt.memory.at_rest import settled
from simvirt.scenario.spec.models import Scenario
from simvirt.units import format_size

PLACEMENT: Final = "placement"
"""What ends a search where no host may take one more replica."""
FURTHER: Final = 2
"""Of what does not end the search it is said where it would, up to so many times as many instances."""


def host_limits(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit) -> list[Bound]:
    """The largest n that placement and what several hosts have only so much of admit: what ends the search, and what would soon after."""
    search = _Search(lambda n: carriers(scenario, catalog, platform, unit, n), catalog, follows(scenario, platform))
    most = largest(lambda n: not search.lacking(n), unit.most)
    if most == unit.most:
        return []
    first = search.lacking(most + 1)
    bounds = [_bound(kind, search, most) for kind in first]
    further = min(FURTHER * most + 1, unit.most)
    if further > most + 1 and PLACEMENT not in (later := search.lacking(further)):
        bounds += [_bound(kind, search, _largest_without(kind, search, most + 1, further)) for kind in later if kind not in first]
    return bounds


def largest(fits: Callable[[int], bool], most: int) -> int:
    """The largest n up to `most` that fits, 0 where none does: doubled until one does not, then by halves."""
    low, high = 0, 1
    while high <= most and fits(high):
        low, high = high, 2 * high
    return _between(fits, low, min(high, most + 1))


def _between(fits: Callable[[int], bool], low: int, high: int) -> int:
    """The largest n that fits between one that does and one that does not."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


@dataclass
class _Search:
    """What hosts have too little of at each n that was asked about."""

    hosts: Callable[[int], list[Carrier]]
    catalog: Catalog
    followed: bool
    known: dict[int, Mapping[str, tuple[str, str]]] = field(default_factory=dict)

    def lacking(self, n: int) -> Mapping[str, tuple[str, str]]:
        """What there is too little of where there are n: of each kind the first host that lacks it, and why."""
        if n not in self.known:
            self.known[n] = self._lacking(n)
        return self.known[n]

    def _lacking(self, n: int) -> dict[str, tuple[str, str]]:
        try:
            hosts = self.hosts(n)
        except ScenarioError as error:
            return {PLACEMENT: ("", error.issues[0].message)}
        found: dict[str, tuple[str, str]] = {}
        for one in {id(host.there): host for host in reversed(hosts)}.values():
            for kind, why in lacks(one.there, self.catalog, self.followed):
                found.setdefault(kind, (one.name, why))
        return found


def _largest_without(kind: str, search: _Search, low: int, high: int) -> int:
    """The largest n at which there is enough of a kind, between one at which there is and one at which there is not."""
    return _between(lambda n: not {kind, PLACEMENT} & set(search.lacking(n)), low, high)


def _bound(kind: str, search: _Search, most: int) -> Bound:
    """The bound of a kind that there is enough of for `most`."""
    host, why = search.lacking(most + 1)[kind]
    return Bound(f"{host}.{kind}" if host else kind, most, True, why)


def lacks(there: Occupancy, catalog: Catalog, followed: bool) -> Iterator[tuple[str, str]]:
    """What a host has too little of for who is on it, and how much they take."""
    replicas, memory = sum(there.counts.values()), there.host.memory
    if followed:
        kills = settled(there)[1]
        if kills:
            yield MEMORY, f"{replicas:,} replicas do not fit into {format_size(memory)}, reclaim included: {kills[0].why.partition(';')[0]}"
    elif (demand := footprint(there).demand) > memory:
        yield MEMORY, f"{replicas:,} replicas take {format_size(demand)}, there are {format_size(memory)}"
    for limit in limits(there, catalog):
        if limit.resource != MEMORY and limit.demand(there.counts) > limit.capacity:
            yield limit.resource, _too_little(limit, there.counts)


def _too_little(limit: Limit, counts: Mapping[str, int]) -> str:
    """How much of a limit replicas take, and how it is raised."""
    raised = f"; to raise it: {limit.raised}" if limit.raised else ""
    taken = f"{sum(counts.values()):,} replicas take {limit.demand(counts):,.6g}"
    return f"{taken}, there are {limit.capacity:,.6g}: {limit.source}{raised}"

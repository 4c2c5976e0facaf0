"""Each of several hosts at the answer: how many of the replicas stand on it, how full it is, and what ends it.

*Model*: what is used of CPU, disk and NIC grows with the replicas that are counted, as it was measured at the answer; memory and what
    else there is only so much of as it is counted. Of all these the one that would be used up first ends the host.
*Ignores*: that a latency may be missed long before; what background threads of other services use.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from simvirt.capacity.limits import limits
from simvirt.catalog import Catalog
from simvirt.density.copies import Unit
from simvirt.density.hosts import MEMORY, Carrier
from simvirt.density.trials import Point
from simvirt.memory import Ledger, Occupancy
from simvirt.metrics.summary import averages
from simvirt.result.density_document import HostAnswer

KINDS = ("cpu", "disk", "nic")
ENDLESS = 10**9


def each_host(
    hosts: Sequence[Carrier], ledgers: Sequence[Ledger], point: Point, unit: Unit, catalog: Catalog
) -> dict[str, HostAnswer]:
    """Hosts with their replicas and memory, and how full a simulated point had them, by their names."""
    counted: dict[int, list[tuple[int, str]]] = {}
    found = {}
    for host, ledger in zip(hosts, ledgers, strict=True):
        key = id(host.there)
        if key not in counted:
            counted[key] = list(_counted(host.there, unit, catalog))
        used = averages([outcome.hosts[host.name] for outcome in point.outcomes])
        found[host.name] = _answer(_replicas(host.there.counts, unit), used, counted[key], ledger)
    return found


def _answer(replicas: int, used: Mapping[str, float], counted: Sequence[tuple[int, str]], ledger: Ledger) -> HostAnswer:
    """A host with so many replicas, of what is counted on it with how many it would be used up."""
    rates = ((math.floor(min(replicas / used[kind], ENDLESS)), kind) for kind in KINDS if used[kind] > 0 and replicas)
    holds, ended_by = min([*rates, *counted], default=(0, "placement"))
    return HostAnswer(
        replicas=replicas, ended_by=ended_by, holds=holds, memory_bytes=ledger.demand, capacity_bytes=ledger.capacity,
        **{kind: used[kind] for kind in KINDS})


def _replicas(counts: Mapping[str, int], unit: Unit) -> int:
    """How many of the replicas that are counted there are."""
    return sum(counts.values()) if unit.service is None else counts[unit.service]


def _counted(there: Occupancy, unit: Unit, catalog: Catalog) -> Iterator[tuple[int, str]]:
    """With how many of the replicas everything would be used up of which the host has only so much, if the others stayed."""
    mine = {name: count for name, count in there.counts.items() if unit.service in (None, name)}
    others, replicas = {name: 0 if name in mine else count for name, count in there.counts.items()}, sum(mine.values())
    if not replicas:
        return
    for limit in limits(there, catalog):
        rest = limit.demand(others)
        each = (limit.demand(there.counts) - rest) / replicas
        if each > 0:
            room = limit.capacity + (there.scenario.host.swap or 0 if limit.resource == MEMORY else 0) - rest
            yield math.floor(min(max(room / each, 0.0), ENDLESS) + 1e-9), limit.resource

"""How many hosts pools that autoscale had over time, what they cost, and how long replicas waited for them.

*Model*: a host is paid for from the instant at which it is asked for until it is gone; rent is proportional to time.
*Ignores*: warm-up, as numbers of starts do; least times of rent; energy.
*Source*: own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simvirt.catalog.resolve import economy
from simvirt.control.cluster import Cluster
from simvirt.control.records import Hired, Waits
from simvirt.metrics.statistics import mean_interval
from simvirt.result.machines import MachineLevel, MachinesResult, PoolResult

S: Final = 1e9
HOUR: Final = 3600.0
HOURS_OF_A_YEAR: Final = 8766.0
SHOWN: Final = 1000
"""Levels of a pool that are in a result, at most."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """One replication until an end [ns].

    Hosts of each pool that were hired, what an hour of one costs [USD] or None, replicas that waited.
    """

    pools: Mapping[str, tuple[Hired, ...]]
    rents: Mapping[str, float | None]
    waits: tuple[Waits, ...]
    end: int


def fleet(cluster: Cluster, end: int) -> Fleet | None:
    """The hosts that came and went by an instant [ns]; None where no pool autoscales."""
    scenario = cluster.scenario
    if not scenario.machines_scale:
        return None
    names = [name for name, pool in scenario.hosts.items() if pool.autoscale is not None]
    hosts = {host.site.named.pool: host.entry for host in cluster.plane.lowered.arrangement.hosts}
    prices = {name: economy.price(cluster.catalog, scenario.hosts[name].host, hosts[name]).rent_per_year for name in names}
    rents = {name: None if year is None else year / HOURS_OF_A_YEAR for name, year in prices.items()}
    pools = {name: tuple(one for one in cluster.hired if one.pool == name) for name in names}
    return Fleet(pools, rents, tuple(cluster.waits), end)


def machines(replications: Sequence[Fleet]) -> MachinesResult:
    """Replications together."""
    services = dict.fromkeys(wait.service for one in replications for wait in one.waits)
    return MachinesResult(
        pools={name: _pool(name, replications) for name in replications[0].pools},
        waiting={name: mean_interval([_waited(one, name) / max(one.end / S, 1e-9) for one in replications]) for name in services},
        waiting_s={name: mean_interval([_waited(one, name, most=1) for one in replications]) for name in services},
    )


def _pool(name: str, found: Sequence[Fleet]) -> PoolResult:
    """A pool over replications."""
    courses, hours = [_levels(one.pools[name], one.end) for one in found], [_hours(one.pools[name], one.end) for one in found]
    rent = found[0].rents[name]
    priced: dict[str, Any] = {} if rent is None else {"cost_usd": mean_interval([spent * rent for spent in hours])}
    took = [[(one.up - one.asked) / S for one in fleet.pools[name] if one.up is not None and one.asked > 0] for fleet in found]
    return PoolResult(
        asked=mean_interval([_mean(levels, "asked", one.end) for levels, one in zip(courses, found, strict=True)]),
        up=mean_interval([_mean(levels, "up", one.end) for levels, one in zip(courses, found, strict=True)]),
        most=mean_interval([max(level.asked for level in levels) for levels in courses]), host_hours=mean_interval(hours), **priced,
        added=mean_interval([sum(one.asked > 0 for one in fleet.pools[name]) for fleet in found]),
        removed=mean_interval([sum(one.ended is not None for one in fleet.pools[name]) for fleet in found]),
        up_after_s=mean_interval([sum(times) / len(times) for times in took if times]), course=courses[0][:SHOWN],
    )


def _hours(hired: Iterable[Hired], end: int) -> float:
    """Hosts times hours until an end [ns]."""
    return sum(((end if one.ended is None else one.ended) - one.asked) / S for one in hired) / HOUR


def _levels(hired: Sequence[Hired], end: int) -> tuple[MachineLevel, ...]:
    """How many hosts there are, from each change on."""
    steps = [(one.asked, 1, 0) for one in hired]
    steps += [(one.up, 0, 1) for one in hired if one.up is not None]
    steps += [(one.ended, -1, -int(one.up is not None)) for one in hired if one.ended is not None]
    found, asked, up = {0: MachineLevel(at_s=0.0, asked=0, up=0)}, 0, 0
    for at, more, ready in sorted(step for step in steps if step[0] <= end):
        asked, up = asked + more, up + ready
        found[at] = MachineLevel(at_s=at / S, asked=asked, up=up)
    return tuple(found.values())


def _mean(levels: Sequence[MachineLevel], what: str, end: int) -> float:
    """The mean of a level over time."""
    ends = [*(level.at_s for level in levels[1:]), end / S]
    return sum(float(getattr(level, what)) * (until - level.at_s) for level, until in zip(levels, ends, strict=True)) / max(end / S, 1e-9)


def _waited(one: Fleet, service: str, most: int | None = None) -> float:
    """Replicas of a service that waited for a host times how long [s]; each instant counts `most` of them, where that is said."""
    mine = [wait for wait in one.waits if wait.service == service]
    ends = [*(wait.at for wait in mine[1:]), one.end]
    counted = [wait.replicas if most is None else min(wait.replicas, most) for wait in mine]
    return sum(many * (until - wait.at) / S for many, wait, until in zip(counted, mine, ends, strict=True))

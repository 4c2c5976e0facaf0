"""How a balancer divides traffic among groups of hosts by their health: priorities, panic, localities.

*Model*: Envoy's, in its whole numbers. The health of a priority is its share of healthy hosts times an overprovisioning factor, at most
    100; a priority gets its health, scaled where all together have less than 100, until nothing is left, and what rounding leaves goes to
    the first that has some. Degraded hosts come after all healthy ones. A priority with a smaller share than a threshold is in panic,
    unless all together have enough; where all are, load goes by numbers of hosts. The weight of a locality falls with its health.
*Ignores*: excluded hosts; zone-aware routing.
*Source*: envoyproxy/envoy source/common/upstream/load_balancer_impl.cc (distributeLoad, recalculatePerPriorityState,
    recalculatePerPriorityPanic, recalculateLoadInTotalPanic), upstream_impl.cc (effectiveLocalityWeight).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

OVERPROVISIONING: Final = 1.4
PANIC_PCT: Final = 50.0
"""healthy_panic_threshold by default [%]."""


@dataclass(frozen=True, slots=True)
class Priority:
    """A priority level: shares of its hosts [%], and how many there are."""

    healthy_pct: float
    degraded_pct: float = 0.0
    hosts: int = 1


@dataclass(frozen=True, slots=True)
class Shares:
    """Traffic of each priority [%], to healthy and to degraded hosts; which are in panic; the total health, at most 100."""

    healthy: tuple[int, ...]
    degraded: tuple[int, ...]
    panic: tuple[bool, ...]
    total: int

    @property
    def traffic(self) -> tuple[int, ...]:
        """Traffic of each priority [%]."""
        return tuple(a + b for a, b in zip(self.healthy, self.degraded, strict=True))


def health(pct: float, factor: float) -> int:
    """Health of a share of hosts."""
    return min(100, int(round(factor * 100) * pct / 100.0 + 1e-9))


def shares_of(priorities: Sequence[Priority], factor: float = OVERPROVISIONING, panic_pct: float = PANIC_PCT) -> Shares:
    """How traffic is divided among priorities."""
    well = [health(one.healthy_pct, factor) for one in priorities]
    degraded = [health(one.degraded_pct, factor) for one in priorities]
    total = min(100, sum(well) + sum(degraded))
    threshold = min(100.0, panic_pct)
    panic = [total < 100 and one.healthy_pct + one.degraded_pct < threshold for one in priorities]
    none = (0,) * len(priorities)
    if all(panic):
        return Shares(by_hosts(priorities), none, tuple(panic), total)
    if total == 0:
        return Shares((100, *none[1:]), none, tuple(panic), total)
    mine, left = distributed(well, 100, total)
    theirs, left = distributed(degraded, left, total)
    most = mine if any(well) else theirs
    most[next(at for at, value in enumerate(well if any(well) else degraded) if value > 0)] += left
    return Shares(tuple(mine), tuple(theirs), tuple(panic), total)


def distributed(availability: Sequence[int], load: int, total: int) -> tuple[list[int], int]:
    """Load by availability until nothing is left, and what is left."""
    found = []
    for value in availability:
        found.append(min(load, value * 100 // total))
        load -= found[-1]
    return found, load


def by_hosts(priorities: Sequence[Priority]) -> tuple[int, ...]:
    """Load by numbers of hosts, whatever their health: what holds when all priorities are in panic."""
    hosts = sum(one.hosts for one in priorities)
    if hosts == 0:
        return (100, *(0,) * (len(priorities) - 1))
    found = [100 * one.hosts // hosts for one in priorities]
    found[next(at for at, one in enumerate(priorities) if one.hosts > 0)] += 100 - sum(found)
    return tuple(found)


def locality_weights(weights: Sequence[float], healthy_pct: Sequence[float], factor: float = OVERPROVISIONING) -> list[float]:
    """Effective weights of localities: full as long as the overprovisioning factor covers what is not healthy."""
    return [weight * min(1.0, factor * pct / 100.0) for weight, pct in zip(weights, healthy_pct, strict=True)]


def locality_shares(weights: Sequence[float], healthy_pct: Sequence[float], factor: float = OVERPROVISIONING) -> list[float]:
    """Traffic of localities [%]; none where no host is healthy."""
    found = locality_weights(weights, healthy_pct, factor)
    total = sum(found)
    return [100.0 * weight / total if total > 0 else 0.0 for weight in found]

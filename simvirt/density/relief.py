"""Which resource binds: the one that, made twice as large, lets the objective hold again, or brings it nearest to that.

*Model*: the first n that misses the objective is simulated again with the same draws and each candidate doubled (`density.doubling`),
    one at a time; the host's memory where some of it had to be reclaimed. What helps most binds.
    There cannot be more of a lock: where nothing else helps and requests wait for locks more than for anything else, the lock that is
    held most binds.
*Ignores*: pairs of resources that only help together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simvirt.density.doubling import TIMES, doubled
from simvirt.density.hosts import MEMORY, pool_of
from simvirt.density.judge import Check, checks_of, piling_up
from simvirt.density.trials import FIRST, Point, Trials, mean_of
from simvirt.lowering.locks import is_lock
from simvirt.metrics.outcome import CATEGORIES
from simvirt.result.density_document import ReliefResult

USED = 0.3
"""Utilisation from which a resource is a candidate."""
MOST_CANDIDATES = 4
HELPS = 0.9
"""What an excess must fall to for a resource to have helped at all."""
TAKEN = ("swapped_out_bytes", "compressed_bytes", "ballooned_bytes")
REQUEST = "request"
"""What binds where no resource helps: the work of one request alone takes too long."""


@dataclass(frozen=True)
class Relief:
    """What became of the worst check at n when a resource was doubled."""

    resource: str
    excess: float
    check: Check | None
    holds: bool

    def typed(self) -> ReliefResult:
        """The relief as it stands in a result."""
        if self.check is None:
            return ReliefResult(resource=self.resource, times=TIMES, holds=self.holds)
        found, value = self.check, self.check.estimate.value
        return ReliefResult(resource=self.resource, times=TIMES, holds=self.holds, check=found.name, limit=found.limit, value=value)


def reliefs(trials: Trials, point: Point) -> list[Relief]:
    """All candidates doubled in turn, the most helpful first."""
    found = [_relieved(trials, point, name) for name in candidates(point, _reclaims(point))]
    return sorted((r for r in found if r is not None), key=lambda r: r.excess)


def _reclaims(point: Point) -> bool:
    """Whether the host had to reclaim memory."""
    return any(o.reclaim is not None and any(o.reclaim[0][key] for key in TAKEN) for o in point.outcomes)


def candidates(point: Point, short: bool = False) -> list[str]:
    """Resources that are used so much that they could bind, the busiest first; the busiest of all in any case; memory where it is short."""
    names = point.outcomes[0].resources
    used = {name: mean_of(point.outcomes, lambda o, name=name: o.resources[name]) for name in names}  # type: ignore[misc]
    busiest = _one_of_a_pool(point, sorted(used, key=lambda name: -used[name]))
    found = [name for place, name in enumerate(busiest) if used[name] >= USED or place == 0][:MOST_CANDIDATES]
    return [MEMORY, *found] if short else found


def _one_of_a_pool(point: Point, busiest: Sequence[str]) -> list[str]:
    """Resources, of those that hosts of a pool have of a kind the busiest alone."""
    kinds = [pool_of(point.scenario, name) for name in busiest]
    return [name for place, name in enumerate(busiest) if kinds[place] is None or kinds[place] not in kinds[:place]]


def lock_of(point: Point) -> str | None:
    """The lock that is held most, where requests wait longer for locks than for anything else, or compute; None otherwise."""
    spent = {name: mean_of(point.outcomes, lambda o, name=name: o.breakdown_s[name] or 0.0) for name in CATEGORIES}  # type: ignore[misc]
    if spent["lock"] <= 0 or spent["lock"] < max(spent.values()):
        return None
    locks = filter(is_lock, point.outcomes[0].resources)
    return max(locks, key=lambda name: mean_of(point.outcomes, lambda o: o.resources[name]), default=None)


def excess_of(point: Point) -> tuple[float, Check | None]:
    """By what factor the worst check misses its limit; without end where requests pile up."""
    assert point.scenario.objective is not None
    checks = checks_of(point.scenario.objective, point.outcomes)
    worst = max(checks, key=lambda check: check.excess, default=None)
    if piling_up(point.measured):
        return float("inf"), worst
    return (worst.excess if worst is not None else 0.0), worst


def _relieved(trials: Trials, point: Point, resource: str) -> Relief | None:
    """The point once more with a resource doubled; None where there is nothing to double."""
    more = doubled(point.scenario, trials.catalog, trials.platform, resource)
    if more is None:
        return None
    again = Point(point.n, more.scenario, point.duration_ns, point.times, point.cut)
    twin = Trials(more.scenario, more.catalog, more.platform, trials.unit, trials.pool, trials.halt)
    twin.add(again, FIRST)
    trials.simulations += twin.simulations
    excess, check = excess_of(again)
    return Relief(resource, excess, check, excess <= 1.0)

"""How long a simulation has to be for its quantile to mean something, and when going on is hopeless.

*Model*: `BEYOND` requests beyond the quantile of an objective in each replication; `LIMITS` times the longest latency allowed, so that
    what is under way at the end is no part of the tail; `PERIODS` of the longest quota; and, as latencies of neighbours are alike,
    1 / 2 (1 - q) relaxation times (`RELAXATIONS` for a mean) of a queue at the present utilisation u that answers X requests/s at most,
    1 / (X (1 - sqrt u)^2), but no more than at the utilisation where its quantile is at the limit, and `MOST_REQUESTS`. A load that
    varies is simulated for `run.duration`, which has to cover its cycle.
*Ignores*: slow processes that no limit and no quota gives away.
*Source*: relaxation time of M/M/1: Cohen, The Single Server Queue, 1982, section I.4.4 (heavy traffic: any number of servers); tail of
    the wait in heavy traffic: Kingman 1962.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from simvirt.metrics.statistics import QUANTILES
from simvirt.scenario.spec.experiment import parts_of
from simvirt.scenario.spec.models import ObjectiveSpec, Scenario

BEYOND = 100
LEAST_REQUESTS = 5_000
MOST_REQUESTS = 100_000
LIMITS = 50
PERIODS = 30
RELAXATIONS = 20
WARMUP = 5  # the first fifth is not measured
LEAST_NS = 100_000_000


@dataclass(frozen=True)
class Pressure:
    """How near a system is to saturation: the requests/s that it answers at most, and its utilisation at the present load."""

    most_per_s: float
    utilisation: float


def quantile_of(limit: str) -> float | None:
    """The quantile that a limit of an objective is about; None for a mean, a throughput or rejections."""
    return QUANTILES.get(parts_of(limit)[0].removeprefix("latency_"))


def share_of(limit: str, mix: Mapping[str, float]) -> float:
    """The share of the requests that a limit is about."""
    operation = parts_of(limit)[1]
    return 1.0 if operation is None else mix.get(operation, 0.0) / math.fsum(mix.values())


def longest_limit_ns(objective: ObjectiveSpec) -> float:
    """The longest latency that the objective allows [ns], 0 where it says nothing of latencies."""
    return max((limit for name, limit in objective.limits.items() if name.startswith("latency")), default=0.0)


def requests_needed(objective: ObjectiveSpec, mix: Mapping[str, float]) -> int:
    """Requests that a replication needs, so that each limit has enough of those that it is about."""
    shares = {name: share_of(name, mix) for name in objective.limits}
    quantiles = ((name, q) for name in shares if (q := quantile_of(name)) is not None and shares[name])
    needed = [math.ceil(BEYOND / (1 - q) / shares[name]) for name, q in quantiles]
    return max([LEAST_REQUESTS, *needed])


def duration_ns(scenario: Scenario, rate_per_s: float, pressure: Pressure | None) -> int:
    """Simulated time of a replication of a scenario that is offered `rate_per_s` [ns]."""
    assert scenario.objective is not None and scenario.workload is not None
    if varies(scenario):
        return int(scenario.run.duration or requests_needed(scenario.objective, scenario.mix) / rate_per_s * 1e9)
    limit = longest_limit_ns(scenario.objective)
    period = max((s.period_ns for s in scenario.services.values() if s.quota_ns is not None), default=0)
    wanted = max(requests_needed(scenario.objective, scenario.mix) / rate_per_s * 1e9, LIMITS * limit, PERIODS * period, LEAST_NS)
    if pressure is not None and limit > 0:
        wanted = max(wanted, min(_forgotten_ns(scenario.objective, pressure), MOST_REQUESTS / rate_per_s * 1e9))
    return math.ceil(wanted)


def varies(scenario: Scenario) -> bool:
    """Whether the rate of arrivals changes over time."""
    stream = scenario.workload.open if scenario.workload is not None else None
    return stream is not None and stream.rate is None


def _forgotten_ns(objective: ObjectiveSpec, pressure: Pressure) -> float:
    """Time that the strictest limit needs for a queue to forget its past often enough [ns]."""
    root = 1 - math.sqrt(min(pressure.utilisation, 1.0))
    now = 1 / (pressure.most_per_s * root * root) if root > 0 else math.inf
    longest = 0.0
    for name, limit in objective.limits.items():
        if name.startswith("latency"):
            q = quantile_of(name)
            tail, times = (-math.log1p(-q), 0.5 / (1 - q)) if q is not None else (1.0, RELAXATIONS)
            longest = max(longest, times * min(now, 4 * pressure.most_per_s * (limit / 1e9 / tail) ** 2))
    return longest * 1e9


def offered_per_s(scenario: Scenario) -> float:
    """Requests per second of an open load; of clients the least that they ask for where every answer meets the objective."""
    assert scenario.workload is not None and scenario.objective is not None
    closed = scenario.workload.closed
    if closed is None:
        assert scenario.workload.open is not None
        return scenario.workload.open.mean_rate
    cycle = (closed.think.mean + longest_limit_ns(scenario.objective)) / 1e9
    return closed.clients / max(cycle, 1e-6)

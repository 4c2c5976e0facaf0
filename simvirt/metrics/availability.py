"""How available a system was: requests answered in time over those that ended, interval by interval; failures and their blast radius.

*Model*: a request counts in the interval in which it ends. It is in time where it is answered within the longest latency that the objective
    states, or at all where it states none. An interval is down where more than a tenth of its requests were not answered in time.
*Ignores*: requests that are under way at the end.
*Source*: Google Cloud Run SLA: downtime is an error rate of more than ten per cent.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simvirt.control.cluster import Cluster
from simvirt.control.outages import KEPT as SHOWN
from simvirt.control.outages import Outage
from simvirt.gauges import Mark
from simvirt.kernel import constants as k
from simvirt.metrics.statistics import bucket_bounds, mean_interval
from simvirt.plane import DataPlane
from simvirt.result.availability import Availability, OutageResult, ServiceAvailability
from simvirt.result.document import Estimate
from simvirt.scenario.spec.models import Scenario

S: Final = 1e9
DOWN: Final = 0.1
"""Requests not answered in time, of those of an interval that is down."""
CAUSES: Final = {
    "lost": k.LOST, "unanswered": k.UNANSWERED, "timed_out": k.TIMED_OUT, "breaker_open": k.BREAKER_OPEN, "pool_full": k.POOL_FULL,
    "shed": k.SHED,
}
"""Why requests fail, by the number that the kernel has for it."""


@dataclass(frozen=True)
class Course:
    """One replication: ends of its intervals [ns], requests that ended in each and those of them in time; causes; services; failures.

    `causes` are numbers of requests over the whole run, `asked` all that ended in it; `answered` and `ready` ratios by service; `outages`
    are the first of so many `failures`.
    """

    ends: tuple[int, ...]
    ended: np.ndarray
    in_time: np.ndarray
    asked: int
    causes: Mapping[str, int]
    answered: Mapping[str, float]
    ready: Mapping[str, float]
    outages: tuple[OutageResult, ...]
    failures: int


def limit_ns(scenario: Scenario) -> float | None:
    """The longest latency that the objective states [ns]; None without one."""
    limits = scenario.objective.limits if scenario.objective is not None else {}
    return max((limit for name, limit in limits.items() if name.startswith("latency_") and ":" not in name), default=None)


def course(plane: DataPlane, marks: Sequence[Mark], end: Mark, cluster: Cluster) -> Course:
    """What marks of a replication show of its availability."""
    seen = [*(mark for mark in marks if mark.at < end.at), end]
    lost = np.array([float((mark.rejected + mark.failed).sum()) for mark in seen])
    answered = np.array([float(mark.completed.sum()) for mark in seen])
    limit = limit_ns(plane.lowered.scenario)
    timely = answered if limit is None else np.array([_within(mark.histogram.sum(axis=0), limit) for mark in seen])
    return Course(
        tuple(mark.at for mark in seen), np.diff(answered + lost), np.diff(timely), int(answered[-1] + lost[-1]), _causes(plane, end),
        _answered(plane), _ready(plane, cluster, end.at), tuple(map(_outage, cluster.outages[:SHOWN])), cluster.outages.happened,
    )


def _within(histogram: np.ndarray, limit: float) -> float:
    """How many latencies of a histogram are within a limit [ns]; those of the limit's own bucket by their share of it."""
    used = np.flatnonzero(histogram)
    lower, width = bucket_bounds(used)
    share = np.clip((limit - lower + 1) / width, 0.0, 1.0)
    return float(histogram[used] @ share)


def _causes(plane: DataPlane, end: Mark) -> dict[str, int]:
    """Requests that were not answered, by cause."""
    table = plane.read("tallies", "causes").reshape(-1, k.CAUSES).sum(axis=0)
    return {"rejected": int(end.rejected.sum()), **{name: int(table[number]) for name, number in CAUSES.items()}}


def _answered(plane: DataPlane) -> dict[str, float]:
    """The ratio of each service's calls that were answered; 1 where none came."""
    completed, failed = plane.read("services", "completed"), plane.read("services", "failed")
    return {
        name: float(completed[row] / max(completed[row] + failed[row], 1)) if completed[row] + failed[row] else 1.0
        for row, name in enumerate(plane.lowered.services) if name in plane.lowered.scenario.services
    }


def _ready(plane: DataPlane, cluster: Cluster, end: int) -> dict[str, float]:
    """The ratio of the time in which a service's instances were ready."""
    down = Counter(cluster.outages.folded)
    for outage in cluster.outages:
        down.update(outage.down(end))
    return {
        name: max(1.0 - down[name] / (end * spec.replicas), 0.0) if end else 1.0
        for name, spec in plane.lowered.scenario.services.items()
    }


def _outage(outage: Outage) -> OutageResult:
    """A failure as a result."""
    back = [outage.back.get(name) for name in outage.names]
    recovered = None if None in back else max((at for at in back if at is not None), default=None)
    return OutageResult(
        at_s=outage.at / S, how=outage.how, where=outage.where, instances=outage.names,
        requests=outage.requests, noticed_after_s=None if outage.noticed is None else (outage.noticed - outage.at) / S,
        recovered_after_s=None if recovered is None else (recovered - outage.at) / S,
    )


# --- over replications ---------------------------------------------------------------------------------------------------------


def availability(scenario: Scenario, courses: Sequence[Course]) -> Availability:
    """Replications together."""
    limit, first = limit_ns(scenario), courses[0]
    goal = scenario.failures.goal if scenario.failures is not None else None
    missing = [1.0 - _ratio(one.in_time.sum(), one.ended.sum()) for one in courses]
    used = {} if goal is None else {"budget_used": _mean([share / (1.0 - goal) for share in missing])}
    return Availability(
        **used,
        limit_s=None if limit is None else limit / S,
        answered=_mean([_ratio(one.in_time.sum(), one.ended.sum()) for one in courses]),
        downtime_s=_mean([_down_s(one) for one in courses]), worst=_mean([_worst(one) for one in courses]),
        causes={name: _mean([_ratio(one.causes[name], one.asked) for one in courses]) for name in first.causes},
        services={name: ServiceAvailability(answered=_mean([one.answered[name] for one in courses]),
                                            ready=_mean([one.ready[name] for one in courses])) for name in first.answered},
        interval_s=max(np.diff(first.ends), default=0) / S, strip=_strip(courses),
        failures=sum(one.failures for one in courses) / len(courses), outages=first.outages,
    )


def _ratio(part: float, whole: float) -> float:
    """A part of a whole; nan of nothing."""
    return float(part / whole) if whole else math.nan


def _mean(values: Sequence[float]) -> Estimate:
    """The mean over replications with its interval, of those that know it."""
    return mean_interval([value for value in values if math.isfinite(value)])


def _down_s(one: Course) -> float:
    """The time of the intervals that are down [s]."""
    lengths = np.diff(one.ends)
    return float(lengths[one.in_time < (1 - DOWN) * one.ended].sum()) / S


def _worst(one: Course) -> float:
    """The least ratio of an interval in which requests ended."""
    some = one.ended > 0
    return float((one.in_time[some] / one.ended[some]).min()) if some.any() else math.nan


def _strip(courses: Sequence[Course]) -> tuple[float | None, ...]:
    """The ratio in each interval, where all replications have the same ones; those of the first otherwise."""
    alike = [one for one in courses if one.ends == courses[0].ends]
    ended, timely = (np.sum([getattr(one, name) for one in alike], axis=0) for name in ("ended", "in_time"))
    return tuple(float(part / whole) if whole else None for part, whole in zip(timely, ended, strict=True))

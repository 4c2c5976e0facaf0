"""The life of instances as numbers: when those that were started are ready, and which phases that took, as intervals over replications.

*Model*: of starts that are not kept whole (`control/lives.py`) times until ready are known to 1/64, all else as exactly as of the others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from simvirt.control.lives import Lives, PhaseSum
from simvirt.control.records import Life, Span, way_to
from simvirt.metrics.statistics import N_BUCKETS, bucket_of, mean_interval, quantile
from simvirt.result.document import UNKNOWN, Estimate
from simvirt.result.lifecycle import Lifecycle, PhaseResult, Readiness, ServiceReadiness

S = 1e9
Name = tuple[str, str]  # layer, phase
QUANTILES = {"first": 0.0, "p50": 0.5, "p90": 0.9, "p99": 0.99, "last": 1.0}


def lifecycle(replications: Sequence[Lives]) -> Lifecycle:
    """The starts of instances, one sequence a replication."""
    names = dict.fromkeys(name for lives in replications for name in (*(life.service for life in lives), *lives.folded))
    return Lifecycle(
        started=sum(lives.started for lives in replications) / len(replications), ready=ready_of(replications),
        readiness_s=readiness(replications), services={name: _service(name, replications) for name in names},
        phases=tuple(_phases(replications)),
    )


def ready_of(replications: Sequence[Lives]) -> float:
    """How many are ready in the end, on average."""
    return sum(lives.started - lives.unready for lives in replications) / len(replications)


def _service(name: str, replications: Sequence[Lives]) -> ServiceReadiness:
    """The instances of a service."""
    mine = [lives.of(name) for lives in replications]
    return ServiceReadiness(started=sum(one.started for one in mine) / len(mine), ready=ready_of(mine), ready_s=readiness(mine))


def readiness(replications: Sequence[Lives]) -> Readiness:
    """After how long instances are ready: the mean of each replication's quantile, with its interval; those that are not take for ever."""
    return Readiness(**{name: _quantile(replications, q) for name, q in QUANTILES.items()})


def _quantile(replications: Sequence[Lives], q: float) -> Estimate:
    """The mean of a quantile over replications; unknown where an instance of it is not ready in one of them."""
    found = [_among_all(lives, q) if lives.folded else _among_kept(lives, q) for lives in replications]
    return UNKNOWN if math.inf in found else mean_interval(found)


def _among_kept(lives: Lives, q: float) -> float:
    """A quantile of starts that are all whole."""
    times = [taken(life) if life.ready is not None else math.inf for life in lives]
    return float(np.quantile(times, q, method="inverted_cdf")) if times else math.nan


def _among_all(lives: Lives, q: float) -> float:
    """A quantile of starts some of which are numbers in a histogram."""
    ready = lives.started - lives.unready
    if (rank := max(math.ceil(q * lives.started), 1)) > ready:
        return math.inf
    whole = [life.took for life in lives if life.ready is not None]
    counts = np.zeros(N_BUCKETS, dtype=np.int64)
    for bucket, many in (*((bucket_of(took), 1) for took in whole), *(item for one in lives.folded.values() for item in one.times.items())):
        counts[bucket] += many
    fastest = min([*whole, *(one.fastest for one in lives.folded.values() if one.fastest is not None)])
    slowest = max([*whole, *(one.slowest for one in lives.folded.values())])
    inside = {0.0: fastest, 1.0: slowest}
    return inside[q] / S if q in inside else quantile(counts, rank / ready, (fastest, slowest)) or 0.0


def taken(life: Life) -> float:
    """From the instant at which an instance was asked for to that at which it was ready, or its last phase so far ended [s]."""
    return life.took / S


def _phases(replications: Sequence[Lives]) -> list[PhaseResult]:
    """The phases of all starts, in the order in which instances met them; each also on the way to the end of the slowest start."""
    every = [_with_folded(summed(span for life in lives for span in life.spans), lives) for lives in replications]
    slowest = [summed(_slowest_way(lives)) for lives in replications]
    names = dict.fromkeys(name for one in (*slowest, *every) for name in one)
    none = PhaseSum()
    return [_phase(name, [one.get(name, none) for one in every], [one.get(name, none) for one in slowest]) for name in names]


def _slowest_way(lives: Lives) -> list[Span]:
    """The phases that led to the end of the slowest start; none without starts."""
    known = [*lives, *([] if lives.slowest is None else [lives.slowest])]
    return way_to(max(known, key=taken), lives) if known else []


def _with_folded(found: dict[Name, PhaseSum], lives: Lives) -> dict[Name, PhaseSum]:
    """Sums by layer and phase, with those of starts that are not kept."""
    for name, more in lives.phases.items():
        mine = found.setdefault(name, PhaseSum())
        mine.met, mine.spent, mine.waited = mine.met + more.met, mine.spent + more.spent, mine.waited + more.waited
    return found


def summed(spans: Iterable[Span]) -> dict[Name, PhaseSum]:
    """Sums of spans by layer and phase."""
    found: dict[Name, PhaseSum] = {}
    for span in spans:
        found.setdefault((span.layer, span.phase), PhaseSum()).add(span)
    return found


def _phase(name: Name, every: Sequence[PhaseSum], slowest: Sequence[PhaseSum]) -> PhaseResult:
    """A phase over replications."""
    return PhaseResult(
        layer=name[0], phase=name[1], last_s=mean_interval([one.spent / S for one in slowest]),
        waited_s=mean_interval([one.waited / S for one in slowest]),
        mean_s=mean_interval([one.spent / S / one.met if one.met else None for one in every]),
        mean_waited_s=mean_interval([one.waited / S / one.met if one.met else None for one in every]),
        instances=sum(one.met for one in every) / len(every),
    )

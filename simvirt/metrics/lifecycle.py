"""The life of instances as numbers: when those that were started are ready, and which phases that took, as intervals over replications."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from simvirt.control.records import Life, Span, way_to
from simvirt.metrics.statistics import mean_interval
from simvirt.result.document import UNKNOWN, Estimate
from simvirt.result.lifecycle import Lifecycle, PhaseResult, Readiness, ServiceReadiness

S = 1e9
Name = tuple[str, str]  # layer, phase
Lives = Sequence[Life]
QUANTILES = {"first": 0.0, "p50": 0.5, "p90": 0.9, "p99": 0.99, "last": 1.0}


def lifecycle(replications: Sequence[Lives]) -> Lifecycle:
    """The starts of instances, one sequence a replication."""
    names = dict.fromkeys(life.service for lives in replications for life in lives)
    return Lifecycle(
        started=sum(map(len, replications)) / len(replications), ready=ready_of(replications),
        readiness_s=readiness(replications), services={name: _service(name, replications) for name in names},
        phases=tuple(_phases(replications)),
    )


def ready_of(replications: Sequence[Lives]) -> float:
    """How many are ready in the end, on average."""
    return sum(life.ready is not None for lives in replications for life in lives) / len(replications)


def _service(name: str, replications: Sequence[Lives]) -> ServiceReadiness:
    """The instances of a service."""
    mine = [[life for life in lives if life.service == name] for lives in replications]
    return ServiceReadiness(started=sum(map(len, mine)) / len(mine), ready=ready_of(mine), ready_s=readiness(mine))


def readiness(replications: Sequence[Lives]) -> Readiness:
    """After how long instances are ready: the mean of each replication's quantile, with its interval; those that are not take for ever."""
    times = [[taken(life) if life.ready is not None else math.inf for life in lives] for lives in replications]
    return Readiness(**{name: _quantile(times, q) for name, q in QUANTILES.items()})


def _quantile(times: Sequence[Sequence[float]], q: float) -> Estimate:
    """The mean of a quantile over replications; unknown where an instance of it is not ready in one of them."""
    found = [float(np.quantile(one, q, method="inverted_cdf")) if one else math.nan for one in times]
    return UNKNOWN if math.inf in found else mean_interval(found)


def taken(life: Life) -> float:
    """From the instant at which an instance was asked for to that at which it was ready, or its last phase so far ended [s]."""
    ended = life.ready if life.ready is not None else max((span.ended for span in life.spans), default=life.asked)
    return (ended - life.asked) / S


def _phases(replications: Sequence[Lives]) -> list[PhaseResult]:
    """The phases of all starts, in the order in which instances met them; each also on the way to the end of the slowest start."""
    every = [named(span for life in lives for span in life.spans) for lives in replications]
    slowest = [named(way_to(max(lives, key=taken), lives)) if lives else {} for lives in replications]
    names = dict.fromkeys(name for one in (*slowest, *every) for name in one)
    return [_phase(name, [one.get(name, []) for one in every], [one.get(name, []) for one in slowest]) for name in names]


def named(spans: Iterable[Span]) -> Mapping[Name, list[Span]]:
    """Spans by layer and phase."""
    found: dict[Name, list[Span]] = {}
    for span in spans:
        found.setdefault((span.layer, span.phase), []).append(span)
    return found


def _phase(name: Name, every: Sequence[Sequence[Span]], slowest: Sequence[Sequence[Span]]) -> PhaseResult:
    """A phase over replications."""
    met = [len(spans) for spans in every]
    return PhaseResult(
        layer=name[0], phase=name[1], last_s=mean_interval([_spent(spans) for spans in slowest]),
        waited_s=mean_interval([_waited(spans) for spans in slowest]),
        mean_s=mean_interval([_spent(spans) / n if n else None for spans, n in zip(every, met, strict=True)]),
        mean_waited_s=mean_interval([_waited(spans) / n if n else None for spans, n in zip(every, met, strict=True)]),
        instances=sum(met) / len(met),
    )


def _spent(spans: Sequence[Span]) -> float:
    """Time from when phases were due to their ends [s]."""
    return sum(span.ended - span.due for span in spans) / S


def _waited(spans: Sequence[Span]) -> float:
    """The part of it before they began [s]."""
    return sum(span.began - span.due for span in spans) / S

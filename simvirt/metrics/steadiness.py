"""Whether replications are long against the memory of their latencies, and how sure the mean of one is by itself.

*Model*: latencies in order of the answers, as means of batches after the warm-up. Their integrated autocorrelation time is the time after
    which a latency is news; a run of an open, steady load forgets no faster than a queue at the utilisation u of its fullest resource,
    1 / (X (1 - sqrt u)^2) with X the throughput at u = 1, as long as the data do not contradict (`DOUBT` times their own figure).
*Ignores*: slow processes that leave no trace in the latencies of the run.
*Source*: Sokal, Monte Carlo Methods in Statistical Mechanics, 1997 (integrated autocorrelation time, windows of 5 times it, runs of many
    times it); Cohen, The Single Server Queue, 1982, section I.4.4 (relaxation time of M/M/1, heavy traffic).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simvirt.metrics.outcome import Outcome
from simvirt.metrics.statistics import share_above
from simvirt.scenario.spec.models import Scenario

PIECES: Final = 1024
"""Means of batches that are kept of a replication at most."""
WINDOW: Final = 5
DOUBT: Final = 4
LEAST: Final = 20
"""Relaxation times that a replication has to cover, else its intervals cover the truth too seldom; by simulation of M/M/1."""
WANTED: Final = 80
"""Relaxation times of a run whose length is the program's choice; one of half as many is left as it is."""
SURE: Final = 1e-3
"""A standard error of the mean latency, over the mean, at which the length of a run matters no more."""
Series = NDArray[np.float64]


def reduced(means: Series, most: int = PIECES) -> Series:
    """Means of neighbours, so many that at most `most` are left; an incomplete last group is left out."""
    size = max(1, -(-len(means) // most))
    n = len(means) // size
    found: Series = means[: n * size].reshape(n, size).mean(axis=1)
    return found


def correlation_time(series: Sequence[Series]) -> float:
    """Integrated autocorrelation time of equally likely series, 1 + 2 sum of the autocorrelations, in steps; at least 1."""
    n = min((len(one) for one in series), default=0)
    if n < 2:
        return 1.0
    covariance = np.mean([_autocovariance(one[:n]) for one in series], axis=0)
    if covariance[0] <= 0:
        return 1.0
    times = 1 + 2 * np.cumsum(covariance[1:] / covariance[0])
    wide = np.flatnonzero(np.arange(1, n) >= WINDOW * times)
    return max(1.0, float(times[wide[0] if len(wide) else -1]))


def _autocovariance(one: Series) -> Series:
    """Autocovariance at each lag, around the series' own mean."""
    n, about = len(one), one - one.mean()
    spectrum = np.fft.rfft(about, 2 * n)
    found: Series = np.fft.irfft(spectrum * np.conj(spectrum), 2 * n)[:n] / np.arange(n, 0, -1)
    return found


def own_variance(outcomes: Sequence[Outcome]) -> float:
    """Variance of a replication's mean latency as its own batches show it, on average [s^2]; 0 where they are too few."""
    series = [o.batches_s for o in outcomes if len(o.batches_s) >= 2 * LEAST]
    if not series:
        return 0.0
    steps = correlation_time(series)
    return float(np.mean([one.var(ddof=1) * steps / len(one) for one in series]))


def variance_of_share(outcomes: Sequence[Outcome], value_s: float) -> float:
    """Variance of the share of a replication's latencies above a value [s], as its own pieces show it; 0 where they are too few."""
    parts = [o.pieces for o in outcomes if len(o.pieces) >= LEAST]
    if not parts:
        return 0.0
    counts = [(share_above(part, value_s), part.sum(axis=1)) for part in parts]
    share = sum(float(above.sum()) for above, _ in counts) / max(sum(int(n.sum()) for _, n in counts), 1)
    series = [(above - share * n) / max(float(n.mean()), 1.0) for above, n in counts]
    steps = correlation_time(series)
    return float(np.mean([one.var(ddof=1) * steps / len(one) for one in series]))


@dataclass(frozen=True)
class Course:
    """How long replications are [s], and the time after which they have forgotten their past [s]."""

    simulated_s: float
    relaxation_s: float

    @property
    def short(self) -> bool:
        """Whether a replication is too short for its intervals to be believed."""
        return self.simulated_s < LEAST * self.relaxation_s

    @property
    def short_of_wish(self) -> bool:
        """Whether a length that is the program's choice should be longer."""
        return self.simulated_s < WANTED / 2 * self.relaxation_s

    @property
    def short_by(self) -> float:
        """By what factor it has to be longer for its intervals to be believed; 1 where they can be."""
        return self.needed_s / self.simulated_s if self.short else 1.0

    @property
    def needed_s(self) -> float:
        """A length that would do."""
        return max(WANTED * self.relaxation_s, 2 * self.simulated_s)


def steady(scenario: Scenario) -> bool:
    """Whether the load is the same from the beginning to the end: clients or a constant rate, and nothing that starts or stops."""
    loads = [view.workload for view in scenario.alone.values()]
    return not scenario.changes and all(
        load is not None and (load.closed is not None or (load.open is not None and load.open.rate is not None)) for load in loads)


def overloaded(outcomes: Sequence[Outcome]) -> bool:
    """Whether requests pile up without end: in most replications, or in one until the tables are full."""
    growing = sum(o.unstable is not None for o in outcomes)
    return 2 * growing > len(outcomes) or any(o.full_at_s is not None for o in outcomes)


def course_of(scenario: Scenario, outcomes: Sequence[Outcome]) -> Course | None:
    """The course of a platform's replications.

    None where nothing can be said (too few answers, an overload, a load that varies) or has to be: latencies that are nearly constant.
    """
    whole = [o for o in outcomes if len(o.batches_s) >= 2 * LEAST]
    if not steady(scenario) or not whole or overloaded(outcomes):
        return None
    if math.sqrt(own_variance(whole)) < SURE * float(np.mean([o.batches_s.mean() for o in whole])):
        return None
    simulated = float(np.mean([o.simulated_s for o in whole]))
    step = float(np.mean([(o.simulated_s - o.warmup_s) / len(o.batches_s) for o in whole]))
    seen = correlation_time([o.batches_s for o in whole]) * step
    closed = any(view.workload is not None and view.workload.closed is not None for view in scenario.alone.values())
    return Course(simulated, seen if closed else max(seen, min(_of_a_queue(whole), DOUBT * seen)))


def _of_a_queue(outcomes: Sequence[Outcome]) -> float:
    """Relaxation time of a queue as full as the fullest resource [s]; infinite at saturation."""
    used = float(np.mean([max(o.resources.values(), default=0.0) for o in outcomes]))
    answered = float(np.mean([o.throughput_per_s for o in outcomes]))
    if used >= 1:
        return math.inf
    return used / (answered * (1 - math.sqrt(used)) ** 2) if answered > 0 else 0.0

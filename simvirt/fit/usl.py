"""The Universal Scalability Law, where throughput was measured at several numbers of clients: whether contention or coherence bounds it.

*Model*: X(N) = l N / (1 + s (N - 1) + k N (N - 1)): N / X is linear in s and k, so that a regression finds them.
*Ignores*: think times: N counts those that wait for an answer.
*Source*: Gunther, Guerrilla Capacity Planning, 2007, chapters 4 and 5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from simvirt.fit.regression import fitted
from simvirt.measurements.points import Point
from simvirt.result.document import Estimate
from simvirt.result.fit_document import UslResult

FEWEST = 4
"""Numbers of clients from which it is fitted."""


def usl(points: Sequence[Point]) -> UslResult | None:
    """The law's parameters; None where clients are not told, where there are too few numbers of them, or where nothing contends."""
    known = [(point.clients, point.throughput_per_s) for point in points if point.clients and point.throughput_per_s]
    if len({clients for clients, _ in known}) < FEWEST:
        return None
    n, x = np.array(known, dtype=np.float64).T
    found = fitted(np.stack([np.ones_like(n), n - 1, n * (n - 1)], axis=1), n / x)
    base, contention, coherence = found.value
    if base <= 0 or not _shows(found.value, found.half):
        return None
    peak = math.sqrt((1 - contention / base) * base / coherence) if coherence > 0 and contention < base else None
    return UslResult(
        alone_per_s=1 / base, contention=_over(contention, found.half[1], base), coherence=_over(coherence, found.half[2], base),
        peak_clients=peak, spread=found.spread)


def _shows(value: np.ndarray, half: np.ndarray) -> bool:
    """Whether contention or coherence surely is above 0."""
    return any(value[i] > 0 and value[i] > half[i] for i in (1, 2))


def _over(value: float, half: float, base: float) -> Estimate:
    return Estimate(value / base, max(value - half, 0.0) / base, (value + half) / base)

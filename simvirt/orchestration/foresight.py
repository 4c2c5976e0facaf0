"""Replicas before the load is there: by the clock, and by the trend of what was measured.

*Model*: a schedule wants at least so many replicas in spans that may come again. A trend is the straight line through what was measured in
    a window, by least squares, read so far ahead; what it asks for is a metric beside others, of which the largest counts.
*Ignores*: that a load has a day and a week, unless a schedule says so.
*Source*: own; KEDA's cron scaler takes a schedule for a metric in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from simvirt.orchestration.hpa import MetricError


@dataclass(frozen=True, slots=True)
class Span:
    """At least so many replicas from an instant on, for so long, and again every so often, where it comes again [s]."""

    begin_s: float
    length_s: float
    replicas: int
    every_s: float | None = None

    def holds(self, now_s: float) -> bool:
        """Whether an instant is in it."""
        since = now_s - self.begin_s
        return 0.0 <= (since if self.every_s is None or since < 0.0 else since % self.every_s) < self.length_s


def scheduled(spans: Sequence[Span], now_s: float) -> int:
    """The replicas that a schedule wants at an instant; MetricError where it wants none in particular."""
    found = [span.replicas for span in spans if span.holds(now_s)]
    if not found:
        raise MetricError("nothing is scheduled")
    return max(found)


def trend(seen: Sequence[tuple[float, float]], at_s: float) -> float:
    """The line through points of instant and value, at an instant; MetricError where there are not two instants."""
    mean_t, mean_v = (sum(point[part] for point in seen) / max(len(seen), 1) for part in (0, 1))
    spread = sum((at - mean_t) ** 2 for at, _ in seen)
    if not spread:
        raise MetricError("a trend needs two instants")
    slope = sum((at - mean_t) * (value - mean_v) for at, value in seen) / spread
    return mean_v + slope * (at_s - mean_t)


def foreseen(seen: Sequence[tuple[float, float]], at_s: float, of_each: float) -> int:
    """Replicas that carry what a trend foresees for an instant, at so much of each."""
    return max(0, math.ceil(trend(seen, at_s) / of_each))

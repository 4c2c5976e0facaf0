"""The rate at which as many requests are lost as may be, from the shares lost at rates near it, and how sure that is.

*Model*: the share lost grows with a power of the rate. Its variance is in proportion to it, with one factor for all runs, as of losses in
    groups; so one that by chance is higher does not count for more.
*Ignores*: a share that does not grow steadily.
*Source*: weighted least squares of logarithms; the error of a rate by propagation (delta method).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

FAR: Final = 4.0
"""Factor of the share lost within which it grows with a power of the rate."""
Loss = tuple[float, float, float]
"""A rate, the share lost there, the standard error of that."""


def crossing(limit: float, low: tuple[float, float], high: tuple[float, float]) -> float:
    """The rate at which `limit` is lost, between two rates with the shares lost there; not too near either."""
    at = math.log(limit / low[1]) / math.log(max(high[1], 1.01 * limit) / low[1])
    return float(low[0] * (high[0] / low[0]) ** min(max(at, 0.2), 0.8))


def fitted(limit: float, losses: Sequence[Loss]) -> tuple[float, float] | None:
    """The rate at which `limit` is lost, and its relative standard error; None where too few are near, or the share does not grow."""
    known = [one for one in losses if math.isfinite(one[2])]
    at = {rate: [lost for one, lost, _ in known if one == rate] for rate, _, _ in known}
    near = {rate: of for rate, of in at.items() if limit / FAR <= sum(of) / len(of) <= limit * FAR}
    if len(near) < 2:
        return None
    together = sum(error**2 for _, _, error in known) / sum(lost for _, lost, _ in known)
    lost = np.array([sum(of) / len(of) for of in near.values()])
    error = np.sqrt(together / np.array([sum(of) for of in near.values()]))
    rates, lost = np.log(list(near)), np.log(lost)
    weights = error**-2 / np.sum(error**-2)
    middle, level = float(weights @ rates), float(weights @ lost)
    spread = float(weights @ (rates - middle) ** 2)
    power = float(weights @ ((rates - middle) * (lost - level))) / spread
    if power <= 0:
        return None
    away = (math.log(limit) - level) / power
    return math.exp(middle + away), math.sqrt((1 + away**2 / spread) / np.sum(error**-2)) / power

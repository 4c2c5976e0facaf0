"""How a measure of one result changed from that of another: the difference, the ratio, their intervals, and what they say.

*Model*: results of the same seed have the same draws, replication by replication: Student's interval is that of the differences of
    pairs, and the ratio's that of Fieller (where it gives none, Student's of logarithms), so that the variation that both share
    cancels. Results of different seeds are independent (Welch). Maximum throughputs are known as ranges, and so is their ratio.
    A change is one where the interval is to one side of none; no difference is seen where it lies within the margin to either side
    as a whole; all else is undecided.
*Ignores*: that one of twenty measures that did not change seems to have, at 95 %.
*Source*: Law, Simulation Modeling and Analysis, 5th ed. 2015, section 10.2 (paired-t, Welch); Fieller, J. R. Stat. Soc. B 16 (1954).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simvirt.metrics.statistics import paired_ratio, student
from simvirt.result.compare_document import Change, Direction, Method
from simvirt.result.document import UNKNOWN, Estimate

SAME: Final = "no difference seen"
UNDECIDED: Final = "undecided"


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure of one result: its estimate, and what each replication came to where that is known."""

    estimate: Estimate
    values: tuple[float | None, ...] = ()
    is_range: bool = False
    replications: int = 0

    @property
    def error(self) -> tuple[float, int] | None:
        """Standard error of the value and its degrees of freedom; None where one replication has none."""
        known = [value for value in self.values if value is not None]
        if len(known) > 1:
            return float(np.std(known, ddof=1)) / math.sqrt(len(known)), len(known) - 1
        low, high = self.estimate.low, self.estimate.high
        if low is None or high is None or self.replications < 2:
            return None
        return (high - low) / 2 / student(self.replications - 1), self.replications - 1


def change(before: Measured, after: Measured, kind: Direction, same_draws: bool, margin: float) -> Change:
    """What became of a measure; `margin` is the relative change, of shares the difference, that is none."""
    method, difference, ratio = _compared(before, after, same_draws)
    same = before == after and before.estimate.value is not None
    said = SAME if same else verdict(difference if kind == "share" else ratio, kind, margin)
    return Change(before=before.estimate, after=after.estimate, difference=difference, ratio=ratio, method=method, verdict=said)


def _compared(before: Measured, after: Measured, same_draws: bool) -> tuple[Method, Estimate, Estimate]:
    """How the two are compared, their difference and their ratio."""
    if before.is_range:
        return "ranges", UNKNOWN, _of_ranges(before.estimate, after.estimate)
    pairs = [(x, y) for x, y in zip(before.values, after.values, strict=False) if x is not None and y is not None]
    if same_draws and len(pairs) > 1:
        return "paired", *_paired(pairs)
    return "unpaired", *_unpaired(before, after)


def _paired(pairs: Sequence[tuple[float, float]]) -> tuple[Estimate, Estimate]:
    """Difference and ratio of replications that had the same draws."""
    x, y = np.array(pairs, dtype=float).T
    half = student(len(x) - 1) * float(np.std(y - x, ddof=1)) / math.sqrt(len(x))
    mean, ratio = float((y - x).mean()), paired_ratio(list(y), list(x))
    if ratio.value is not None and ratio.low is None and x.min() > 0 and y.min() > 0:
        far = student(len(x) - 1) * float(np.std(np.log(y / x), ddof=1)) / math.sqrt(len(x))
        ratio = Estimate(ratio.value, ratio.value * math.exp(-far), ratio.value * math.exp(far))
    return Estimate(mean, mean - half, mean + half), ratio


def _unpaired(before: Measured, after: Measured) -> tuple[Estimate, Estimate]:
    """Difference and ratio of independent results."""
    x, y = before.estimate.value, after.estimate.value
    if x is None or y is None:
        return UNKNOWN, UNKNOWN
    difference, ratio = y - x, y / x if x else None
    errors = before.error, after.error
    if errors[0] is None or errors[1] is None:
        return Estimate(difference), Estimate(ratio)
    half = _welch(errors[0], errors[1])
    whole = Estimate(difference, difference - half, difference + half)
    if ratio is None or ratio <= 0:
        return whole, Estimate(ratio)
    far = _welch((errors[0][0] / x, errors[0][1]), (errors[1][0] / y, errors[1][1]))
    return whole, Estimate(ratio, ratio * math.exp(-far), ratio * math.exp(far))


def _welch(one: tuple[float, int], other: tuple[float, int]) -> float:
    """Half width of the interval of a difference of independent means with unlike variances."""
    variances = [(error**2, degrees) for error, degrees in (one, other)]
    total = sum(variance for variance, _ in variances)
    if total == 0:
        return 0.0
    degrees = total**2 / sum(variance**2 / freedom for variance, freedom in variances)
    return student(max(math.floor(degrees), 1)) * math.sqrt(total)


def _of_ranges(before: Estimate, after: Estimate) -> Estimate:
    """The ratio of two values that are known to lie in ranges."""
    if not before.low or not before.high or not after.low or not after.high:
        return UNKNOWN
    value = after.value / before.value if before.value and after.value else None
    return Estimate(value, after.low / before.high, after.high / before.low)


WORDS: Final[dict[Direction, tuple[str, str]]] = {
    "time": ("faster", "slower"), "rate": ("slower", "faster"), "answers": ("lower", "higher"), "share": ("lower", "higher"),
}
"""What a measure that fell, and one that rose, is called."""


def verdict(change: Estimate, kind: Direction, margin: float) -> str:
    """What the interval of a ratio, of shares of a difference, says."""
    fell, rose = WORDS[kind]
    if change.low is None or change.high is None:
        return UNDECIDED
    none = 0.0 if kind == "share" else 1.0
    low, high = change.low - none, change.high - none
    if high < 0 or low > 0:
        return fell if high < 0 else rose
    return SAME if max(-low, high) <= margin else UNDECIDED

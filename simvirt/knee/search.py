"""The search for the knee: the highest rate at which the objective is surely met below the lowest at which it is surely missed.

*Model*: a light load first, then where the utilisation law has a resource used up; between the two the knee is guessed from the points
    around it, as if 1 / latency fell in a straight line with the rate, which it does in M/M/1, and rates just below and just above
    the guess are tried. Where one remains undecided, rates further away are, until none is left that is worth a trial.
*Ignores*: rates beyond the first break at which the objective is met again.
*Source*: Pasupathy and Kim, The stochastic root-finding problem, ACM TOMACS 21 (2011), on deciding before moving.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simvirt.density.relief import excess_of
from simvirt.density.search import GROWTH, bracket
from simvirt.density.trials import Point
from simvirt.knee.trials import RateTrials
from simvirt.result.objective import MISSED, UNDECIDED

DOWN: Final = 4
"""A rate at which the objective is not met at first is divided by this."""
LIGHTEST: Final = 256
"""The first rate over the lightest one."""
ASIDE: Final = 0.45
"""How far from the guess rates are tried, over the width that is wanted: just inside the half."""
SPARE: Final = 1 / 16
"""A guess keeps such a part of the range to either side."""
ENOUGH: Final = 1 / 4
"""Gaps beside what is undecided need not be narrower than such a part of it."""
DIGITS: Final = 10
"""A rate is rounded to such a part of the width that is wanted."""
Narrowed = Callable[[int, int], None]


@dataclass(frozen=True)
class Range:
    """Where the knee surely lies: the objective is met at `low`, 0 where it nowhere is, and missed at `high`, None where it nowhere is."""

    low: int
    high: int | None


def range_of(trials: RateTrials, first: int, precision: float, narrowed: Narrowed) -> Range:
    """The range of the knee, as narrow as `precision` asks for where that can be decided."""
    low = _lowest_met(trials, first)
    high = _missed_above(trials, low or first)
    low = max((n for n, point in trials.points.items() if point.holds and n < (high or math.inf)), default=0)
    while low and high is not None:
        narrowed(low, high)
        n = None if trials.spent else _next(trials, low, high, precision)
        if n is None:
            break
        point = trials.at(n)
        low, high = (n if point.holds else low), (n if point.verdict == MISSED else high)
    return Range(low, high)


def _lowest_met(trials: RateTrials, first: int) -> int:
    """A light load at which the objective is met; 0 where it is at none down to `first` / `LIGHTEST`."""
    n = first
    while not trials.at(n).holds:
        if n <= max(first // LIGHTEST, 1) or trials.spent:
            return 0
        n = max(n // DOWN, 1)
    return n


def _missed_above(trials: RateTrials, low: int) -> int | None:
    """A rate above one that is tried at which the objective is surely missed; None where it is nowhere up to the end of the search."""
    if (known := _lowest_missed(trials)) is not None:
        return known
    _, n = bracket(trials, trials.points[low], trials.unit.most)
    while n <= trials.unit.most and not trials.spent:
        if trials.at(n).verdict == MISSED:
            return n
        n = math.ceil(n * GROWTH)
    return None


def _lowest_missed(trials: RateTrials) -> int | None:
    """The lowest rate that is surely missed."""
    return min((n for n, point in trials.points.items() if point.verdict == MISSED), default=None)


def _next(trials: RateTrials, low: int, high: int, precision: float) -> int | None:
    """The next rate to try inside the range; None where that is narrow enough, or what is left of it is undecided."""
    width = max(precision * high, 1.0)
    if high - low <= width:
        return None
    unsure = [n for n, point in trials.points.items() if low < n < high and point.verdict == UNDECIDED]
    if unsure:
        return _beside(low, min(unsure), max(unsure), high, width)
    guess = guessed(trials, low, high)
    below, above = guess - ASIDE * width, guess + ASIDE * width
    inside = [n for n in (below, above) if low + ASIDE * width / 2 < n < high - ASIDE * width / 2]
    return _rounded(inside[0] if inside else (low + high) / 2, low, high, width)


def _beside(low: int, first: int, last: int, high: int, width: float) -> int | None:
    """A rate in the wider gap beside what is undecided, as far from that as it is wide; None where both gaps are narrow beside it."""
    aside = max(width / 2, last - first)
    if max(first - low, high - last) <= max(width / 2, ENOUGH * (last - first), 1.0):
        return None
    if first - low >= high - last:
        return _rounded(max(first - aside, (low + first) / 2), low, first, width)
    return _rounded(min(last + aside, (last + high) / 2), last, high, width)


def _rounded(wanted: float, low: int, high: int, width: float) -> int:
    """A whole number inside a range, without digits that mean nothing."""
    step = max(1, 10 ** math.floor(math.log10(max(width / DIGITS, 1.0))))
    n = round(wanted / step) * step
    return n if low < n < high else min(max(round(wanted), low + 1), high - 1)


def guessed(trials: RateTrials, low: int, high: int) -> float:
    """Where the objective's value is likely to cross its limit inside a range."""
    room = {n: _room(trials.points[n]) for n in sorted(trials.points) if low <= n <= high}
    below = max((n for n in room if room[n] >= 1 and n < high), default=low)
    above = min((n for n in room if n > below), default=high)
    if not room[below] > 1 > room[above]:
        return (low + high) / 2
    guess = below + (above - below) * (room[below] - 1) / (room[below] - room[above])
    spare = SPARE * (above - below)
    return min(max(guess, below + spare), above - spare) if above - below > 1 else guess


def _room(point: Point) -> float:
    """The limit over the value of the worst check, above 1 where it is met; 0 where requests pile up."""
    excess, _ = excess_of(point)
    return 1 / excess if excess > 0 else math.inf

"""Where a relative error vanishes: a bracketing solve, used for calibrations and for constants that are fitted anew.

*Model*: the secant method; in a bracket that it leaves, or does not narrow quickly, the middle (Brent, Algorithms for Minimization without
    Derivatives, 1973, chapter 4, has the idea).
*Ignores*: that there may be several solutions: the one found first is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

SOLVED: Final = 1e-3  # relative error at which a solution is good enough
STRADDLED: Final = 1e-2  # the same where the error jumps over zero
MOST_STEPS: Final = 24
Point = tuple[float, float]
"""A value that was tried, and its relative error."""


def solve(error: Callable[[float], float], first: float, limits: tuple[float, float] = (0.0, math.inf)) -> float | None:
    """The value within limits at which an error vanishes, looked for from a first guess; None where it is not found within a few steps.

    Where the error jumps over zero, as idle states make latencies do, it is the nearer side of the jump, within STRADDLED.
    """
    points = [(x, error(x)) for x in (first, first * 1.02)]
    for _ in range(MOST_STEPS):
        best, off = min(points, key=lambda point: abs(point[1]))
        if abs(off) <= SOLVED or (abs(off) <= STRADDLED and _width(_bracket(points)) <= SOLVED * best):
            return best
        now = min(max(_next(points), limits[0]), limits[1])
        if any(now == x for x, _ in points):
            return None
        points.append((now, error(now)))
    return None


def _bracket(points: Sequence[Point]) -> tuple[float, float] | None:
    """The closest two values between which the error changes its sign."""
    below, above = ([x for x, off in points if (off < 0) is negative] for negative in (True, False))
    pairs = [(min(a, b), max(a, b)) for a in below for b in above]
    return min(pairs, key=_width, default=None)


def _width(bracket: tuple[float, float] | None) -> float:
    """Distance of the ends; endless where there is no bracket."""
    return math.inf if bracket is None else bracket[1] - bracket[0]


def _next(points: Sequence[Point]) -> float:
    """Where to look next: the secant method; in a bracket that it leaves, or does not narrow quickly, the middle."""
    (before, error_before), (last, error_last) = points[-2:]
    step = -error_last * (last - before) / (error_last - error_before) if error_last != error_before else last
    now, bracket = min(max(last + step, last / 5.0), last * 5.0), _bracket(points)
    if bracket is not None and (not bracket[0] < now < bracket[1] or len(points) % 2):
        return sum(bracket) / 2.0
    return now

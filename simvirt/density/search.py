"""The search for the edge: the largest n at which the objective holds while n + 1 misses it or does not fit.

*Model*: hard bounds first; then n = 1; then the saturation that the utilisation law predicts; then bisection between the largest n that
    holds and the smallest that does not; then the neighbours of the edge, because a curve need not be monotone there. Both n and n + 1 are
    simulated, unless n + 1 is beyond a hard bound.
*Ignores*: a second range of n, beyond the first edge, in which the objective holds again.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from simvirt.density.bounds import Bound, analytic_bounds, shared_bounds
from simvirt.density.trials import Point, Trials

ROUNDS = 3
"""How often an edge is looked for again below one that turned out not to be monotone."""
CURVE = (0.25, 0.5, 0.75)
NEAR = 0.1
"""A curve has points at these parts of the edge, where none is within a tenth of them."""
GROWTH = 1.5
FEW = 8
"""A bracket up to so wide is halved; of a wider one a guess keeps so great a part of it to either side."""
TINY = 1e-9


@dataclass
class Edge:
    """Where the search ended: the largest n that holds, the first point that does not (None beyond a hard bound), and remarks.

    Where the work was spent before, the first point that does not hold lies beyond n + 1.
    """

    n: int
    beyond: Point | None
    open_to: int | None = None
    remarks: list[str] = field(default_factory=list)


Narrowed = Callable[[int, int], None]


def edge_of(trials: Trials, hard: Bound, narrowed: Narrowed) -> Edge:
    """The edge of one platform."""
    if hard.most < 1:
        return Edge(0, None)
    first = trials.at(1)
    if not first.holds:
        return Edge(0, first)
    low, high = bracket(trials, first, hard.most)
    edge = bisected(trials, low, high, narrowed)
    return confirmed(trials, edge, hard.most, narrowed)


def soft_bounds(trials: Trials, point: Point) -> list[Bound]:
    """Where resources that all instances share are used up."""
    analytic = analytic_bounds(trials.scenario, trials.catalog, trials.platform, trials.unit)
    return [*analytic, *shared_bounds(point, trials.scenario, trials.unit)]


def bracket(trials: Trials, first: Point, most: int) -> tuple[int, int]:
    """An n that holds and one that does not; `most` + 1 stands for what does not fit."""
    soft = soft_bounds(trials, first)
    low = first.n
    guess = min([most, *(max(low + 1, bound.most + 1) for bound in soft)])
    while True:
        if guess <= low:
            return low, most + 1
        if trials.spent:
            return low, most + 1
        if not trials.at(guess).holds:
            return low, guess
        low, guess = guess, min(most, max(guess + 1, int(guess * GROWTH)))


def bisected(trials: Trials, low: int, high: int, narrowed: Narrowed) -> Edge:
    """Bisection between an n that holds and one that does not."""
    while high - low > 1:
        narrowed(low, high)
        if trials.spent:
            return Edge(low, trials.points.get(high), high, [f"the work of a search is spent: undecided between {low:,} and {high:,}"])
        middle = between(trials, low, high)
        low, high = (middle, high) if trials.at(middle).holds else (low, middle)
    narrowed(low, high)
    return Edge(low, trials.points.get(high))


def between(trials: Trials, low: int, high: int) -> int:
    """Where the objective's bound is likely to cross its limit: straight between the ends in logarithms, or the middle.

    Near an end it is the middle that narrows the bracket faster; where an end was given up it has no bound.
    """
    middle = (low + high) // 2
    ends = [trials.points[n].excess if n in trials.points else None for n in (low, high)]
    if high - low <= FEW or None in ends:
        return middle
    below, above = (math.log(max(end, TINY)) for end in ends if end is not None)
    if not below < 0 < above:
        return middle
    guess = low + round((high - low) * below / (below - above))
    spare = (high - low) // FEW
    return min(max(guess, low + spare), high - spare)


def confirmed(trials: Trials, edge: Edge, most: int, narrowed: Narrowed) -> Edge:
    """The edge with its neighbours looked at: where the objective is missed below it, the edge is looked for again there."""
    for _ in range(ROUNDS):
        if trials.spent or edge.n <= 2 or edge.n == most or trials.at(edge.n - 1).holds:
            break
        below = max(n for n, point in trials.points.items() if point.holds and n < edge.n - 1)
        remark = f"the objective holds at {edge.n} and is missed at {edge.n - 1}: the answer is the edge below"
        edge = bisected(trials, below, edge.n - 1, narrowed)
        edge.remarks.append(remark)
    if edge.beyond is not None and not trials.spent and edge.n + 2 <= most and trials.at(edge.n + 2).holds:
        edge.remarks.append(f"the objective is missed at {edge.n + 1} and holds again at {edge.n + 2}")
    return edge


def fill_curve(trials: Trials, n: int) -> None:
    """Points of the curve where the search has left none."""
    for part in CURVE:
        wanted = round(part * n)
        if wanted > 1 and not trials.spent and all(abs(known - wanted) > NEAR * wanted for known in trials.points):
            trials.sketched(wanted)

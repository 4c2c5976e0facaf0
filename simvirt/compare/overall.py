"""What changed over all cells of two sweeps: the geometric mean of the ratios, of shares the mean difference.

*Model*: the cells of a sweep have the same draws, so that their errors go together: each cell's standard error, averaged, is that of the
    mean, never less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from simvirt.compare.changes import verdict
from simvirt.metrics.statistics import mean_interval
from simvirt.result.compare_document import Change, Direction
from simvirt.result.document import UNKNOWN, Estimate


def overall(changes: Sequence[Change], kind: Direction, margin: float) -> Change:
    """One change for the changes of a measure in all cells."""
    difference = _mean([change.difference for change in changes])
    logs = _mean([_logarithms(change.ratio) for change in changes])
    ratio = Estimate(*(None if end is None else math.exp(end) for end in (logs.value, logs.low, logs.high)))
    methods = {change.method for change in changes}
    before, after = (mean_interval([getattr(change, side).value for change in changes]).value for side in ("before", "after"))
    return Change(
        before=Estimate(before), after=Estimate(after), difference=difference, ratio=ratio,
        method=changes[0].method if len(methods) == 1 else "unpaired",
        verdict=verdict(difference if kind == "share" else ratio, kind, margin),
    )


def _logarithms(ratio: Estimate) -> Estimate:
    """A ratio and its ends as logarithms; unknown where one is none."""
    ends = (ratio.value, ratio.low, ratio.high)
    return Estimate(*(math.log(end) for end in ends if end)) if all(end is not None and end > 0 for end in ends) else UNKNOWN


def _mean(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of estimates whose errors go together; unknown where one is."""
    values = [(e.value, e.low, e.high) for e in estimates if e.value is not None and e.low is not None and e.high is not None]
    if len(values) < len(estimates) or not values:
        return UNKNOWN
    return Estimate(*(math.fsum(end) / len(values) for end in zip(*values, strict=True)))

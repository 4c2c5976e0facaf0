"""Where only latencies were measured: the one factor on all demands with which the simulated latency is the measured one.

*Model*: the mean, or the median where no mean is told, over all points in the geometric mean; solved in a bracket.
*Ignores*: which service takes the time: all demands keep their proportions.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from simvirt.errors import SimvirtError, UsageError
from simvirt.fit.answer import FitResult, Group
from simvirt.validation.solving import solve

if TYPE_CHECKING:
    from simvirt.fit.simulating import Laboratory

WIDEST = (1e-3, 1e3)
"""Factors between which it is looked for."""
OVERLOAD = 10.0
"""Relative error that stands for a load that is too much."""


def by_latency(laboratory: Laboratory, result: FitResult) -> Group:
    """All operations as one group; UsageError where no latency was measured, or none fits."""
    names = tuple(name for name, work in result.work.items() if work > 0)
    measures = {f"latency_{name}_s" for point in result.seen.points for name in point.latency_s if name in ("mean", "p50")}
    measure = "latency_mean_s" if "latency_mean_s" in measures else next(iter(measures), None)
    if measure is None or not names:
        said = f" (names that are no service: {', '.join(result.seen.unknown[:5])})" if result.seen.unknown else ""
        raise UsageError(f"nothing that was measured tells a demand{said}; expected the CPU use of services, for example web.cpu_cores, "
                         "that of the host, or latencies")

    def off(factor: float) -> float:
        try:
            found = [row.error for row in laboratory.predictions(dict.fromkeys(names, factor)) if row.measure == measure]
        except SimvirtError:
            return OVERLOAD
        known = [math.log1p(error) for error in found if error is not None]
        return math.expm1(math.fsum(known) / len(known)) if known else OVERLOAD

    factor = solve(off, 1.0, WIDEST)
    if factor is None:
        raise UsageError(f"no factor on all demands makes the simulated {measure.removesuffix('_s').replace('_', ' ')} the measured one; "
                         "measure the CPU use of services too")
    demand = factor * result.work[names[0]]
    return Group(names, demand, math.nan, demand, math.nan)

"""What a point that misses the objective fails, and the resource whose doubling helps it most."""

from __future__ import annotations

import math

from simvirt.density.answer import Binding
from simvirt.density.hosts import MEMORY
from simvirt.density.judge import OOM, failing, kills_of
from simvirt.density.relief import HELPS, REQUEST, excess_of, lock_of, reliefs
from simvirt.density.trials import Point, Trials


def binding_at(trials: Trials, point: Point) -> Binding:
    """What binds at a point that was simulated and does not hold."""
    assert point.scenario.objective is not None
    check = failing(point.scenario.objective, point.measured)
    if check == OOM:
        return Binding(MEMORY, OOM, kills_of(point.measured)[0])
    return _relieving(trials, point, check)


def _relieving(trials: Trials, point: Point, check: str) -> Binding:
    """The resource whose doubling helps a point most; where none helps the lock that requests wait for, or else a request's own work."""
    found = reliefs(trials, point)
    before, _ = excess_of(point)
    best_excess = min((relief.excess for relief in found), default=math.inf)
    if (best_excess > HELPS * before or best_excess == math.inf) and (lock := lock_of(point)) is not None:
        return Binding(lock, check, "requests wait for it most, and no resource, doubled, brings it nearer to the objective", tuple(found))
    if best_excess > HELPS * before or not found:
        return Binding(REQUEST, check, "no resource of the host, doubled, brings it nearer to the objective", tuple(found))
    best = found[0]
    if best.holds:
        return Binding(best.resource, check, f"twice as much of it, and {point.n} hold the objective", tuple(found))
    return Binding(best.resource, check, f"twice as much of it brings {point.n} nearest to the objective", tuple(found))

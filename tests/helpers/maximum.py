"""Whether a platform keeps up with a rate, by a longer run and another look at it than the search for the maximum throughput has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.clock import Clock
from simvirt.control.lifecycle import begin
from simvirt.control.memory import follow_all
from simvirt.plane import DataPlane
from simvirt.runs.replicate import make_plane
from simvirt.scenario.spec.models import OpenSpec, Scenario
from simvirt.workload.processors import on_host

ARRIVALS: Final = 40_000
LEAST_S: Final = 2.0
SAMPLES: Final = 16
LONGER: Final = 3
"""Times that a run is made twice as long at most."""
MANY: Final = 500
FEW: Final = 50
"""Arrivals of a class from which it says something by itself, and from which it does where that is no matter of chance."""
SPREAD: Final = 3.0
"""Standard deviations of a Poisson number that are chance."""
BELOW, ABOVE, SHORT = 0.97, 1.03, 0.01


def at_rate(scenario: Scenario, rate: float) -> Scenario:
    """The same requests, of several workloads those of the first, at a steady rate [per second], all services up, no clients, no end."""
    name, view = next(iter(scenario.alone.items()))
    assert view.workload is not None
    source = view.workload.open or view.workload.rates
    steady = OpenSpec.model_construct(rate=rate, arrivals=source.arrivals if source is not None else "poisson")
    workload = view.workload.model_copy(update={"open": steady, "closed": None, "rates": None, "trace": None})
    run = scenario.run.model_copy(update={"duration": 10**18, "requests": None, "warmup": 0, "observe": None, "precision": None})
    changed = {"workloads": {**scenario.workloads, name: workload}} if name else {"workload": workload}
    return scenario.model_copy(update={"run": run, "timeline": (), "failures": None, **changed})


def unanswered(scenario: Scenario, catalog: Catalog, platform: Platform, rate: float) -> float:
    """The share of requests, of all or of the class that fares worst, that are lost or pile up in the second half of a run at a rate.

    The run goes on for as long again as long as chance may decide whether that is more than `SHORT`, `LONGER` times at most.
    """
    spec = at_rate(on_host(scenario, catalog, scenario.host), rate)
    plane = make_plane(spec, catalog, platform, scenario.run.seed + 77, 0)
    clock = Clock(plane)
    begin(clock, spec)
    if plane.lowered.memory.follows:
        follow_all(clock)
    length, seen = max(ARRIVALS / rate, LEAST_S) * 1e9, [_counted(plane)]
    for longer in range(LONGER + 1):
        for sample in range(1, SAMPLES + 1):
            clock.run(until=int(length * (sample / SAMPLES if longer == 0 else 1 + sample / SAMPLES) * 2 ** max(longer - 1, 0)))
            if plane.full:
                return 1.0
            seen.append(_counted(plane))
        seen = seen if longer == 0 else seen[::2]
        share = _missing(seen[SAMPLES // 2], seen[-1])
        if abs(share - SHORT) > SPREAD * _noise(seen[SAMPLES // 2:]):
            return share
    return share


def _counted(plane: DataPlane) -> list[np.ndarray]:
    """Requests of each class that have arrived, and that were answered."""
    return [plane.read("tallies", name).copy() for name in ("arrived", "completed")]


def _noise(seen: Sequence[list[np.ndarray]]) -> float:
    """The standard error of the share of all requests that is missing, as the pieces of a run show it."""
    shares = [float((arrived - before - completed + done).sum() / max((arrived - before).sum(), 1))
              for (before, done), (arrived, completed) in pairwise(seen)]
    return float(np.std(shares, ddof=1) / np.sqrt(len(shares)))


def _missing(middle: list[np.ndarray], last: list[np.ndarray]) -> float:
    """The share that arrived between two instants and was not answered; of a class with few arrivals only what is no matter of chance."""
    (before, done), (arrived, completed) = middle, last
    came, missing = arrived - before, (arrived - completed) - (before - done)
    by_chance = SPREAD * np.sqrt(np.maximum(arrived - completed, 1))
    surely = (came >= MANY) | ((came >= FEW) & (missing - by_chance > SHORT * came))
    worst = float((missing[surely] / came[surely]).max(initial=0.0))
    return max(worst, float(missing.sum() / np.maximum(came.sum(), 1)))


def contradictions(scenario: Scenario, catalog: Catalog, name: str, low: float, high: float | None = None) -> list[str]:
    """What speaks against a maximum, or its range: a run below that does not keep up, one above that does."""
    platform = catalog.platform(next(spec for spec in scenario.platforms if spec.name == name))
    above = low if high is None else high
    lost, kept = (unanswered(scenario, catalog, platform, part * rate) for part, rate in ((BELOW, low), (ABOVE, above)))
    found = [f"at {BELOW} of {low:.6g}/s {lost:.2%} are not answered"] if lost > SHORT else []
    return found + ([f"at {ABOVE} of {above:.6g}/s all but {kept:.2%} are answered"] if kept <= SHORT else [])

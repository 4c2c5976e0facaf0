"""Whether a platform keeps up with a rate, by a longer run and another look at it than the search for the maximum throughput has."""

from __future__ import annotations

from typing import Final

import numpy as np

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.clock import Clock
from simvirt.control.follow import follow
from simvirt.control.lifecycle import begin
from simvirt.runs.replicate import make_plane
from simvirt.scenario.spec.models import OpenSpec, Scenario

ARRIVALS: Final = 40_000
LEAST_S: Final = 2.0
SAMPLES: Final = 16
FEW: Final = 500
"""Arrivals of a class below which it does not say anything by itself."""
BELOW, ABOVE, SHORT = 0.97, 1.03, 0.01


def at_rate(scenario: Scenario, rate: float) -> Scenario:
    """The same requests at a steady rate [per second], all services up, no clients that wait, no end."""
    assert scenario.workload is not None
    source = scenario.workload.open or scenario.workload.rates
    steady = OpenSpec.model_construct(rate=rate, arrivals=source.arrivals if source is not None else "poisson")
    workload = scenario.workload.model_copy(update={"open": steady, "closed": None, "rates": None, "trace": None})
    run = scenario.run.model_copy(update={"duration": 10**18, "requests": None, "warmup": 0, "observe": None, "precision": None})
    return scenario.model_copy(update={"workload": workload, "run": run, "timeline": ()})


def unanswered(scenario: Scenario, catalog: Catalog, platform: Platform, rate: float, arrivals: int = ARRIVALS) -> float:
    """The share of requests, of all or of the class that fares worst, that are lost or pile up in the second half of a run at a rate."""
    spec = at_rate(scenario, rate)
    plane = make_plane(spec, catalog, platform, scenario.run.seed + 77, 0)
    clock = Clock(plane)
    begin(clock, spec)
    if plane.lowered.memory.follows:
        clock.process(follow(clock))
    length = max(arrivals / rate, LEAST_S) * 1e9
    seen = []
    for sample in range(1, SAMPLES + 1):
        clock.run(until=int(length * sample / SAMPLES))
        if plane.full:
            return 1.0
        seen.append([plane.read("tallies", name).copy() for name in ("arrived", "completed")])
    (arrived, completed), (before, done) = seen[-1], seen[SAMPLES // 2 - 1]
    came, answered = arrived - before, completed - done
    counted = came >= FEW
    worst = float((1 - answered[counted] / came[counted]).max(initial=0.0))
    return max(worst, 1 - float(answered.sum() / np.maximum(came.sum(), 1)))


def contradictions(scenario: Scenario, catalog: Catalog, name: str, maximum: float) -> list[str]:
    """What speaks against a maximum throughput: a run below it that does not keep up, one above it that does."""
    spec = next(spec for spec in scenario.platforms if spec.name == name)
    low, high = (unanswered(scenario, catalog, catalog.platform(spec), part * maximum) for part in (BELOW, ABOVE))
    found = [f"at {BELOW} of {maximum:.6g}/s {low:.2%} are not answered"] if low > SHORT else []
    return found + ([f"at {ABOVE} of {maximum:.6g}/s all but {high:.2%} are answered"] if high <= SHORT else [])

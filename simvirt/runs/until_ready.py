"""Instances start from a state until the last of them is ready, while no requests come; whether a run is too short for that."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from threading import Event
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.lowering.lower import lower
from simvirt.metrics.outcome import Outcome
from simvirt.plane import DataPlane, Stopped
from simvirt.runs.feeding import silent
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.state import StateSpec
from simvirt.units import format_time
from simvirt.workload.streams import Phases

LONGEST_NS: Final = 7 * 24 * 3600 * 10**9
"""A deployment that takes longer than a week is not followed."""
WATCHED_NS: Final = 6 * 3600 * 10**9
"""The same where an orchestrator looks at it again and again."""
SPARE: Final = 2
"""A run that is so many times as long as its starts has as much time again for requests."""


def to_be_deployed(scenario: Scenario, state: StateSpec) -> Scenario:
    """A scenario of which nothing is up, and in which nothing happens later."""
    run = scenario.run.model_copy(update={"requests": None, "duration": LONGEST_NS, "observe": None, "precision": None})
    services = {name: spec.model_copy(update={"autoscale": None}) for name, spec in scenario.services.items()}
    return scenario.model_copy(update={"timeline": (), "failures": None, "run": run, "state": state, "services": services})


def until_ready(scenario: Scenario, catalog: Catalog, platform: Platform, replication: int, halt: Event | None = None) -> Cluster:
    """A scenario whose state says that nothing is up, when all instances are ready or never will be; Stopped where `halt` is set."""
    lowered = lower(scenario, catalog, platform, Phases(scenario.run.seed, replication))
    plane = DataPlane(lowered, silent(lowered), scenario.run.seed, replication)
    plane.halt = halt
    clock = Clock(plane)
    cluster = begin(clock, scenario, catalog)
    cluster.keep_all()
    all_ready = cluster.deployed
    assert all_ready is not None
    clock.run(until=all_ready | clock.timeout(LONGEST_NS if cluster.orchestration is None else WATCHED_NS))
    if halt is not None and halt.is_set():
        raise Stopped
    return cluster


def too_short(scenario: Scenario, catalog: Catalog, found: Mapping[str, Sequence[Outcome]]) -> Iterator[str]:
    """That a run ends before its instances are ready, and how long it has to be, for each platform of which that is so."""
    if scenario.state is None or scenario.state.instances != "none":
        return
    for spec in scenario.platforms:
        lives = next((outcome.lives for outcome in found.get(spec.name, ())[:1]), None)
        if lives is not None and (down := lives.unready):
            yield from _advice(scenario, catalog, catalog.platform(spec), found[spec.name][0].simulated_s, f"{down} of {lives.started}")


def _advice(scenario: Scenario, catalog: Catalog, platform: Platform, simulated_s: float, down: str) -> Iterator[str]:
    """How long a run has to be; nothing where instances are down for another reason."""
    assert scenario.state is not None
    lives = until_ready(to_be_deployed(scenario, scenario.state), catalog, platform, 0).lives
    if any(life.ready is None for life in lives):
        yield f"{platform.name}: {down} instances are never ready, however long the run: what they or those they wait for need is refused"
        return
    needed = max((life.ready or 0) for life in lives) / 1e9
    if needed > simulated_s:
        yield (f"{platform.name}: the run ends after {format_time(simulated_s)}, before {down} instances are ready; without requests that "
               f"takes {format_time(needed)} (--set run.duration={_rounded(SPARE * needed)}s)")


def _rounded(seconds: float) -> str:
    """The next larger number of two digits."""
    step = 10.0 ** (math.floor(math.log10(seconds)) - 1)
    return f"{math.ceil(seconds / step - 1e-9) * step:.12g}"

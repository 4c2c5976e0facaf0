"""About how long a run will take on the kernel in use, from short parts of it."""

from __future__ import annotations

import time
from typing import Final

from simvirt.catalog import Catalog
from simvirt.runs.admission import catalog_of
from simvirt.runs.replicate import replicate
from simvirt.runs.saturation import FLOOR, SHARE
from simvirt.scenario.spec.models import RunSpec, Scenario
from simvirt.workload.processors import on_host

PART: Final = 500
"""Of a replication: so much of it, and three times as much, are simulated, or three times both, ..."""
ENOUGH_S: Final = 0.2
"""... until the longer one takes so much longer, ..."""
MOST: Final = 10 * PART
"""... or both have little to simulate."""


def seconds(scenario: Scenario, maximum: bool = True) -> float:
    """CPU time of all replications, and of the search for `maximum` throughputs [s]; what one after another takes.

    *Model*: in proportion to the length and to the events, as in the beginning of the first platform's first replication.
    *Ignores*: what grows with a backlog or varies between platforms and over time; replications that a precision adds.
    """
    catalog = catalog_of(scenario)
    spec = on_host(scenario, catalog, scenario.first_host)
    _short(spec, catalog, 1)  # reads what is read once
    times, (took, events), (longer, more) = 1, _short(spec, catalog, 1), _short(spec, catalog, 3)
    while longer - took < ENOUGH_S and times < MOST:
        times, (took, events), (longer, more) = 3 * times, (longer, more), _short(spec, catalog, 9 * times)
    all_events = max(more - events, 1) / (2 * times) * PART * spec.run.replications
    searched = max(SHARE * all_events, FLOOR) if maximum else 0.0
    return len(spec.platforms) * (all_events + searched) * max(longer - took, 0.0) / max(more - events, 1)


def _short(scenario: Scenario, catalog: Catalog, times: int) -> tuple[float, int]:
    """CPU time [s] and events of so many parts of the first platform's first replication."""
    short = scenario.model_copy(update={"run": _part(scenario.run, times), "timeline": (), "failures": None, "state": None})
    started = time.thread_time()
    outcome = replicate(short, catalog, catalog.platform(scenario.platforms[0]), scenario.run.seed, 0).outcome
    return time.thread_time() - started, outcome.events


def _part(run: RunSpec, times: int) -> RunSpec:
    """A run over so many parts of its length, without what is said of instants in it."""
    none = {"warmup": 0, "observe": None, "precision": None}
    if run.duration is not None:
        return run.lasting(max(int(run.duration) * times // PART, 1), **none)
    return run.model_copy(update={"requests": max((run.requests or 0) * times // PART, times), **none})

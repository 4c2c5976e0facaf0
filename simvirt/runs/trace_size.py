"""How large a trace will be, from a short part of the run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from simvirt.runs.admission import catalog_of
from simvirt.runs.replicate import replicate
from simvirt.scenario.spec.models import Scenario
from simvirt.trace.window import Window
from simvirt.trace.writer import MOST_BYTES, MOST_EVENTS
from simvirt.workload.processors import on_host

PART: Final = 20
"""One part in so many of the window, ..."""
LONGEST_NS: Final = 500_000_000
"""... and this at most, is simulated from the start of the run; and another one, which is traced, after it."""


def expected_size(scenario: Scenario, window: Window) -> tuple[int, int]:
    """Events and bytes that a trace of a window of a scenario will have.

    *Model*: in proportion to the length, as in the beginning of the run; no more than a trace may have.
    *Ignores*: what grows with a backlog or varies over time.
    """
    catalog, part = catalog_of(scenario), max(min(window.length // PART, LONGEST_NS), 1)
    short = {"run": scenario.run.lasting(2 * part, warmup=0, observe=None, precision=None), "timeline": (), "failures": None, "state": None}
    spec = on_host(scenario, catalog, scenario.first_host).model_copy(update=short)
    platform = next(p for p in spec.platforms if p.name == window.platform)
    with TemporaryDirectory() as folder:
        trial = Window(Path(folder) / window.file.name, window.platform, part, 2 * part)
        traced = replicate(spec, catalog, catalog.platform(platform), spec.run.seed, 0, trace=trial).traced
    assert traced is not None
    times = window.length / part
    return min(round(traced.events * times), MOST_EVENTS), min(round(traced.size * times), MOST_BYTES)

"""Traces: what they say is what the run did, and the run does not know of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.support import MS, begun, columns, differences
from helpers.trace_files import TraceFile, read_trace
from helpers.worlds import worlds

from simvirt.gauges import Snapshot, snapshot
from simvirt.plane import DataPlane
from simvirt.scenario import loads
from simvirt.scenario.spec.models import Scenario
from simvirt.trace.recorder import Recorder, completed
from simvirt.trace.window import Window

WORLDS = worlds()
FIRST, LAST, UNTIL = 100 * MS, 500 * MS, 600 * MS


def run_traced(spec: Scenario, file: Path, first: int = FIRST, last: int = LAST, until: int = UNTIL, **caps: int) -> tuple[DataPlane, TraceFile, Recorder]:
    """One replication of the first platform with a trace of a window of it."""
    clock = begun(spec)
    recorder = Recorder(clock.plane, Window(file, spec.platforms[0].name, first, last), file.with_name("draft"), **caps)
    clock.plane.advance = recorder.advance
    clock.run(until=until)
    completed(recorder, until)
    return clock.plane, read_trace(file), recorder


def totals(spec: Scenario, *instants: int) -> list[Snapshot]:
    """Totals of the same replication without a trace."""
    clock, found = begun(spec), []
    for at in instants:
        clock.run(until=at)
        found.append(snapshot(clock.plane, at))
    return found


CHOSEN = ("crowd-eevdf-docker", "limited-eevdf", "docker-on-kvm", "serial-bare-metal", "served-by-vhost", "eventful-esxi", "eventful-memory-kvm", "crowd-gps-kvm", "closed")
"""Worlds that have what a trace shows, once each; the others take a minute."""


@pytest.mark.parametrize("name", [name if name in CHOSEN else pytest.param(name, marks=[pytest.mark.slow, pytest.mark.verification]) for name in WORLDS])
def test_a_trace_changes_nothing_and_adds_up(name: str, tmp_path: Path) -> None:
    """All columns of all tables are those of a run without; what CPUs did is what their counters say, to the nanosecond."""
    spec = loads(WORLDS[name])
    plane, trace, _ = run_traced(spec, tmp_path / "t.json")
    plain = begun(spec)
    plain.run(until=UNTIL)
    own, other = columns(plain.plane), columns(plane)
    assert [key for key in differences(own, other) if not key.startswith("trace.")] == []
    first, last = totals(spec, FIRST, LAST)
    if not plane.read("machines", "fluid").any():
        assert trace.total("pCPUs", category="running") == last.busy - first.busy
        assert trace.total("vCPUs", "steal", "throttled", "co-stop") == (last.steal - first.steal).sum()
    for track, line in trace.slices.items():
        if trace.processes[track[0]].startswith("vCPUs"):
            assert sum(s.length for s in line) == LAST - FIRST, "a vCPU is in some state at any time"

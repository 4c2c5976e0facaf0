"""The control plane in traces: what the file says is what the result says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from helpers.trace_files import TraceFile, read_trace

import simvirt
from simvirt.errors import UsageError
from simvirt.result.run_document import PlatformResult

S = 10**9
STACKS = {"kubernetes": "containerd", "swarm": "docker", "compose": "docker", "mesos": "docker", "none": "docker", "vm-cluster": "kvm"}
TIMELINE = [
    {"at": "10s", "update": "web", "image": "nginx:1.28"}, {"at": "40s", "scale": "web", "replicas": 6}, {"at": "60s", "fail": "web", "how": "process"},
    {"at": "80s", "fail": "node[1]", "how": "power", "for": "30s"}, {"at": "8min", "scale": "web", "replicas": 2},
]


def scenario(orchestrator: str, timeline: list[dict[str, Any]], duration: str = "10min", **fields: Any) -> simvirt.Scenario:
    """Four replicas on three hosts."""
    service = {
        "image": "nginx:1.27", "restart": "always", "threads": 8, "operations": {"get": [{"cpu": "2ms"}]},
        "deploy": {"replicas": 4, "resources": {"reservations": {"cpus": 0.5}}},
    }
    return simvirt.loads(json.dumps({
        "simvirt": 1, "name": "acts", "hosts": {"node": {"count": 3, "cores": 8, "memory": "32GiB"}},
        "platforms": [{"name": "x", "stack": [STACKS[orchestrator]], "orchestrator": orchestrator}], "services": {"web": service},
        "state": {"images": "present", "instances": "up"}, "workload": {"open": {"rate": "5/s"}}, "timeline": timeline,
        "run": {"duration": duration, "replications": 1, "warmup": "0s"}} | fields))


def traced(spec: simvirt.Scenario, folder: Path, **window: Any) -> tuple[TraceFile, PlatformResult]:
    """The control plane of a run as its trace has it, and its result."""
    result = simvirt.run(spec, maximum=False, trace=simvirt.Trace(folder / "t.json", of="control", **window))
    return read_trace(folder / "t.json"), result.typed().platforms["x"]


@pytest.mark.parametrize("orchestrator", STACKS)
def test_lives_levels_and_events_are_those_of_the_result(orchestrator: str, tmp_path: Path) -> None:
    """Time in which instances are ready is that of the counters; each event that was told is an instant; each start has its phases."""
    trace, found = traced(scenario(orchestrator, TIMELINE), tmp_path)
    assert found.happened is not None and found.scaling is not None
    ready = {at: values["ready"] for at, values in next(iter(trace.counters.values()))}
    course = {round(level.at_s * S): level.ready for level in found.scaling.services["web"].course}
    assert ready == course and {name for _, name in trace.counters} == {"replicas of web"}
    ends = [*list(ready)[1:], 600 * S]
    assert trace.total("instances", "ready") == sum(many * (until - at) for (at, many), until in zip(ready.items(), ends, strict=True))
    told = [(round(event.at_s * S), event.what) for event in found.happened.events]
    assert [(at, name.split(" ", 1)[1] if name.startswith("web-") else name) for _, at, name, _ in trace.instants] == told
    states = [s for s in trace.of("instances") if s.category == "state"]
    assert len([s for s in states if s.name == "starting"]) == sum(what in ("start", "restart") for _, what in told)
    assert {"control plane", "instances", "node[1]", "web", "web 0"} <= {*trace.tracks.values(), *trace.processes.values()}
    down, = (s for s in trace.of("control plane") if s.name == "down")
    assert down.since == 80 * S and down.until == next(at for at, what in told if what == "up")


def test_a_life_holds_its_states_and_a_start_its_phases(tmp_path: Path) -> None:
    """The phases of a start fill it, but for the delays of the orchestrator; what they take together is what the result says."""
    spec = scenario("kubernetes", [{"at": "10s", "scale": "web", "replicas": 5}], "1min")
    trace, found = traced(spec, tmp_path)
    lines = [[s for s in line if s.name == "starting"] for line in trace.slices.values()]
    start, = (s for line in lines for s in line)
    phases = [s for s in trace.of("instances") if s.category == "phase" and s.name != "waits"]
    assert found.lifecycle is not None
    assert sum(s.length for s in phases) / S == pytest.approx(sum(phase.mean_s.value or 0.0 for phase in found.lifecycle.phases), abs=1e-6)
    assert all(start.since <= s.since and s.until <= start.until for s in phases)
    life = next(s for s in trace.slices[start.track] if s.category == "life")
    assert (life.name, life.args["host"], life.since, life.until) == ("web-4", "node[1]", start.since, 60 * S)


def test_moves_of_vms_are_slices_with_their_parts(tmp_path: Path) -> None:
    spec = scenario("vm-cluster", [{"at": "5s", "migrate": "web", "replica": 0, "to": "node[2]"}], "2min")
    trace, found = traced(spec, tmp_path)
    assert found.migrations
    move, = found.migrations
    whole, copies, still = trace.of("moves of VMs")
    assert (whole.name, copies.name, still.name) == ("moves to node[2]", "copies", "stands still")
    assert still.length / S == pytest.approx(move.downtime_s.value) and whole.args["sent bytes"] == pytest.approx(move.sent_bytes)


def test_a_window_cuts_what_began_before_it_and_a_detailed_trace_has_the_same_tracks(tmp_path: Path) -> None:
    """Both kinds of trace of the same ten seconds have the same instants, counters and lives."""
    spec = scenario("kubernetes", TIMELINE[:2], "1min")
    trace, _ = traced(spec, tmp_path, start="15s", length="10s")
    simvirt.run(spec, maximum=False, trace=simvirt.Trace(tmp_path / "all.json", "15s", "10s"))
    detailed = read_trace(tmp_path / "all.json")
    assert detailed.of("instances") == trace.of("instances") and detailed.instants == trace.instants
    assert detailed.of("requests") and not trace.of("requests")
    assert all(s.since >= 15 * S and s.until <= 25 * S for s in trace.of("instances"))
    (at, values), *_ = trace.counters[next(key for key in trace.counters if key[1] == "replicas of web")]
    assert at == 15 * S and values["wanted"] == 4


def test_a_control_trace_changes_nothing_and_covers_a_run_that_ends_by_requests(tmp_path: Path) -> None:
    spec = scenario("kubernetes", [], "1min", run={"requests": 100, "replications": 1})
    result = simvirt.run(spec, maximum=False, trace=simvirt.Trace(tmp_path / "t.json", of="control"))
    plain = simvirt.run(spec, maximum=False).typed().platforms["x"]
    assert result.typed().platforms["x"].model_dump(exclude={"wall_s"}) == plain.model_dump(exclude={"wall_s"})
    assert read_trace(tmp_path / "t.json").other["from_s"] == 0 and result.traced is not None and result.traced.ended is not None


def test_what_a_trace_is_of_is_one_of_two(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"trace\.of: expected all or control; got .everything."):
        simvirt.run(scenario("none", []), trace=simvirt.Trace(tmp_path / "t.json", of="everything"))

"""Traces: what they say is what the run did, and the run does not know of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.support import MS, begun, columns, differences, scenario, service, write
from helpers.trace_files import TraceFile, read_trace
from helpers.worlds import worlds

import simvirt
from simvirt.gauges import Snapshot, snapshot
from simvirt.kernel import constants as k
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


def small(workload: dict[str, Any] | None = None, run: dict[str, Any] | None = None, **fields: Any) -> Scenario:
    """A front that calls a store, in two VMs with three vCPUs each on two CPUs."""
    services = {
        "front": service({"cpu": {"exponential": "2ms"}}, {"call": "store.get"}, threads=8, scale=2, cpus=1.5),
        "store": service({"cpu": {"exponential": "1ms"}}, {"disk": {"read": "8KiB"}}, threads=2, operation="get", cpus=1.5),
        "hog": {"background": {"threads": 2}, "cpus": 2},
    }
    host = {"cores": 2, "memory": "16GiB", "disk": "sata-ssd"}
    chosen = {"platforms": ["kvm"], "host": host} | fields
    return scenario(services, workload or {"open": {"rate": "150/s"}, "mix": {"front.job": 1}}, {"duration": "1s", "warmup": "200ms"} | (run or {}), **chosen)


def test_the_running_slices_of_pcpus_are_the_utilisation(tmp_path: Path) -> None:
    spec = small({"closed": {"clients": 3, "think": "5ms"}, "mix": {"front.job": 1}}, platforms=["docker"])
    result = simvirt.run(spec, maximum=False, trace=simvirt.Trace(tmp_path / "t.json", "200ms", "800ms"))
    found, = result.outcomes("docker")
    trace = read_trace(tmp_path / "t.json")
    assert trace.total("pCPUs", category="running") / (0.8e9 * 2) == pytest.approx(found.utilisation, rel=1e-9)
    assert trace.tracks.keys() == trace.slices.keys()


def test_a_traced_run_has_the_same_result_and_is_told_what_was_written(tmp_path: Path) -> None:
    def bytes_of(result: simvirt.Result) -> str:
        document = result.document()
        for part in (document, *document["platforms"].values()):
            part.pop("wall_s")
        return json.dumps(document)

    spec = small(run={"observe": "50ms", "replications": 2}, platforms=["docker", "kvm"])
    traced = simvirt.run(spec, maximum=False, trace=simvirt.Trace(tmp_path / "t.json.gz", "0.3s", "0.2s", "kvm"), jobs=2)
    assert bytes_of(traced) == bytes_of(simvirt.run(spec, maximum=False))
    trace, said = read_trace(tmp_path / "t.json.gz"), traced.traced
    assert said is not None and (said.events, said.size) == (trace.events, (tmp_path / "t.json.gz").stat().st_size)
    assert trace.other == {
        "simvirt": simvirt.__version__, "scenario": "test", "platform": "kvm", "from_s": Decimal("0.3"), "to_s": Decimal("0.5"), "left_out": "",
    }
    assert [file.name for file in tmp_path.iterdir()] == ["t.json.gz"]


def test_requests_flow_from_their_lane_through_the_threads_of_services(tmp_path: Path) -> None:
    """Each call that a thread took in the window has an arrow from the track of its caller, at the instant of the call."""
    _, trace, _ = run_traced(small(platforms=["docker"]), tmp_path / "t.json")
    ways = Counter((trace.processes[left[0]], trace.processes[right[0]]) for left, _, right, _ in trace.flows)
    fronts, store = ("threads of front-0", "threads of front-1"), "threads of store-0"
    assert ways.keys() == {*(("requests", front) for front in fronts), *((front, store) for front in fronts)}
    inside = [s for s in trace.of(store) if s.name == "store.get" and s.args["request"] and s.since > FIRST]
    assert ways[fronts[0], store] + ways[fronts[1], store] == pytest.approx(len(inside), abs=8)
    lanes = {s.args["request"]: s for s in trace.of("requests") if s.category == "request"}
    assert all(lanes[s.args["request"]].since <= s.since and s.until <= lanes[s.args["request"]].until for s in inside)
    answered = [s for s in lanes.values() if s.args.get("outcome") == "answered" and s.since > FIRST]
    assert answered and all(s.length == round(float(s.args["latency_us"]) * 1000) for s in answered)


def test_states_of_calls_are_the_breakdown_of_their_latencies(tmp_path: Path) -> None:
    """Of a run that is traced from its beginning to its end: what its threads waited for is what the books say of all answers."""
    workload = {"open": {"rate": "100/s"}, "mix": {"front.job": 1}}
    spec = small(workload, {"duration": "2s"}, timeline=[], platforms=["docker"])
    plane, trace, _ = run_traced(spec, tmp_path / "t.json", 0, 2000 * MS, 2000 * MS)
    spent = plane.read("tallies", "spent").reshape(-1, k.N_CATEGORIES).sum(axis=0)
    busy = sum(spent[state] for state in (k.CPU, k.VIRTUALIZATION, k.INTERFERENCE))
    names = ("threads of front", "threads of store", "requests")
    under_way = sum(s.length for s in trace.of("requests") if s.category == "request" and "outcome" not in s.args)
    for state, expected in (("running", busy), ("run queue", spent[k.RUN_QUEUE]), ("disk", spent[k.DISK]), ("throttled", spent[k.THROTTLED])):
        found = sum(s.length for name in names for s in trace.of(name) if s.name == state and s.category == "state")
        assert expected <= found <= expected + under_way, state


def test_counters_are_the_levels_of_lines_and_devices(tmp_path: Path) -> None:
    plane, trace, _ = run_traced(small(), tmp_path / "t.json", LAST - MS, LAST, LAST)
    pids = {name: pid for pid, name in trace.processes.items()}
    last = {key: line[-1][1] for key, line in trace.counters.items()}
    assert last[pids["requests"], "in the system"] == {"requests": plane.read("tallies", "in_system")[0]}
    assert last[pids["devices"], "disk"]["in service"] == plane.read("disks", "in_service")[0]
    for row in plane.instances_of("front"):
        waiting, inside = plane.read("instances", "queue_length")[row], plane.read("instances", "in_flight")[row]
        replica = plane.lowered.arrangement.instances[row].replica
        assert last[pids[f"threads of front-{replica}"], "calls"] == {"in service": inside - waiting, "waiting": waiting}


def test_devices_have_the_names_of_their_hosts_and_links_those_of_their_ends(tmp_path: Path) -> None:
    """Of several hosts; what follows the NICs of all hosts are the links of the network."""
    network = {"switches": ["a", "b"], "links": [
        {"from": "node[0]", "to": "a"}, {"from": "node[1]", "to": "b"}, {"from": "a", "to": "b", "bandwidth": "10Mbps"}]}
    services = {
        "front": service({"cpu": "1ms"}, {"call": "store.get"}, threads=8, deploy={"placement": {"constraints": ["host == node[0]"]}}),
        "store": service({"disk": {"read": "8KiB"}}, threads=4, operation="get", deploy={"placement": {"constraints": ["host == node[1]"]}}),
    }
    hosts = {"node": {"count": 2, "cores": 2, "memory": "16GiB"}}
    document = yaml.safe_load(write(services, {"open": {"rate": "200/s"}, "mix": {"front.job": 1}}, {"duration": "1s"}, hosts=hosts, network=network))
    del document["host"]
    _, trace, _ = run_traced(loads(yaml.safe_dump(document)), tmp_path / "t.json")
    used = {name for (pid, name), line in trace.counters.items() if trace.processes[pid] == "devices" and any(any(n for n in v.values()) for _, v in line)}
    assert used == {"a > b", "b > a", "node[0] NIC in", "node[0] NIC out", "node[1] NIC in", "node[1] NIC out", "node[1] disk"}


def test_memory_events_are_those_of_the_account(tmp_path: Path) -> None:
    spec = loads(WORLDS["eventful-memory-docker"])
    plane, trace, _ = run_traced(spec, tmp_path / "t.json", 0, UNTIL, UNTIL)
    account = plane.memory
    assert account is not None
    for name, word in (("swapped_out", "swap out"), ("compressed", "compress"), ("swapped_in", "swap in")):
        moved = sum(args["bytes"] for _, _, said, args in trace.instants if said == word)
        assert moved == pytest.approx(getattr(account, name), abs=1e6 + 0.2 * getattr(account, name)), name
    assert [args["what"] for _, _, said, args in trace.instants if said == "OOM kill"] == account.kills
    assert any(name == "host memory" for _, name in trace.counters)


@pytest.mark.parametrize(("caps", "kept"), [({"most_events": 3000}, 3000), ({"most_bytes": 60_000}, 100_000)])
def test_a_trace_that_is_too_large_ends_early_and_says_so(tmp_path: Path, caps: dict[str, int], kept: int) -> None:
    plane, trace, recorder = run_traced(small(), tmp_path / "t.json", **caps)
    assert trace.events <= kept if "most_events" in caps else (tmp_path / "t.json").stat().st_size <= kept * 10
    assert recorder.timeline.full and recorder.timeline.ended is not None and recorder.timeline.ended < LAST
    assert trace.other["left_out"] == recorder.lacks()[0] and "left out: the last" in trace.other["left_out"]
    plain = begun(small())
    plain.run(until=UNTIL)
    assert [key for key in differences(columns(plain.plane), columns(plane)) if not key.startswith("trace.")] == []


def test_calls_beyond_those_that_are_looked_at_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simvirt.trace.recorder.MOST_FRAMES", 3)
    _, trace, recorder = run_traced(small(), tmp_path / "t.json")
    assert {name for (pid, _), name in trace.tracks.items() if trace.processes[pid] == "requests"} <= {f"lane {n}" for n in (1, 2, 3)}
    assert any("calls at a time, beyond 3" in lack for lack in recorder.lacks())


def test_plain_and_compiled_kernel_give_the_same_trace(tmp_path: Path) -> None:
    """The plain one in another process, with another hash seed; the same where there is no other kernel."""
    code = "import sys; import simvirt; simvirt.run(simvirt.load(sys.argv[1]), maximum=False, trace=simvirt.Trace(sys.argv[2], '50ms', '60ms'))"
    (tmp_path / "s.yaml").write_text(WORLDS["shop-kvm"].replace("requests: 200", "duration: 120ms"))
    files = [tmp_path / "plain.json.gz", tmp_path / "own.json.gz"]
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s.yaml"), str(files[0])], env=os.environ | {"SIMVIRT_PLAIN": "1", "PYTHONHASHSEED": "7"}, check=True)
    simvirt.run(simvirt.load(tmp_path / "s.yaml"), maximum=False, trace=simvirt.Trace(files[1], "50ms", "60ms"))
    assert files[0].read_bytes() == files[1].read_bytes()
    assert read_trace(files[0]).events > 200

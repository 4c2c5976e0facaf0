"""Partitions: who reaches whom while one lasts, hosts, clients and what looks after the cluster, and what becomes of what crosses it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from helpers.support import MS, S, service, write

import simvirt
from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.errors import ScenarioError
from simvirt.gauges import snapshot
from simvirt.metrics.measure import checks
from simvirt.runs.replicate import make_plane
from simvirt.scenario import loads

STEADY = {"open": {"rate": "100/s", "arrivals": "deterministic"}, "mix": {"web.job": 1}}


def world(*events: dict[str, Any], orchestrator: str | None = None, hosts: int = 2, duration: str = "400s", workload: Any = STEADY, **web: Any) -> tuple[Clock, Cluster]:
    """A replica on each host that answers after ten milliseconds, 50/s each, and what fails."""
    services = {"web": service({"delay": "10ms"}, threads="unlimited", scale=hosts, restart="always") | web}
    platform: Any = "docker" if orchestrator is None else {"name": "x", "stack": ["docker"], "orchestrator": orchestrator}
    more = {} if orchestrator is None else {"state": {}}
    text = write(services, workload, {"duration": duration, "warmup": "0s"}, timeline=list(events), platforms=[platform], failures={"unanswered": "2s"}, **more)
    document = yaml.safe_load(text)
    document["hosts"] = {"node": document.pop("host") | {"count": hosts, "cores": 4, "max_cstate": "none"}}
    spec = loads(yaml.safe_dump(document, sort_keys=False))
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[0]), spec.run.seed, 0))
    return clock, begin(clock, spec, catalog)


def cut(lasts: str | None = None, clients: str | None = None, at: str = "1.005s", fail: str = "node[1]") -> dict[str, Any]:
    """A partition."""
    found = {"at": at, "fail": fail, "how": "partition", "for": lasts, "clients": clients}
    return {key: value for key, value in found.items() if value is not None}


def tallies(clock: Clock) -> dict[str, int]:
    """What has become of all requests, and how many are under way."""
    found = {name: int(clock.plane.read("tallies", name).sum()) for name in ("arrived", "completed", "rejected", "failed")}
    found["inside"] = int(clock.plane.read("tallies", "in_system")[0])
    assert found["arrived"] == sum(found.values()) - found["arrived"]
    return found


@pytest.mark.parametrize(("clients", "failed"), [(None, 0), ("both", 0), ("rest", 301), ("cut", 300)])
def test_what_clients_send_to_hosts_that_they_do_not_reach_fails_until_load_balancing_has_noticed(clients: str | None, failed: int) -> None:
    """Six seconds of the checks of what balances requests, half of 100/s; one more was being answered by the host that is cut off."""
    clock, cluster = world(cut("60s", clients))
    clock.run(until=100 * S)
    found = tallies(clock)
    assert found["failed"] == failed and found["inside"] <= 1
    assert cluster.outages[0].noticed == (round(7.005 * S) if failed else None)
    assert sum(clock.plane.is_ready(row) for row in clock.plane.instances_of("web")) == 2
    assert set(checks(clock.plane, snapshot(clock.plane, 100 * S)).values()) == {"ok"}


def test_a_short_cut_delays_requests_by_their_retransmissions_and_loses_none() -> None:
    """Cut for a second: what was sent at its beginning passes at the third retransmission, 1.4 s later."""
    clock, _ = world(cut("1s", "rest"))
    clock.run(until=10 * S)
    found = tallies(clock)
    assert found["failed"] == 0 and int(clock.plane.read("tallies", "latency_max").max()) == pytest.approx(1400 * MS + 10 * MS, abs=MS)


def test_answers_to_clients_cross_the_cut_too() -> None:
    """What is answered during the cut waits, though it was sent before."""
    clock, _ = world(cut("100ms", "rest", at="1.015s"))
    clock.run(until=1 * S + 200 * MS)
    assert tallies(clock)["inside"] >= 5, "what arrived in the cut at one of both, and the answer of what arrived before"
    clock.run(until=3 * S)
    assert tallies(clock)["failed"] == 0 and tallies(clock)["inside"] <= 1


def test_the_tries_of_guarded_clients_are_cut_off_too() -> None:
    workload = STEADY | {"timeout": "100ms"}
    clock, _ = world(cut("60s", "rest"), workload=workload)
    clock.run(until=100 * S)
    assert tallies(clock)["failed"] == 301


@pytest.mark.parametrize(("orchestrator", "lost"), [("kubernetes", 40), ("compose", 6)])
def test_an_orchestrator_is_on_the_side_of_the_rest(orchestrator: str, lost: int) -> None:
    """Its endpoints leave out what is cut off; clients on the other side keep to what they reach."""
    for clients in ("rest", "cut"):
        clock, _ = world(cut("50s", clients), orchestrator=orchestrator)
        clock.run(until=48 * S)
        ready = [row for row in range(2) if int(clock.plane.read("instances", "ready_slot")[clock.plane.instances_of("web")[row]]) >= 0]
        assert ready == ([0] if clients == "rest" else [1])
        clock.run(until=100 * S)
        assert tallies(clock)["failed"] == pytest.approx(50 * lost, abs=3)


def test_what_is_asked_of_a_host_beyond_the_cut_waits() -> None:
    """A replica that is wanted where the managers do not reach the host is started once they do."""
    clock, cluster = world(cut("30s"), {"at": "2s", "scale": "web", "replicas": 4}, orchestrator="kubernetes")
    clock.run(until=30 * S)
    before = sorted(life.host for life in cluster.lives)
    clock.run(until=60 * S)
    assert before == [0] and sorted(life.host for life in cluster.lives) == [0, 1]


def test_a_host_that_boots_behind_a_cut_comes_back_with_the_end_of_the_cut() -> None:
    clock, cluster = world(cut("300s", at="1s"), {"at": "60s", "fail": "node[1]", "for": "1s"}, orchestrator="kubernetes")
    clock.run(until=290 * S)
    assert not cluster.is_down(1) and not clock.plane.is_ready(clock.plane.instances_of("web")[1])
    clock.run(until=399 * S)
    assert clock.plane.is_ready(clock.plane.instances_of("web")[1])


def test_two_cuts_of_a_host_both_have_to_end() -> None:
    clock, _ = world(cut("20s", "rest", at="1s"), cut("60s", "rest", at="2s"))
    clock.run(until=40 * S)
    assert int(clock.plane.read("hosts", "shut")[1]) == 1 and tallies(clock)["failed"] == pytest.approx(300, abs=2)
    clock.run(until=70 * S)
    assert int(clock.plane.read("hosts", "shut")[1]) == 0


def test_a_side_of_clients_means_nothing_without_a_partition() -> None:
    with pytest.raises(ScenarioError) as caught:
        world({"at": "1s", "fail": "node[1]", "clients": "rest"})
    assert [issue.path for issue in caught.value.issues] == ["timeline.0.clients"] and "partition" in caught.value.issues[0].message


@pytest.mark.parametrize(("lasts", "moves"), [("5s", True), ("40s", False)])
def test_a_migration_bears_a_cut_as_long_as_its_connection(lasts: str, moves: bool) -> None:
    """libvirt gives a connection up on which nothing has come for 30 s; the VM goes on where it is."""
    services = {"db": service({"delay": "1ms"}, threads=4, mem_limit="4GiB", memory={"base": "3GiB"})}
    text = write(services, {"open": {"rate": "10/s"}, "mix": {"db.job": 1}}, {"duration": "100s", "warmup": "0s"}, platforms=[{"name": "kvm", "migrator": "libvirt"}],
                 timeline=[{"at": "2s", "migrate": "db", "to": "node[1]"}, cut(lasts, at="3s", fail="node[0]")])
    document = yaml.safe_load(text)
    document["hosts"] = {"node": document.pop("host") | {"count": 2, "cores": 4, "nic": "1gbe"}}
    spec = loads(yaml.safe_dump(document, sort_keys=False))
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[0]), spec.run.seed, 0))
    cluster = begin(clock, spec, catalog)
    clock.run(until=99 * S)
    (move,) = cluster.moves
    assert (move.ended is not None, move.why == "its connection was lost") == (moves, not moves)
    assert cluster.host_of(clock.plane.instances_of("db")[0]) == int(moves) and tallies(clock)["failed"] == 0


def test_requests_that_a_cut_lost_are_not_said_to_be_lost_in_crashes() -> None:
    said = {
        how: " ".join(simvirt.run(simvirt.loads(json.dumps({
            "simvirt": 1, "name": "cut", "hosts": {"node": {"count": 2, "cores": 2, "memory": "4GiB"}}, "platforms": ["docker"],
            "services": {"web": {"scale": 2, "threads": 4, "operations": {"job": [{"cpu": "1ms"}]}}}, "workload": STEADY,
            "timeline": [{"at": "2s", "fail": "node[1]", "how": how, **({"clients": "rest"} if how == "partition" else {})}],
            "run": {"duration": "20s", "replications": 1, "warmup": "0s"},
        })), maximum=False).warnings()) for how in ("partition", "power")}
    assert "of the requests failed" in said["partition"] and "of the requests were lost in crashes" in said["power"]

"""Failures: what each takes with it, what callers meet, what comes back, and that nothing is lost to the account."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from helpers.support import MS, S, service, write

from simvirt.catalog import Catalog
from simvirt.catalog.resolve.startups import boot_of_host
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.control.lifecycle import Process
from simvirt.control.memory import follow_all
from simvirt.errors import ScenarioError
from simvirt.gauges import snapshot
from simvirt.kernel import constants as k
from simvirt.lowering.arrange import MEMORY_SERVICE
from simvirt.metrics.measure import checks
from simvirt.runs.replicate import make_plane
from simvirt.scenario import loads

STEADY = {"open": {"rate": "100/s", "arrivals": "deterministic"}, "mix": {"web.job": 1}}


def world(*events: dict[str, Any], hosts: int = 2, platform: Any = "docker", duration: str = "400s", **fields: Any) -> Any:
    """Replicas of a service on as many hosts, ten milliseconds of delay a request, and what fails, from one second on."""
    services = {"web": service({"delay": "10ms"}, threads="unlimited", scale=hosts, restart="always") | fields.pop("web", {})}
    text = write(services | fields.pop("services", {}), STEADY, {"duration": duration, "warmup": "0s"},
                 timeline=[{"at": "1.005s"} | event for event in events], platforms=[platform], failures={"unanswered": "2s"}, **fields)
    document = yaml.safe_load(text)
    document["hosts"] = {"node": document.pop("host") | {"count": hosts, "cores": 4, "max_cstate": "none"}}
    return loads(yaml.safe_dump(document, sort_keys=False))


def begun(spec: Any) -> tuple[Clock, Cluster]:
    """A replication at its start."""
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[0]), spec.run.seed, 0))
    return clock, begin(clock, spec, catalog)


def tallies(clock: Clock) -> dict[str, int]:
    """What has become of all requests, and how many are under way."""
    found = {name: int(clock.plane.read("tallies", name).sum()) for name in ("arrived", "completed", "rejected", "failed")}
    return found | {"inside": int(clock.plane.read("tallies", "in_system")[0])}


def lives(clock: Clock, name: str = "web") -> list[int]:
    """The lives of a service's replicas."""
    return [int(clock.plane.read("instances", "life")[row]) for row in clock.plane.instances_of(name)]


def test_a_host_without_power_takes_what_it_works_on_and_nothing_else() -> None:
    clock, cluster = begun(world({"fail": "node[1]"}))
    clock.run(until=1004 * MS)
    assert tallies(clock)["failed"] == 0
    clock.run(until=100 * S)
    (outage,) = cluster.outages
    found = tallies(clock)
    assert (outage.where, [cluster.called(row) for row in outage.rows], outage.requests) == ("node[1]", ["web-1"], 1)
    assert lives(clock) == [k.READY, k.GONE]
    assert found["arrived"] == found["completed"] + found["failed"] + found["rejected"] + found["inside"]
    assert found["failed"] == outage.requests + 300, "half of 100/s for the six seconds until load balancing leaves it out"


def test_callers_of_a_kernel_that_is_gone_wait_and_those_of_a_process_that_ended_do_not() -> None:
    gone, _ = begun(world({"fail": "node[1]"}))
    gone.run(until=2900 * MS)
    assert tallies(gone)["failed"] == 0 < tallies(gone)["inside"]
    gone.run(until=3100 * MS)
    assert tallies(gone)["failed"] > 0, "two seconds after the first of them"
    ended, _ = begun(world({"fail": "web", "replica": 1, "how": "process"}))
    ended.run(until=1100 * MS)
    assert tallies(ended)["failed"] == 1


def test_a_host_boots_and_its_daemon_starts_what_its_policy_says() -> None:
    services = {"once": service({"delay": "1ms"}, scale=2)}
    clock, cluster = begun(world({"fail": "node[1]", "for": "60s"}, services=services))
    host = cluster.plane.lowered.hosts[1]
    waits = sum(phase.wait_ns for phase in boot_of_host(cluster.catalog, host)) / S
    clock.run(until=round((1.005 + 60 + waits) * S))
    assert lives(clock) == [k.READY, k.GONE] and cluster.is_down(1)
    clock.run(until=300 * S)
    assert lives(clock) == [k.READY, k.READY] and lives(clock, "once") == [k.READY, k.GONE]
    assert [life.service for life in cluster.lives] == ["web"]


@pytest.mark.parametrize(("platform", "taken"), [("docker", ["web-0", "db-0"]), ("kvm", ["web-0"])])
def test_a_kernel_panic_takes_all_containers_of_a_host_and_one_vm_otherwise(platform: str, taken: list[str]) -> None:
    services = {"db": service({"delay": "1ms"})}
    clock, cluster = begun(world({"fail": "web", "replica": 0, "how": "kernel-panic"}, hosts=1, platform=platform, services=services, duration="30s"))
    clock.run(until=29 * S)
    assert [cluster.called(row) for row in cluster.outages[0].rows] == taken
    assert lives(clock) == [k.GONE if platform == "docker" else k.READY], "a guest has booted by then, a host has not"


def test_a_process_that_ends_again_waits_longer_for_its_restart() -> None:
    events = [{"at": f"{at}s", "fail": "web", "how": "process"} for at in (1, 2, 3)]
    clock, cluster = begun(world(*events, hosts=1))
    clock.run(until=20 * S)
    assert [round((life.asked - at * S) / MS) for life, at in zip(cluster.lives, (1, 2, 3), strict=True)] == [100, 200, 400]


@pytest.mark.parametrize(("lasts", "lost"), [("1s", False), ("5s", True)])
def test_calls_across_a_cut_are_sent_again_until_their_caller_gives_up(lasts: str, lost: bool) -> None:
    web, db = {"operations": {"job": [{"call": "db.get"}]}}, {"db": service({"delay": "1ms"}, operation="get", threads="unlimited")}
    clock, _ = begun(world({"fail": "node[1]", "how": "partition", "for": lasts}, web=web, services=db, duration="30s"))
    clock.run(until=20 * S)
    found = tallies(clock)
    assert found["inside"] <= 1 and (found["failed"] > 0) == lost
    assert found["completed"] + found["failed"] + found["inside"] == found["arrived"]


def test_a_slow_disk_is_so_many_times_as_slow_for_as_long_as_it_says() -> None:
    read = {"web": {"operations": {"job": [{"disk": {"read": "4KiB", "hit": 0}}]}}, "duration": "30s"}
    means = []
    for factor in (None, 20):
        event = {"fail": "node[0-1]", "how": "slow-disk", "factor": factor or 2, "for": "10s"}
        clock, _ = begun(world(event | ({} if factor else {"at": "29s"}), **read))
        clock.run(until=10 * S)
        before = [float(clock.plane.read("tallies", name).sum()) for name in ("latency_sum", "completed")]
        clock.run(until=11 * S)
        after = [float(clock.plane.read("tallies", name).sum()) for name in ("latency_sum", "completed")]
        means.append((after[0] - before[0]) / (after[1] - before[1]))
    assert means[1] / means[0] == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize("event", [
    {"fail": "node[0]", "for": "5s"}, {"fail": "node", "how": "kernel-panic", "for": "1ms"}, {"fail": "web", "how": "kernel-panic"},
    {"fail": "pool == node", "how": "loss", "ratio": "50%"},
])
@pytest.mark.parametrize("platform", ["docker", "docker-on-kvm", "xen-pv"])
def test_laws_hold_whatever_fails(event: dict[str, Any], platform: str) -> None:
    web, db = {"operations": {"job": [{"cpu": "1ms"}, {"call": "db.get"}]}}, {"db": service({"cpu": "1ms"}, operation="get", scale=2)}
    clock, _ = begun(world(event, platform=platform, web=web, services=db, duration="200s"))
    clock.run(until=199 * S)
    assert set(checks(clock.plane, snapshot(clock.plane, 199 * S)).values()) == {"ok"}


@pytest.mark.parametrize(("orchestrator", "lost_s", "evicted_s"), [("compose", 6, None), ("swarm", 15, 15), ("kubernetes", 40, 340)])
def test_an_orchestrator_replaces_what_a_host_had_after_its_documented_time(orchestrator: str, lost_s: int, evicted_s: int | None) -> None:
    platform = {"name": "x", "stack": ["docker"], "orchestrator": orchestrator}
    clock, cluster = begun(world({"at": "1s", "fail": "node[1]"}, platform=platform, state={}))
    clock.run(until=400 * S)
    told = {(event.what, event.who): event.at / S - 1 for event in cluster.story.events if event.at > S}
    assert told["lost", "node[1]"] == lost_s and told.get(("lost", "web-1")) == evicted_s
    assert [one.host for one in cluster.lives] == ([] if evicted_s is None else [0]), "the replacement stands on the other host"
    found = tallies(clock)
    assert found["arrived"] == found["completed"] + found["failed"] + found["rejected"] + found["inside"]
    assert found["failed"] == pytest.approx(50 * lost_s, abs=2), "half of 100/s until load balancing knows"


def test_a_host_that_is_back_in_time_keeps_its_tasks() -> None:
    platform = {"name": "x", "stack": ["docker"], "orchestrator": "kubernetes"}
    clock, cluster = begun(world({"at": "1s", "fail": "node[1]", "for": "30s"}, platform=platform, state={}))
    clock.run(until=399 * S)
    assert [(one.service, one.host) for one in cluster.lives] == [("web", 1)] and lives(clock)[:2] == [k.READY, k.READY]
    assert "lost" not in {event.what for event in cluster.story.events if event.who == "web-1"}


def test_what_is_cut_off_for_long_is_replaced_and_what_is_reached_again_in_time_is_not() -> None:
    platform = {"name": "x", "stack": ["docker"], "orchestrator": "swarm"}
    for lasts, replaced in (("10s", 0), ("60s", 1)):
        clock, cluster = begun(world({"fail": "node[1]", "how": "partition", "for": lasts}, platform=platform, state={}))
        clock.run(until=100 * S)
        assert len(cluster.lives) == replaced and tallies(clock)["completed"] >= 0.99 * tallies(clock)["arrived"]


def test_a_registry_that_does_not_answer_holds_up_what_is_pulled() -> None:
    ready = []
    for event in ({"at": "399s"}, {"at": "0s"}):
        clock, cluster = begun(world(event | {"fail": "docker-hub", "how": "registry", "for": "20s"}, hosts=1, state={"images": "none", "instances": "none"}, web={"image": "nginx:1.27"}))
        clock.run(until=200 * S)
        ready.append([life.ready for life in cluster.lives])
    assert ready[0][0] is not None and (ready[1][0] is None or ready[1][0] > ready[0][0])


def test_a_way_that_there_is_not_is_one_mistake() -> None:
    """All ways to fail and to move stand in one list, under the key alone."""
    with pytest.raises(ScenarioError) as caught:
        world({"fail": "web", "how": "explode"})
    (mistake,) = caught.value.issues
    assert mistake.path == "timeline.0.how" and "power, kernel-panic" in mistake.message and "post-copy" in mistake.message


def test_who_rests_on_a_kernel_that_is_gone_rests_no_more() -> None:
    """Requests in a delay of ten seconds held their threads until it was over: more threads were busy than there were."""
    clock, _ = begun(world({"fail": "node[0]"}, hosts=1, web=service({"delay": "10s"}, threads=4, restart="no")))
    clock.run(until=1004 * MS)
    assert clock.plane.read("instances", "busy_threads").max() == 4
    clock.run(until=1006 * MS)
    assert clock.plane.read("instances", "busy_threads").max() == 0
    clock.run(until=5 * S)
    assert tallies(clock)["failed"] > 0


def test_a_host_that_dies_stops_reclaiming_and_its_memory_is_followed_once_it_is_back() -> None:
    """What its kernel worked on for the sake of memory went on without power: 141 % of the hosts that were there."""
    web = service({"delay": "10ms"}, threads="unlimited", restart="always", memory={"base": "100MiB"})
    clock, cluster = begun(world({"fail": "node[0]", "for": "1s"}, hosts=1, web=web))
    follow_all(clock)
    plane = clock.plane
    row, reclaim = plane.instances_of(MEMORY_SERVICE)[0], plane.lowered.reclaim
    assert reclaim is not None
    ended: list[int] = []

    def work() -> Process:
        with plane.perform(reclaim, row, 1e12, 0.0) as done:
            yield done
        ended.append(int(clock.now))

    clock.process(work())
    clock.run(until=1006 * MS)
    assert ended == [1005 * MS]
    busy = snapshot(plane, 1006 * MS).busy
    clock.run(until=1900 * MS)
    assert snapshot(plane, 1900 * MS).busy == busy
    clock.run(until=300 * S)
    assert not cluster.is_down(0)
    assert plane.read("instances", "life")[row] == k.READY

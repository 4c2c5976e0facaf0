"""Orchestration: instances start, stop and restart as an orchestrator decides, on the hosts that it chooses, and none is lost."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

from typing import Any

import pytest

import simvirt
from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.control.orchestrate import Orchestration
from simvirt.gauges import snapshot
from simvirt.metrics.availability import course
from simvirt.runs.replicate import make_plane

S = 1_000_000_000


def scenario(timeline: list[dict[str, Any]], stack: list[str], duration: str = "60s", **web: Any) -> dict[str, Any]:
    """A web tier on three unlike hosts under Compose."""
    service = {"image": "nginx:1.27", "restart": "always", "threads": 8, "queue": 50, "operations": {"get": [{"cpu": {"exponential": "3ms"}}, {"disk": {"write": "8KiB"}}]}}
    return {
        "simvirt": 1, "name": "orchestrated", "hosts": {"node": {"count": 2, "cores": 2, "memory": "16GiB"}, "big": {"cores": 4, "memory": "32GiB"}},
        "platforms": [{"name": "x", "stack": stack, "orchestrator": "compose"}], "services": {"web": service | web},
        "workload": {"open": {"rate": "60/s"}, "mix": {"web.get": 1}}, "run": {"duration": duration, "replications": 1, "warmup": "0s"}, "timeline": timeline,
    }


def after(document: dict[str, Any]) -> tuple[Cluster, Orchestration]:
    """The cluster at the end of a run."""
    spec = simvirt.Scenario.model_validate(document)
    catalog = Catalog.of(spec)
    plane = make_plane(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0)
    clock = Clock(plane)
    cluster = begin(clock, plane.lowered.scenario, catalog)
    clock.run(until=spec.run.duration)
    assert isinstance(cluster.orchestration, Orchestration)
    return cluster, cluster.orchestration


def told(cluster: Cluster, what: str) -> list[float]:
    """The instants at which something happened [s]."""
    return [one.at / S for one in cluster.story.events if one.what == what]


def requests_add_up(cluster: Cluster) -> bool:
    """Requests that came are answered, rejected, failed, or on their way."""
    read = cluster.plane.read
    ended = sum(int(read("tallies", name).sum()) for name in ("completed", "rejected", "failed"))
    return int(read("source", "issued")[0]) == ended + int(read("tallies", "in_system")[0])


@pytest.mark.parametrize("stack", [["docker"], ["kvm"], []], ids=["docker", "kvm", "bare"])
def test_instances_go_where_they_are_put_and_come_back(stack: list[str]) -> None:
    """The rows of later instances lie on all hosts; a constraint brings every one of them to the one host that may take it."""
    timeline = [{"at": "5s", "scale": "web", "replicas": 4}, {"at": "30s", "scale": "web", "replicas": 1}, {"at": "32s", "scale": "web", "replicas": 4}]
    cluster, orchestration = after(scenario(timeline, stack, deploy={"placement": {"constraints": ["pool == big"]}}, cpuset="0,1"))
    rows = orchestration.standing("web")
    assert set(rows) == {0, 1, 2, 3} and {cluster.name_of(cluster.host_of(row)) for row in rows.values()} == {"big[0]"}
    big = {machine.row for machine in cluster.plane.lowered.arrangement.machines if cluster.plane.host_of_machine(machine.row) == 2}
    assert {int(cluster.plane.read("instances", "machine")[row]) for row in rows.values()} <= big
    busy, at = cluster.plane.read("cpus", "busy"), cluster.plane.read("cpus", "machine")
    assert busy[at == cluster.plane.lowered.arrangement.hosts[2].machine].sum() > 2 * S
    assert all(int(cluster.plane.read("instances", "cpu_time")[row]) > 0 for row in rows.values())
    assert orchestration.ledger.started["web"] == len(rows) + sum(orchestration.ledger.ended.values()) == 7
    assert requests_add_up(cluster)


def test_an_engine_restarts_after_a_delay_that_doubles_until_a_run_lasts() -> None:
    """100 ms, 200 ms, 400 ms; after a run of ten seconds 100 ms again."""
    crashes = [{"at": at, "crash": "web"} for at in ("1s", "3s", "6s", "40s")]
    cluster, _ = after(scenario(crashes, ["docker"]))
    assert [b - a for a, b in zip(told(cluster, "failed"), told(cluster, "restart"), strict=True)] == pytest.approx([0.1, 0.2, 0.4, 0.1])


def test_what_is_not_to_be_restarted_stays_down() -> None:
    """Without a restart policy the slot stays empty, and requests are turned away."""
    cluster, orchestration = after(scenario([{"at": "10s", "crash": "web"}], ["docker"], restart="no"))
    assert not told(cluster, "restart") and not orchestration.standing("web")
    assert int(cluster.plane.read("tallies", "rejected").sum()) > 0 and requests_add_up(cluster)


def test_replicas_that_no_host_may_take_wait_and_say_why() -> None:
    """Two on each host at most: of eight wanted six start, until there is room."""
    timeline = [{"at": "5s", "scale": "web", "replicas": 8}]
    cluster, orchestration = after(scenario(timeline, ["docker"], deploy={"placement": {"max_replicas_per_node": 2}}))
    waits = [one.why or "" for one in cluster.story.events if one.what == "waits"]
    assert len(orchestration.standing("web")) == 6 and len(waits) == 1 and "fewer than 2 replicas of web" in waits[0]


def test_what_failed_is_called_what_it_is_wanted_as_and_is_back_in_another_row() -> None:
    """An update that starts new ones first leaves replicas in rows of other numbers; a power cut takes them by their own, and others stand in."""
    deploy = {"replicas": 3, "update_config": {"order": "start-first", "parallelism": 0}}
    document = scenario([{"at": "5s", "update": "web", "image": "nginx:1.28"}, {"at": "50s", "fail": "node", "how": "power"}], ["docker"], "90s", deploy=deploy)
    document["platforms"][0]["orchestrator"] = "swarm"
    cluster, _ = after(document)
    names, rows = ([one for outage in cluster.outages for one in getattr(outage, kind)] for kind in ("names", "rows"))
    assert names and set(names) == {one.who for one in cluster.story.events if one.what == "lost" and one.who.startswith("web")}
    assert {f"web-{cluster.instance(row).replica}" for row in rows}.isdisjoint({"web-0", "web-1", "web-2"})
    seen = course(cluster.plane, (), snapshot(cluster.plane, 90 * S), cluster)
    assert seen.ready["web"] == pytest.approx(1 - sum(len(one.instances) * (one.recovered_after_s or 0) for one in seen.outages) / (3 * 90), abs=0.02)
    for found in (one for one in seen.outages if one.instances):
        assert found.noticed_after_s == 15.0 and found.recovered_after_s is not None and 15.0 < found.recovered_after_s < 25.0


@pytest.mark.parametrize("orchestrator", ["kubernetes", "swarm"])
def test_an_update_that_goes_back_half_way_leaves_what_is_of_the_old_version_as_it_is(orchestrator: str) -> None:
    """A ReplicaSet whose template is wanted again is the one that there was, and Swarm replaces no task whose spec is the wanted one: all were replaced."""
    timeline = [{"at": "20s", "update": "web", "cpus": 0.5}, {"at": "20.5s", "rollback": "web"}]
    document = scenario(timeline, ["docker"], "40s", deploy={"replicas": 8, "update_config": {"parallelism": 1, "delay": "5s"}})
    document["platforms"][0]["orchestrator"] = orchestrator
    cluster, orchestration = after(document)
    (web,) = orchestration.ledger.services.values()
    assert (web.wanted.version.number, web.wanted.version.back, web.down) == (0, True, 0)
    assert sum(task.asked_at == 0 for task in web.tasks.values()) >= 4
    assert 8 < orchestration.ledger.started["web"] <= 8 + 2 * 4
    orchestration.update("web", web.wanted.version.spec)
    assert web.wanted.version.number == 2, "a number is never that of another version"

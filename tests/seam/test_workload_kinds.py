"""Kinds of workloads in a run: more important replicas drive others out, and all instances and requests are accounted for."""

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
from simvirt.runs.replicate import make_plane

S = 1_000_000_000


def scenario(services: dict[str, Any], timeline: list[dict[str, Any]], duration: str = "60s", orchestrator: str = "kubernetes", hosts: int = 2, **more: Any) -> dict[str, Any]:
    """Services on hosts of two CPUs; each answers requests."""
    body = {"image": "nginx:1.27", "threads": 8, "operations": {"get": [{"cpu": {"exponential": "2ms"}}]}}
    return {
        "simvirt": 1, "name": "kinds", "hosts": {"node": {"count": hosts, "cores": 2, "memory": "16GiB"}}, "platforms": [{"name": "x", "stack": ["docker"], "orchestrator": orchestrator}],
        "services": {name: body | service for name, service in services.items()},
        "workload": {"open": {"rate": "40/s"}, "mix": {f"{name}.get": 1 for name in services}}, "run": {"duration": duration, "replications": 1, "warmup": "0s"}, "timeline": timeline,
    } | more


def after(document: dict[str, Any]) -> Cluster:
    """The cluster at the end of a run, in which everything adds up."""
    spec = simvirt.Scenario.model_validate(document)
    catalog = Catalog.of(spec)
    plane = make_plane(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0)
    clock = Clock(plane)
    cluster = begin(clock, plane.lowered.scenario, catalog)
    clock.run(until=spec.run.duration)
    adds_up(cluster)
    return cluster


def adds_up(cluster: Cluster) -> None:
    """Instances started are those that ended and those that are there; requests that came ended or are on their way."""
    acting, read = of(cluster), cluster.plane.read
    started, ended = acting.counted()
    assert started == sum(ended.values()) + sum(len(hosts) for hosts in acting.placed().values())
    assert int(read("source", "issued")[0]) == sum(int(read("tallies", name).sum()) for name in ("completed", "rejected", "failed")) + int(read("tallies", "in_system")[0])
    hosts = acting.ledger.hosts
    assert all((hosts.taken_of(name) >= 0).all() for name in ("cpu", "memory")) and (hosts.total >= 0).all()


def of(cluster: Cluster) -> Orchestration:
    """What acts on a cluster."""
    assert isinstance(cluster.orchestration, Orchestration)
    return cluster.orchestration


def told(cluster: Cluster, what: str, who: str = "") -> list[float]:
    """The instants at which something happened to somebody [s]."""
    return [one.at / S for one in cluster.story.events if one.what == what and one.who.startswith(who)]


# --- priorities ------------------------------------------------------------------------------------------------------------


def pressed(priority: Any, timeline: list[dict[str, Any]] | None = None, **more: Any) -> Cluster:
    """Four containers on all four CPUs; two of another service are wanted later."""
    services = {"low": {"cpus": 1, "deploy": {"replicas": 3}}, "high": {"cpus": 1, "deploy": {"replicas": 1, "priority": priority}}}
    return after(scenario(services, timeline or [{"at": "10s", "scale": "high", "replicas": 3}], **more))


def test_what_matters_more_takes_the_place_of_what_matters_less() -> None:
    """The victims end within their grace, their own service waits for room, and gets it back once there is some."""
    cluster = pressed(1000, [{"at": "10s", "scale": "high", "replicas": 3}, {"at": "40s", "scale": "high", "replicas": 1}])
    victims = [one.who for one in cluster.story.events if one.what == "preempted" and one.why]
    assert len(victims) == len(set(victims)) == 2 and {who.split("-")[0] for who in victims} == {"low"}
    assert len(told(cluster, "ready", "high")) == 2 and max(told(cluster, "ready", "high")) < 40
    assert of(cluster).counted()[1] == {"preempted": 2, "stopped": 2}
    assert [at for at in told(cluster, "start", "low") if at > 40] == told(cluster, "start", "low") and len(of(cluster).standing("low")) == 3


@pytest.mark.parametrize("priority", [0, -5])
def test_what_matters_no_more_waits(priority: int) -> None:
    cluster = pressed(priority)
    assert not told(cluster, "preempted") and not told(cluster, "ready", "high") and told(cluster, "waits", "high")


def test_a_class_that_does_not_preempt_waits_and_is_first_where_there_is_room() -> None:
    """Two of low end, and both services have asked for one for a long time: the more important one gets it."""
    classes = {"priorities": {"patient": {"title": "patient", "source": "made up for a test", "value": 1000, "preempts": False}}}
    timeline = [{"at": "10s", "scale": "high", "replicas": 3}, {"at": "11s", "scale": "low", "replicas": 4}, {"at": "20s", "crash": "low", "replica": 0}, {"at": "30s", "scale": "low", "replicas": 2}]
    cluster = pressed("patient", timeline, catalog=classes)
    assert not told(cluster, "preempted") and len(of(cluster).standing("high")) == 2
    assert all(at > 30 for at in told(cluster, "start", "high"))


def test_requests_of_victims_that_take_longer_than_their_grace_are_lost() -> None:
    """Batch jobs of a minute; 30 s of grace: what they work on is lost with them, and the event says so."""
    services = {
        "low": {"cpus": 1, "deploy": {"replicas": 4, "priority": -1}, "operations": {"get": [{"cpu": "10min"}]}},
        "high": {"cpus": 1, "deploy": {"replicas": 1, "priority": 5}},
    }
    cluster = after(scenario(services, [{"at": "5s", "scale": "high", "replicas": 2}], "60s"))
    ends = [one for one in cluster.story.events if one.what == "preempted" and "grace" in (one.why or "")]
    assert len(ends) == 1 and ends[0].at / S == pytest.approx(35.05, abs=0.01)
    lost = sum(int((one.why or "").split("; ")[1].split()[0]) for one in ends)
    assert lost > 0 and int(cluster.plane.read("tallies", "failed").sum()) == lost


@pytest.mark.parametrize(("first", "second"), [(5, 0), (0, 5)])
def test_vms_that_matter_more_are_restarted_first_after_a_host_is_lost(first: int, second: int) -> None:
    """What is left has room for one VM more, whatever admission control says: the one that matters more, whatever order the services have."""
    big = {"cpus": 1, "deploy": {"placement": {"constraints": ["pool == spare"]}}}
    services = {"a": {"cpus": 1, "deploy": {"priority": first}}, "kept": big, "b": {"cpus": 1, "deploy": {"priority": second}}}
    document = scenario(services, [{"at": "10s", "fail": "node[0]", "how": "power"}], "90s", "vm-cluster")
    document["platforms"][0]["stack"] = ["kvm"]
    document["hosts"] = {"node": {"cores": 2, "memory": "16GiB"}, "spare": {"cores": 2, "memory": "16GiB"}}
    cluster = after(document)
    lost = {one.who for one in cluster.story.events if one.what == "lost" and "-" in one.who}
    assert lost == {"a-0", "b-0"}
    kept = "a" if first else "b"
    assert {name for name in services if of(cluster).standing(name)} == {"kept", kept} and len(told(cluster, "ready", kept)) == 1

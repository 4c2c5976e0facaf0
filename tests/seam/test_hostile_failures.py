"""Failures beside every feature, as a hostile user writes them: on each orchestrator and kind of platform nothing is lost, and all comes back."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any, Final

import pytest

import simvirt
from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.gauges import snapshot
from simvirt.metrics.measure import checks
from simvirt.runs.replicate import make_plane

S = 1_000_000_000
COLD: Final[dict[str, Any]] = {"state": {"images": "none", "instances": "none"}, "registries": {"own": {"host": "node[0]", "entry": "local", "peers": True}}}
HEALING: Final[dict[str, dict[str, Any]]] = {
    "pulls from a host that dies, and from a registry that falls silent": COLD | {
        "timeline": [{"at": "1s", "fail": "node[0]", "for": "5s"}, {"at": "40s", "fail": "own", "how": "registry", "for": "30s"}]},
    "the zone of the registry": COLD | {"timeline": [{"at": "3s", "fail": "zone == a", "for": "5s"}]},
    "a rollout whose host dies, whose registry is silent, whose process ends": {"timeline": [
        {"at": "10s", "update": "web", "image": "nginx:1.28"}, {"at": "10.2s", "fail": "node[1]", "for": "20s"},
        {"at": "12s", "fail": "docker-hub", "how": "registry", "for": "10s"}, {"at": "14s", "fail": "web", "how": "process"}]},
    "all hosts, twice": {"timeline": [{"at": "5s", "fail": "node", "for": "3s"}, {"at": "200s", "fail": "node", "how": "kernel-panic"}]},
    "one host again and again": {"timeline": [
        {"at": "5s", "fail": "node[1]", "for": "10s"}, {"at": "6s", "fail": "node[1]", "for": "1s"},
        {"at": "30s", "fail": "node[1]", "how": "kernel-panic", "for": "1s"}]},
    "cuts of a host without power": {"timeline": [
        {"at": "5s", "fail": "node[1]", "how": "partition", "for": "400s", "clients": "rest"}, {"at": "6s", "fail": "node[1]", "for": "1s"},
        {"at": "7s", "fail": "node[0-1]", "how": "partition", "clients": "cut", "for": "100s"}]},
}
LASTING: Final[dict[str, dict[str, Any]]] = {
    "cuts longer than the run": {"timeline": [
        {"at": "5s", "fail": "node[1]", "how": "partition", "for": "100s", "clients": "rest"}, {"at": "6s", "fail": "node[1]", "for": "1s"},
        {"at": "7s", "fail": "node[0-1]", "how": "partition", "clients": "cut", "for": "1h"}]},
    "at the end": {"timeline": [
        {"at": "299s", "fail": "node[0]", "how": "partition", "clients": "rest"}, {"at": "299.999s", "fail": "node"}, {"at": "300s", "fail": "web", "how": "process"}]},
    "everything by chance": COLD | {"failures": {"unanswered": "1s", "random": [
        {"fail": "node", "mtbf": "40s", "mttr": {"exponential": "10s"}}, {"fail": "node", "how": "partition", "mtbf": "30s", "mttr": "20s", "clients": "rest"},
        {"fail": "web", "how": "process", "mtbf": "20s"}, {"fail": "own", "how": "registry", "mtbf": "30s", "mttr": "5s"},
        {"fail": "web", "how": "kernel-panic", "mtbf": "60s"}, {"fail": "node", "how": "loss", "mtbf": "20s", "mttr": "10s"}]}},
}
STACKS: Final = {"containers": ["docker"], "VMs": ["kvm"], "microVMs": ["firecracker"], "containers in VMs": ["kvm", "docker"], "processes": []}
ORCHESTRATORS: Final = (None, "none", "compose", "swarm", "kubernetes", "mesos", "vm-cluster")
SOME: Final = (("containers", "kubernetes"), ("VMs", "vm-cluster"), ("containers in VMs", "swarm"), ("microVMs", None), ("containers", "mesos"), ("containers", "compose"))


def after(story: dict[str, Any], stack: str, orchestrator: str | None, seconds: int) -> Cluster:
    """Three replicas that call a database, on three hosts in two zones, at the end of a story in which the laws hold."""
    web = {"image": "nginx:1.27", "restart": "always", "scale": 3, "threads": 8, "queue": 50, "operations": {"get": [{"cpu": "2ms"}, {"call": "db.q"}]}}
    spec = simvirt.Scenario.model_validate({
        "simvirt": 1, "name": "hostile", "hosts": {"node": {"count": 3, "cores": 4, "memory": "16GiB", "nic": "1gbe", "zone": ["a", "b", "b"]}},
        "platforms": [{"name": "x", "stack": STACKS[stack]} | ({} if orchestrator is None else {"orchestrator": orchestrator})],
        "services": {"web": web, "db": {"image": "redis:7", "restart": "always", "threads": 8, "operations": {"q": [{"cpu": "1ms"}]}}},
        "workload": {"open": {"rate": "10/s"}, "mix": {"web.get": 1}}, "run": {"duration": f"{seconds}s", "replications": 1, "warmup": "0s"},
        "state": {}, "failures": {"unanswered": "1s"}, **story})
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0))
    cluster = begin(clock, clock.plane.lowered.scenario, catalog)
    clock.run(until=seconds * S)
    assert set(checks(clock.plane, snapshot(clock.plane, seconds * S)).values()) == {"ok"}
    if cluster.orchestration is not None:
        started, ended = cluster.orchestration.counted()  # type: ignore[attr-defined]
        assert started == sum(ended.values()) + sum(map(len, cluster.orchestration.placed().values()))  # type: ignore[attr-defined]
    return cluster


def serving(cluster: Cluster, service: str) -> int:
    """Replicas that are up and get requests."""
    plane, rows = cluster.plane, cluster.plane.instances_of(service)
    return sum(plane.is_ready(row) and int(plane.read("instances", "ready_slot")[row]) >= 0 for row in rows)


def healed(story: str, stack: str, orchestrator: str | None) -> None:
    """All is back after half an hour, and each loss of a host is told once."""
    if orchestrator is None and "rollout" in story:
        return
    cluster = after(HEALING[story], stack, orchestrator, 2000)
    assert (serving(cluster, "web"), serving(cluster, "db")) == (3, 1)
    for host in ("node[0]", "node[1]", "node[2]"):
        told = [event.what for event in cluster.story.events if event.who == host and event.what in ("lost", "up", "partition")]
        assert all(one != other or one != "lost" for one, other in pairwise(told))


@pytest.mark.parametrize(("story", "where"), list(zip(HEALING, SOME, strict=True)), ids=str)
def test_all_comes_back(story: str, where: tuple[str, str | None]) -> None:
    healed(story, *where)


@pytest.mark.parametrize(("story", "where"), list(zip(LASTING, SOME, strict=False)), ids=str)
def test_nothing_is_lost_to_the_account(story: str, where: tuple[str, str | None]) -> None:
    after(LASTING[story], *where, 300)


@pytest.mark.slow
@pytest.mark.parametrize("where", list(product(STACKS, ORCHESTRATORS)), ids=str)
def test_everywhere(where: tuple[str, str | None]) -> None:
    for story in HEALING:
        healed(story, *where)
    for lasting in LASTING.values():
        after(lasting, *where, 300)

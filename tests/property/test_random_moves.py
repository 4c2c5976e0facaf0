"""Random clusters in which VMs and containers move while hosts fail, networks part and replicas come and go: nothing is counted twice or lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml

from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.control.memory import UP
from simvirt.runs.replicate import follow_all, make_plane
from simvirt.scenario import loads

S = 1_000_000_000
SEEDS = 16
WAYS = {"vms": ("pre-copy", "post-copy", "hybrid", "stop-and-copy", "checkpoint"), "containers": ("pre-copy", "stop-and-copy", "checkpoint")}


def written(seed: int) -> str:
    """A scenario of that seed."""
    draw = np.random.default_rng([seed, 25])

    def one(*of: Any) -> Any:
        return of[int(draw.integers(len(of)))]

    kind, hosts = one("vms", "vms", "containers"), int(draw.integers(2, 4))
    names = [f"node[{host}]" for host in range(hosts)]
    orchestrator = one("vm-cluster", "mine", "mine", None) if kind == "vms" else one("none", "swarm", "kubernetes", None)
    platform = {"name": "p", "stack": [one("kvm", "xen-pv", "esxi") if kind == "vms" else "docker"]} | ({"orchestrator": orchestrator} if orchestrator else {})
    service = {
        "scale": int(draw.integers(1, 4)), "mem_limit": "256MiB", "cpus": 1, "threads": "unlimited", "restart": one("always", "no"),
        "memory": {"base": "100MiB", "dirty": one("10KiB", "400KiB"), "touch": "20KiB"}, "operations": {"get": [{"cpu": {"exponential": "2ms"}}]},
        "deploy": {"resources": {"reservations": {"cpus": 0.2}}},
    }
    def at() -> str:
        return f"{int(draw.integers(200, 5500))}ms"

    events = [_event(kind, one, at(), names) for _ in range(int(draw.integers(2, 7)))]
    if orchestrator:
        events += [{"at": at(), "scale": one("a", "b"), "replicas": int(draw.integers(0, 5))} for _ in range(int(draw.integers(0, 3)))]
    return yaml.safe_dump({
        "simvirt": 1, "name": "moves", "hosts": {"node": {"count": hosts, "cores": 4, "memory": "16GiB", "nic": one("1gbe", "10gbe"), "disk": "nvme"}},
        "platforms": [platform], "services": {"a": service, "b": {**service, "scale": 1}}, "state": {"instances": "up"},
        "workload": {"open": {"rate": "300/s"}, "mix": {"a.get": 2, "b.get": 1}}, "run": {"duration": "8s", "warmup": "0s", "replications": 1, "seed": seed},
        "timeline": events, "failures": {"unanswered": "500ms"},
        "catalog": {"orchestrators": {"mine": {"like": "drs", "places": "first-fit", "balance": {"value": "1s", "source": "made up for a test"}, "threshold": int(draw.integers(1, 6))}}},
    })


def _event(kind: str, one: Any, at: str, names: list[str]) -> dict[str, Any]:
    """Something that moves, or that ends moves."""
    verb = one("migrate", "migrate", "migrate", "drain", "power", "partition", "restart")
    if verb == "migrate":
        return {"at": at, "migrate": one("a", "b"), "how": one(*WAYS[kind])} | one({}, {"to": one(*names)}, {"storage": "copy"})
    if verb in ("drain", "restart"):
        return {"at": at, "drain": one(*names), "how": one(*WAYS[kind]) if verb == "drain" else "restart"}
    return {"at": at, "fail": one(*names), "how": verb, "for": one("300ms", "2s")}


def followed(text: str) -> Cluster:
    """The cluster of a replication that has run to its end."""
    scenario = loads(text)
    catalog = Catalog.of(scenario)
    plane = make_plane(scenario, catalog, catalog.platform(scenario.platforms[0]), scenario.run.seed, 0)
    clock = Clock(plane)
    cluster = begin(clock, plane.lowered.scenario, catalog)
    if plane.lowered.memory.follows:
        follow_all(clock)
    clock.run(until=int(scenario.run.duration or 0))
    return cluster


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nothing_is_counted_twice_or_lost(seed: int) -> None:
    text = written(seed)
    cluster = followed(text)
    _requests_are_where_they_went(cluster)
    _instances_stand_where_all_say(cluster)
    _moves_make_sense(cluster)
    _the_network_carried_what_they_sent(cluster)
    if seed % 4 == 0:
        again = followed(text)
        assert again.moves == cluster.moves and again.story.events == cluster.story.events


def _requests_are_where_they_went(cluster: Cluster) -> None:
    """Requests that arrived are answered, turned away, failed or under way."""
    tallies = {name: int(cluster.plane.read("tallies", name).sum()) for name in ("arrived", "completed", "rejected", "failed", "in_system")}
    assert tallies["arrived"] == tallies["completed"] + tallies["rejected"] + tallies["failed"] + tallies["in_system"]


def _instances_stand_where_all_say(cluster: Cluster) -> None:
    """Kernels, the ledger and what is followed agree on the hosts, and instances that began are those that are there or ended."""
    plane, plan = cluster.plane, cluster.plane.lowered.arrangement
    for one in plan.instances:
        if one.service in cluster.scenario.services and int(plane.read("instances", "life")[one.row]) in UP:
            assert cluster.host_of(one.row) == plane.host_of_machine(int(plane.read("instances", "machine")[one.row]))
    if cluster.orchestration is not None:
        started, ended = cluster.orchestration.counted()
        placed = cluster.orchestration.placed()
        assert started == sum(ended.values()) + sum(map(len, placed.values()))
    boxes = [replica.row for account in plane.memories.values() for box in account.memory.boxes for replica in box.replicas]
    assert len(boxes) == len(set(boxes))


def _moves_make_sense(cluster: Cluster) -> None:
    """A move has its instants in order, and either an end, or a reason why it has none, or is under way."""
    for move in cluster.moves:
        instants = [at for at in (move.asked, move.began, move.stopped, move.resumed, move.ended) if at is not None]
        assert instants == sorted(instants) and move.source != move.to
        assert move.ended is None or (move.left is None and None not in (move.began, move.stopped, move.resumed))
        assert move.left is None or move.why
        sent = [one.sent for one in move.rounds]
        assert sum(sent) <= move.sent * (1 + 1e-9) + 1.0


def _the_network_carried_what_they_sent(cluster: Cluster) -> None:
    """What moves sent from a host, what they are at and what requests sent is all that has left it."""
    if cluster.network is None:
        return
    carried, hosts = cluster.network.carried(), len(cluster.plane.lowered.hosts)
    for host in range(hosts):
        ways = [cluster.network.topology.route(cluster.name_of(host), cluster.name_of(other)).links for other in range(hosts) if other != host]
        first = {way[0] for way in ways}
        assert len(first) == 1
        sent = sum(move.sent + move.copied for move in cluster.moves if move.source == host)
        under_way = any(move.ended is None and move.left is None for move in cluster.moves if move.source == host)
        assert sent <= carried[first.pop()] + 1e-3 * sent + len(cluster.moves) if not under_way else True

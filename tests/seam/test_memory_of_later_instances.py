"""Memory of instances that start while a run goes on: hosts hold what is there now, in boxes, processes, VMs and shared VMs."""

from __future__ import annotations

from typing import Any

import pytest
import yaml


from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.control.memory import UP, follow_all
from simvirt.runs.replicate import make_plane
from simvirt.scenario import loads

S = 1_000_000_000
MIB = 2**20
BASE = 100 * MIB
SHARED = {"name": "pods-in-vms", "orchestrator": "swarm", "stack": ["kvm", "docker"], "vms": {"count": 2, "vcpus": 2, "memory": "4GiB"}}


def world(platform: Any, timeline: list[Any], hosts: int = 2, **service: Any) -> Any:
    """A service of replicas that need 100 MiB each, and a timeline that changes what is there."""
    web = {
        "threads": 4, "scale": 2, "memory": {"base": "100MiB", "growth": "1MiB", "heap": "8MiB"}, "operations": {"get": [{"cpu": "2ms"}]}} | service
    return loads(yaml.safe_dump({
        "simvirt": 1, "name": "later", "hosts": {"node": {"count": hosts, "cores": 8, "memory": "16GiB", "disk": "nvme", "nic": "10gbe"}},
        "platforms": [platform], "services": {"web": web}, "workload": {"open": {"rate": "40/s"}, "mix": {"web.get": 1}},
        "run": {"duration": "60s", "warmup": "0s", "replications": 1}, "state": {"instances": "up"}, "timeline": timeline}))


def lived(spec: Any) -> tuple[Clock, Cluster]:
    """A replication at its begin, with its memory followed."""
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[0]), 1, 0))
    cluster = begin(clock, clock.plane.lowered.scenario, catalog)
    follow_all(clock)
    return clock, cluster


def held(clock: Clock) -> float:
    """What applications hold on all hosts [bytes]."""
    return sum(box.anonymous for account in clock.plane.memories.values() for box in account.memory.boxes if box.live)


def agrees(clock: Clock, cluster: Cluster) -> None:
    """Each replica that is up has its memory once, where it stands and with those it shares a VM with."""
    life, plan = clock.plane.read("instances", "life"), clock.plane.lowered.arrangement
    where = {one.row: (host, box) for host, account in clock.plane.memories.items() for box in account.memory.boxes for one in box.replicas}
    assert sum(len(box.replicas) for account in clock.plane.memories.values() for box in account.memory.boxes) == len(where)
    for row in clock.plane.instances_of("web"):
        if life[row] in UP:
            host, box = where[row]
            assert host == cluster.host_of(row) and box is clock.plane.memories[host].of_row[row]
            assert box.machine in (None, plan.instances[row].machine)


@pytest.mark.parametrize("platform", [
    {"name": "swarm", "orchestrator": "swarm", "stack": ["docker"]}, {"name": "vms", "orchestrator": "vm-cluster", "stack": ["kvm"]}, SHARED,
], ids=lambda one: one["name"])
def test_hosts_hold_what_is_there_now(platform: Any) -> None:
    """Two replicas, then six, then one: applications hold so many times what each has, at each instant."""
    clock, cluster = lived(world(platform, [{"at": "5s", "scale": "web", "replicas": 6}, {"at": "35s", "scale": "web", "replicas": 1}]))
    for at, n in ((4, 2), (34, 6), (59, 1)):
        clock.run(until=at * S)
        agrees(clock, cluster)
        assert n * BASE <= held(clock) <= n * (BASE + 8 * MIB), (at, held(clock) / MIB)


def test_a_host_that_fails_hands_its_memory_on() -> None:
    """What it held is held by those that take its replicas, and not by itself."""
    platform = {"name": "swarm", "orchestrator": "swarm", "stack": ["docker"]}
    clock, cluster = lived(world(platform, [{"at": "5s", "fail": "node[0]", "how": "power", "for": "10min"}], scale=4))
    clock.run(until=50 * S)
    agrees(clock, cluster)
    first, second = (sum(box.anonymous for box in account.memory.boxes if box.live) for account in clock.plane.memories.values())
    assert first == 0 and second >= 4 * BASE


def test_replicas_that_come_later_may_be_too_many() -> None:
    """Six replicas of 100 MiB with limits of their own of 60 MiB are killed, the later ones too, and each starts anew."""
    platform = {"name": "swarm", "orchestrator": "swarm", "stack": ["docker"]}
    clock, _ = lived(world(platform, [{"at": "5s", "scale": "web", "replicas": 3}], mem_limit="60MiB", hosts=1))
    clock.run(until=30 * S)
    killed = {text.split(", ")[1].split(":")[0] for text in clock.plane.memories[0].kills}
    assert len(killed) >= 3


def test_what_is_promised_is_that_of_those_that_live() -> None:
    platform = {"name": "swarm", "orchestrator": "swarm", "stack": ["docker"]}
    clock, _ = lived(world(platform, [{"at": "5s", "scale": "web", "replicas": 5}, {"at": "30s", "scale": "web", "replicas": 1}], mem_limit="200MiB"))
    for at, n in ((4, 2), (29, 5), (59, 1)):
        clock.run(until=at * S)
        assert sum(account.memory.ledger().committed for account in clock.plane.memories.values()) == n * 200 * MIB

"""Agents look at their hosts in periods, each at instants of its own: a start is seen at the next look, and no two hosts look together."""

from __future__ import annotations

import math
import statistics

import pytest

import simvirt
from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.runs.replicate import make_plane

HOSTS = 200
S = 1_000_000_000


def started(orchestrator: str = "kubernetes", seed: int = 1, hosts: int = HOSTS, each: int = 1) -> Cluster:
    """So many hosts on each of which instances are started at once; nothing passes between a look and the first request."""
    spec = simvirt.Scenario.model_validate({
        "simvirt": 1, "name": "looks", "hosts": {"node": {"count": hosts, "cores": 4, "memory": "4GiB"}},
        "platforms": [{"name": "x", "stack": ["containerd"], "orchestrator": "own"}], "state": {"images": "present", "instances": "none"},
        "catalog": {"orchestrators": {"own": {"like": orchestrator, "publish": {"value": "0s", "source": "set: only looks count here"}}}},
        "services": {"web": {"deploy": {"replicas": hosts * each}, "operations": {"get": [{"cpu": "1ms"}]}}},
        "workload": {"open": {"rate": "1/s"}, "mix": {"web.get": 1}}, "run": {"duration": "20s", "replications": 1, "warmup": "0s", "seed": seed}})
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[0]), seed, 0))
    cluster = begin(clock, spec, catalog)
    clock.run(until=15 * S)
    return cluster


def waits(cluster: Cluster) -> list[float]:
    """From the instant at which each instance was up to that at which it was seen [s]."""
    return [(life.ready - life.up) / S for life in cluster.lives if life.ready is not None and life.up is not None]


def test_a_start_is_seen_half_a_period_later_in_the_mean_and_a_period_later_at_most() -> None:
    """Uniform on a period of one second: mean, spread and extremes."""
    found = waits(started())
    assert len(found) == HOSTS
    assert 0.0 <= min(found) < 0.05
    assert 0.95 < max(found) <= 1.0
    assert statistics.fmean(found) == pytest.approx(0.5, abs=4 * math.sqrt(1 / 12 / HOSTS))
    assert statistics.pstdev(found) == pytest.approx(math.sqrt(1 / 12), rel=0.15)


def test_a_host_looks_at_all_of_its_instances_together() -> None:
    cluster = started(hosts=10, each=5)
    looks = {life.host: set[int]() for life in cluster.lives}
    for life in cluster.lives:
        assert life.ready is not None
        looks[life.host].add(life.ready % S)
    assert all(len(found) == 1 for found in looks.values())
    assert len(set[int]().union(*looks.values())) == 10


def test_instants_belong_to_the_seed() -> None:
    assert waits(started(hosts=5)) == waits(started(hosts=5))
    assert waits(started(hosts=5)) != waits(started(hosts=5, seed=2))


def test_what_does_not_look_sees_at_once() -> None:
    assert set(waits(started("swarm", hosts=5))) == {0.0}

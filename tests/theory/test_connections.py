"""What a connection of its own costs a request: packets and a round trip of the path, work of the kernel, a lock of kernels before 3.15."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import COMPILED, assert_sound, replications, scenario, service

from simvirt.catalog import Catalog
from simvirt.metrics.outcome import Outcome

CONNECTION = Catalog.load().host_model().connection_ns * 1e-9
REQUESTS = 40_000 if COMPILED else 2000
FREE = {name: {"none": "made up for a test"} for name in ("packet_in", "packet_out", "kib_in", "kib_out", "call_hop")}


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


def outcome(workload: dict[str, Any], platform: Any = "bare-metal", cpu: str = "10us", threads: Any = "unlimited", **fields: Any) -> Outcome:
    """One replication of requests with connections of their own."""
    spec = scenario(
        {"s": service({"cpu": cpu}, threads=threads)}, {"connection": "new"} | workload | {"mix": {"s.job": 1}}, {"requests": REQUESTS, "warmup": "0s"},
        host={"cores": 8}, platforms=[platform], **fields,
    )
    found = replications(spec)[0]
    assert_sound([found])
    return found


def path(costs: dict[str, dict[str, str]], **tracking: Any) -> dict[str, Any]:
    """Containers on a path that costs what is stated, and its catalogue."""
    stated = {name: {part: number(value) for part, value in parts.items()} for name, parts in costs.items()}
    mine = {"like": "bridge-nat", "costs": FREE | stated, "tracking": {"work": number("0us")} | {name: number(value) for name, value in tracking.items()}}
    return {"platform": {"name": "x", "stack": ["docker"], "net": "mine"}, "catalog": {"devices": {"mine": mine}}}


@pytest.mark.parametrize(("connection", "expected"), [("kept", 10e-6), ("new", 10e-6 + CONNECTION)])
def test_a_kernel_opens_and_closes_it(connection: str, expected: float) -> None:
    found = outcome({"closed": {"clients": 16}, "connection": connection}, threads=1)
    assert 1 / found.throughput_per_s == pytest.approx(expected, rel=0.01)


def test_three_packets_more_each_way_and_a_round_trip() -> None:
    """In a container: 4 packets of 2 us in and of 1 us out, twice the latency of 30 us of the path, 5 us of NAT."""
    way = path({"packet_in": {"cpu": "2us", "latency": "20us"}, "packet_out": {"cpu": "1us", "latency": "10us"}}, work="5us")
    found = outcome({"open": {"rate": "50/s"}}, **way)
    assert found.latency_mean_s == pytest.approx(10e-6 + CONNECTION + 12e-6 + 60e-6 + 5e-6, rel=0.01)


def test_connections_are_entered_one_at_a_time_under_a_lock_of_the_kernel() -> None:
    """50 us under the lock: 20,000 a second, on eight CPUs; without it, as many as the CPUs compute."""
    locked, free = (outcome({"closed": {"clients": 32}}, **path({}, work="50us", **more)) for more in ({"locked": "50us"}, {}))
    assert locked.throughput_per_s == pytest.approx(1 / 50e-6, rel=0.03)
    assert locked.resources["kernel lock nf_conntrack_lock"] > 0.95
    assert free.throughput_per_s == pytest.approx(8 / (60e-6 + CONNECTION), rel=0.03)


def test_containers_of_2013_on_one_host_share_the_lock() -> None:
    found = outcome({"closed": {"clients": 64}}, "docker-2013", cpu="1us")
    assert "kernel lock nf_conntrack_lock" in found.resources
    assert not [name for name in outcome({"closed": {"clients": 4}}, "docker").resources if "lock" in name]


@pytest.mark.parametrize("platform", ["docker", "kvm", "gvisor", "docker-published-port"])
def test_it_costs_more_where_packets_do(platform: str) -> None:
    """What a connection adds to a request is more than on bare metal on every platform between."""
    added = {}
    for name in ("bare-metal", platform):
        new, kept = (outcome({"closed": {"clients": 1}, "connection": connection}, name).latency_mean_s or 0.0 for connection in ("new", "kept"))
        added[name] = new - kept
    assert added["bare-metal"] == pytest.approx(CONNECTION, rel=0.01)
    assert added[platform] > added["bare-metal"] + 5e-6


def test_a_batch_job_has_no_connections() -> None:
    with pytest.raises(Exception, match="has no effect on requests that begin and end inside"):
        outcome({"closed": {"clients": 1}, "local": True})

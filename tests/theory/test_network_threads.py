"""Networks of containers against what follows from their constants: receive queues, flows, headers, lost offloads, stacks and proxies."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import COMPILED, assert_sound, replications, scenario, service

from simvirt.analysis.formulas import md1
from simvirt.catalog import Catalog
from simvirt.metrics.outcome import Outcome
from simvirt.scenario.spec.models import HostSpec

CATALOG = Catalog.load()
RECEIVE = CATALOG.host_model().receive_ns * 1e-9
REQUESTS = 40_000 if COMPILED else 2000
KIB64 = 65536
HOST = {"cores": 8, "memory": "64GiB", "nic": "10Gbps"}


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


def device(**fields: Any) -> dict[str, Any]:
    """A catalogue with a container's network path that costs nothing but what is stated."""
    free = {name: {"none": "made up for a test"} for name in ("packet_in", "packet_out", "kib_in", "kib_out", "call_hop")}
    costs = free | {name: {part: number(value) for part, value in parts.items()} for name, parts in fields.pop("costs", {}).items()}
    return {"devices": {"mine": {"like": "bridge-nat", "costs": costs} | fields}}


def outcome(steps: list[Any], workload: dict[str, Any], platform: Any, host: dict[str, Any] = HOST, threads: Any = "unlimited", **fields: Any) -> Outcome:
    """One replication of a service."""
    catalog = fields.pop("catalog", None)
    spec = scenario(
        {"s": service(*steps, threads=threads, **fields)}, workload | {"mix": {"s.job": 1}}, {"requests": REQUESTS, "warmup": "0s"}, host=host,
        platforms=[platform], **({"catalog": catalog} if catalog else {}),
    )
    found = replications(spec)[0]
    assert_sound([found])
    return found


def path(**fields: Any) -> dict[str, Any]:
    """A platform of containers on the path `mine`, and its catalogue."""
    return {"platform": {"name": "x", "stack": ["docker"], "net": "mine"}, "catalog": device(**fields)}


@pytest.mark.parametrize("platform", ["bare-metal", "docker-host-network"])
@pytest.mark.parametrize("queues", [1, 2])
def test_packets_are_received_at_the_pace_of_the_queues(platform: str, queues: int) -> None:
    found = outcome([{"cpu": "2us"}], {"closed": {"clients": 64}}, platform, HOST | {"receive_queues": queues})
    assert found.throughput_per_s == pytest.approx(queues / RECEIVE, rel=0.02)


def test_a_receive_queue_is_a_single_server() -> None:
    """M/D/1: what a request needs beyond its own work is the time in line for the queue's CPU, and the work there."""
    rate, work = 0.6 / RECEIVE, "1us"
    found = outcome([{"cpu": work}], {"open": {"rate": f"{rate}/s"}}, "bare-metal", HOST | {"receive_queues": 1})
    assert (found.latency_mean_s or 0.0) - 1e-6 == pytest.approx(md1(rate, RECEIVE).response_s, rel=0.05)


def test_a_bridge_makes_each_packet_longer() -> None:
    found = outcome([{"cpu": "2us"}], {"closed": {"clients": 64}}, host=HOST | {"receive_queues": 1}, **path(costs={"packet_in": {"cpu": "3us"}}))
    assert found.throughput_per_s == pytest.approx(1 / (RECEIVE + 3e-6), rel=0.02)


@pytest.mark.parametrize("flows", [1, 3])
def test_a_flow_is_received_on_one_cpu(flows: int) -> None:
    """Payloads of 64 KiB take 100 us on the CPU that receives them, however many threads wait for them."""
    costs = {"packet_in": {"cpu": "100us"}}
    found = outcome(
        [{"cpu": "1us"}, {"net": {"in": "64KiB"}}], {"closed": {"clients": 32}, "local": True}, host=HOST | {"nic": "100Gbps"}, flows=flows,
        **path(costs=costs),
    )
    assert found.throughput_per_s == pytest.approx(flows / 100e-6, rel=0.02)


def test_as_many_flows_as_threads_where_nothing_is_said() -> None:
    one, two = (outcome(
        [{"cpu": "1us"}, {"net": {"in": "64KiB"}}], {"closed": {"clients": 32}, "local": True}, host=HOST | {"nic": "100Gbps"}, threads=threads,
        **path(costs={"packet_in": {"cpu": "100us"}}),
    ) for threads in (1, 2))
    assert two.throughput_per_s == pytest.approx(2 * one.throughput_per_s, rel=0.02)


def test_headers_take_bytes_of_each_frame() -> None:
    """64 KiB in frames of 1500 bytes: 46 with 1448 of payload, 47 with 1398 where a path adds 50."""
    nic = CATALOG.resolve_host(HostSpec.model_validate(HOST)).nic
    assert (nic.frames(KIB64), nic.frames(KIB64, 50)) == (46, 47)
    assert (nic.frames(KIB64, 20, 1440), nic.frames(KIB64, 20, 9000)) == (48, 46)
    assert nic.wire_bytes(KIB64, 50) == KIB64 + 47 * (52 + 50 + 38)
    plain, tunnel = (outcome([{"cpu": "1us"}, {"net": {"out": "64KiB"}}], {"closed": {"clients": 32}, "local": True}, **path(**fields))
                     for fields in ({}, {"frames": {"headers": number("50B")}}))
    expected = nic.wire_bytes(KIB64) / nic.wire_bytes(KIB64, 50)
    assert tunnel.throughput_per_s / plain.throughput_per_s == pytest.approx(expected, rel=0.005)


def test_without_aggregation_a_packet_is_a_frame() -> None:
    """One CPU receives 46 frames of 64 KiB with what the host takes for each, and acknowledges every second one."""
    frames, acks = 46, 23
    expected = frames * (2e-6 + RECEIVE) + acks * 1e-6
    found = outcome(
        [{"cpu": "1us"}, {"net": {"in": "64KiB"}}], {"closed": {"clients": 16}, "local": True}, host=HOST | {"nic": "100Gbps"}, flows=1,
        **path(costs={"packet_in": {"cpu": "2us"}, "packet_out": {"cpu": "1us"}}, frames={"lost": ["in"]}),
    )
    assert found.throughput_per_s == pytest.approx(1 / expected, rel=0.02)


@pytest.mark.parametrize(("offloads", "packets"), [("all", 1), ("no-tunnels", 46)])
def test_a_tunnel_loses_what_the_nic_does_not_do_inside_it(offloads: str, packets: int) -> None:
    receive = RECEIVE if packets > 1 else 0.0
    found = outcome(
        [{"cpu": "1us"}, {"net": {"in": "64KiB"}}], {"closed": {"clients": 16}, "local": True}, flows=1,
        host=HOST | {"nic": "100Gbps", "offloads": offloads}, **path(costs={"packet_in": {"cpu": "10us"}}, frames={"tunnel": ["in"]}),
    )
    assert found.throughput_per_s == pytest.approx(1 / (packets * (10e-6 + receive)), rel=0.02)


def test_frames_cut_by_the_kernel_cost_the_thread_that_sends() -> None:
    frames = {"frame_out": number("1us")}
    whole, cut = (outcome(
        [{"cpu": "20us"}, {"net": {"out": "64KiB"}}], {"closed": {"clients": 8}, "local": True}, host=HOST | {"nic": "100Gbps", "offloads": offloads},
        threads=1, **path(frames=frames),
    ) for offloads in ("all", "no-tunnels"))
    assert 1 / cut.throughput_per_s - 1 / whole.throughput_per_s == pytest.approx(46e-6, rel=0.02)


@pytest.mark.parametrize(("threads", "expected"), [(1, 1 / 10e-6), (2, 2 / 10e-6)])
def test_a_proxy_passes_what_its_threads_can(threads: int, expected: float) -> None:
    """A request and its answer take 6 and 4 us of the proxy."""
    costs = {"packet_in": {"host_cpu": "6us"}, "packet_out": {"host_cpu": "4us"}}
    found = outcome([{"cpu": "1us"}], {"closed": {"clients": 32}}, **path(backend="proxy", threads=number(threads), costs=costs))
    assert found.throughput_per_s == pytest.approx(expected, rel=0.02)


def test_a_sleeping_thread_is_woken_and_a_busy_one_is_not() -> None:
    costs = {"packet_in": {"host_cpu": "5us", "wake": "40us"}}
    alone = outcome([{"cpu": "10us"}], {"open": {"rate": "100/s"}}, **path(backend="proxy", costs=costs))
    assert alone.latency_mean_s == pytest.approx(55e-6, rel=0.02)
    busy = outcome([{"cpu": "1us"}], {"closed": {"clients": 32}}, **path(backend="proxy", threads=number(1), costs=costs))
    assert busy.throughput_per_s == pytest.approx(1 / 5e-6, rel=0.02)


@pytest.mark.parametrize(("backend", "limited"), [("netstack", True), ("proxy", False)])
def test_a_stack_in_user_space_is_inside_the_limit_of_its_container_and_a_proxy_is_not(backend: str, limited: bool) -> None:
    """Half a CPU for 100 us of the stack and 1 us of the service."""
    found = outcome(
        [{"cpu": "1us"}], {"closed": {"clients": 4}}, cpus=0.5, **path(backend=backend, threads=number(1), costs={"packet_in": {"host_cpu": "100us"}}),
    )
    assert found.throughput_per_s == pytest.approx((0.5 / 101e-6) if limited else (1 / 100e-6), rel=0.05)


def test_containers_in_a_vm_do_the_work_of_their_stack_themselves() -> None:
    """The cost is the same on both kinds of thread, and no device of the VM is charged for it."""
    spec = {"costs": {"packet_in": {"host_cpu": "100us"}}, "backend": "netstack", "threads": number(1)}
    inside = outcome([{"cpu": "1us"}], {"open": {"rate": "10/s"}}, {"name": "x", "stack": ["kvm", "docker"], "net": "mine"}, catalog=device(**spec))
    plain = outcome([{"cpu": "1us"}], {"open": {"rate": "10/s"}}, {"name": "x", "stack": ["kvm", "docker"], "net": "host-network"})
    assert (inside.latency_mean_s or 0.0) - (plain.latency_mean_s or 0.0) == pytest.approx(100e-6, rel=0.03)


def test_a_payload_of_one_frame_is_received_by_its_thread() -> None:
    """No thread beside it is there, and none is waited for."""
    found = outcome([{"cpu": "1us"}, {"net": {"in": "1KiB"}}], {"closed": {"clients": 4}}, **path(costs={"packet_in": {"cpu": "9us"}}))
    assert not [name for name in found.resources if name.endswith("I/O thread")]

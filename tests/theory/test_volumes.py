"""Volumes that others serve: each request is the sum of its parts, servers' disks and links bound it, no byte is lost."""

# ruff: noqa: E501  (a case stays on its line)

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import yaml
from helpers.support import after, begun

from simvirt import loads, run
from simvirt.catalog import Catalog
from simvirt.kernel import constants as k
from simvirt.lowering.volumes import Volume, add_servers
from simvirt.scenario import Scenario

KIB, ACROSS_NS, HEADERS = 1024, 50_000, {"nfs": 160, "iscsi": 48, "ceph": 250}
"""Half of the round trip in a data centre; bytes of a message beside its data."""
DRIVE = {"like": "nvme", "read_cv": {"value": 0, "source": "a drive that never varies"}}


def stored(driver: str, step: dict[str, Any], *, servers: int = 1, replicas: int | None = None, workload: dict[str, Any] | None = None, platform: str = "bare-metal", more: dict[str, Any] | None = None, **hosts: Any) -> Scenario:
    """A service on one host with one step on a volume that others serve, called a hundred times a second."""
    host = {"cores": 4, "memory": "16GiB", "nic": "10gbe", "disk": "steady", "switching": "none", "max_cstate": "none"} | hosts
    volume = {"driver": driver, "host": "nas"} | ({"replicas": replicas} if replicas else {})
    return loads(yaml.safe_dump({
        "simvirt": 1, "name": "volumes", "hosts": {"node": host, "nas": host | {"count": servers}}, "platforms": [platform], "volumes": {"data": volume},
        "services": {"db": {"threads": "unlimited", "volumes": ["data"], "deploy": {"placement": {"constraints": ["pool == node"]}}, "operations": {"use": [step]}}},
        "workload": workload or {"open": {"rate": "100/s", "arrivals": "deterministic"}, "mix": {"db.use": 1}}, "run": {"duration": "60s", "replications": 1},
        "catalog": {"disks": {"steady": DRIVE}},
    } | (more or {}), sort_keys=False))


def mean_ns(spec: Scenario, seconds: float = 1.005) -> float:
    """Mean latency of what is answered so soon [ns]."""
    clock, _ = after(spec, seconds)
    read = clock.plane.read
    return float(read("tallies", "latency_sum").sum() / read("tallies", "completed").sum())


def volume_of(spec: Scenario) -> tuple[Volume, Any]:
    """The volume of a scenario, and a host."""
    catalog = Catalog.of(spec)
    return add_servers(begun(spec).plane.lowered.arrangement, spec, catalog)["data"], catalog.resolve_hosts(spec)[0]


def parts_ns(spec: Scenario, operation: str, size: int, flushes: bool) -> float:
    """What a request and its answer take alone, with one server: both sides' cycles, both ways, the drive."""
    volume, host = volume_of(spec)
    driver, disk, write = volume.driver, host.disk, operation != "read"
    cycles = sum(float(getattr(side, operation) or 0) + size * side.byte for side in (driver.client, driver.server))
    out, back = (driver.headers, driver.headers + size)[:: -1 if write else 1]
    wire = (host.nic.wire_bytes(out) + host.nic.wire_bytes(back)) / (host.nic.bandwidth / 8e9)
    drive = disk.flush_latency if operation == "flush" else disk.latency_ns(write) + disk.longer_ns(size, write) + flushes * disk.flush_latency
    return float(cycles / host.speed * 1e9 + wire + 2 * ACROSS_NS + drive)


@pytest.mark.parametrize(("driver", "disk", "operation", "flushes"), [
    ("nfs", {"read": "16KiB"}, "read", False), ("iscsi", {"read": "16KiB"}, "read", False), ("ceph", {"read": "16KiB"}, "read", False),
    ("nfs", {"write": "16KiB", "sync": True}, "write", True), ("nfs", {"write": "16KiB", "direct": True}, "write", True),
    ("iscsi", {"write": "16KiB", "direct": True}, "write", False), ("ceph", {"write": "16KiB", "direct": True}, "write", True),
])
def test_a_request_alone_is_the_sum_of_its_parts(driver: str, disk: dict[str, Any], operation: str, flushes: bool) -> None:
    spec = stored(driver, {"disk": disk})
    assert mean_ns(spec) == pytest.approx(parts_ns(spec, operation, 16 * KIB, flushes), abs=8)


def test_a_block_device_flushes_with_a_request_of_its_own() -> None:
    spec = stored("iscsi", {"disk": {"write": "16KiB", "sync": True}})
    assert mean_ns(spec) == pytest.approx(parts_ns(spec, "write", 16 * KIB, False) + parts_ns(spec, "flush", 0, False), abs=16)


@pytest.mark.parametrize(("servers", "replicas"), [(3, 3), (4, 2), (3, None)])
def test_replicas_are_written_side_by_side_before_the_answer(servers: int, replicas: int | None) -> None:
    """One more round trip and one more server's work than without; each write is on as many disks, each disk has its share."""
    step = {"disk": {"write": "16KiB", "sync": True}}
    spec = stored("ceph", step, servers=servers, replicas=replicas)
    volume, host = volume_of(spec)
    copy = 2 * ACROSS_NS + (float(volume.driver.server.write) + 16 * KIB * volume.driver.server.byte) / host.speed * 1e9
    wire = (host.nic.wire_bytes(16 * KIB + 250) * (volume.replicas - 1) + host.nic.wire_bytes(250)) / (host.nic.bandwidth / 8e9)
    assert mean_ns(spec) == pytest.approx(parts_ns(stored("ceph", step), "write", 16 * KIB, True) + copy + wire, rel=0.002)
    clock, _ = after(spec, 9.995)
    served = clock.plane.read("disks", "completed")[1:]
    writes = clock.plane.read("tallies", "completed").sum() * volume.replicas
    expected = writes / servers
    assert served.sum() == writes and np.abs(served - expected).max() < 5 * math.sqrt(expected)


def test_data_beyond_the_largest_request_takes_several() -> None:
    spec = stored("iscsi", {"disk": {"read": "1MiB"}}, nic="100gbe")
    volume, host = volume_of(spec)
    more = 3 * float(volume.driver.client.read + volume.driver.server.read) / host.speed * 1e9
    assert mean_ns(spec) == pytest.approx(parts_ns(spec, "read", KIB * KIB, False) + more, rel=0.001)


@pytest.mark.parametrize("driver", ["nfs", "iscsi", "ceph"])
def test_what_nobody_waits_for_is_gathered_and_no_byte_is_lost(driver: str) -> None:
    """A step ends at once; as many bytes as are written leave in the largest requests, about; the server's disk or page cache has them."""
    spec = stored(driver, {"disk": {"write": "64KiB"}}, workload={"open": {"rate": "2000/s"}, "mix": {"db.use": 1}}, nic="100gbe")
    volume, host = volume_of(spec)
    clock, _ = after(spec, 4.0)
    read, driver_of = clock.plane.read, volume.driver
    written = read("tallies", "completed").sum() * 64 * KIB
    sent = read("links", "bytes")[0]
    largest = host.nic.wire_bytes(driver_of.request + driver_of.headers)
    requests = sent / largest
    assert requests == pytest.approx(round(requests)) and abs(requests - written / driver_of.request) < 4 * math.sqrt(written / driver_of.request)
    assert read("tallies", "latency_sum").sum() / read("tallies", "completed").sum() < ACROSS_NS
    assert read("links", "bytes")[3] == sent
    landed = read("disks", "dirty")[1] + sum(read("disks", "completed")[1:] * driver_of.request) if driver == "nfs" else read("disks", "completed")[1] * driver_of.request
    assert landed == pytest.approx(round(requests) * driver_of.request, abs=2 * driver_of.request)


CLOSED = {"closed": {"clients": 64}, "mix": {"db.use": 1}}


@pytest.mark.parametrize(("step", "hosts", "per_s"), [
    ({"disk": {"read": "64KiB"}}, {"disk": "sata-ssd", "nic": "100gbe", "cores": 32}, 500e6 / (64 * KIB)),
    ({"disk": {"read": "64KiB"}}, {"nic": "1Gbps", "cores": 32}, 125e6 / ((64 * KIB + 48) + math.ceil((64 * KIB + 48) / 1448) * 90)),
])
def test_the_server_s_disk_or_link_is_the_bound(step: dict[str, Any], hosts: dict[str, Any], per_s: float) -> None:
    clock, _ = after(stored("iscsi", step, workload=CLOSED, **hosts), 2.0)
    assert clock.plane.read("tallies", "completed").sum() / 2.0 == pytest.approx(per_s, rel=0.03)


def test_servers_that_wait_for_each_other_go_on() -> None:
    """Each with one thread, all of them with more writes than threads: none is held while it waits for another server; their CPUs bound them."""
    driver = {"volume_drivers": {"mine": {"like": "ceph", "threads": {"value": 1, "source": "a server with one thread"}}}}
    more = {"catalog": {"disks": {"steady": DRIVE}} | driver}
    spec = stored("mine", {"disk": {"write": "4KiB", "sync": True}}, servers=3, workload={"closed": {"clients": 60}, "mix": {"db.use": 1}}, more=more)
    volume, host = volume_of(spec)
    each = (float(volume.driver.server.write) + 4 * KIB * volume.driver.server.byte) / host.speed
    clock, _ = after(spec, 2.0)
    assert clock.plane.read("tallies", "completed").sum() / 2.0 == pytest.approx(1 / each, rel=0.03)  # three servers, three times the work


def test_threads_of_an_nfs_server_are_the_bound_of_a_slow_drive() -> None:
    """Eight threads wait for a drive of many channels: a request holds one for the drive's time and its own work."""
    spec = stored("nfs", {"disk": {"read": "4KiB"}}, workload={"closed": {"clients": 100}, "mix": {"db.use": 1}}, cores=32, nic="100gbe")
    volume, host = volume_of(spec)
    held = host.disk.latency_ns(False) + (float(volume.driver.server.read) + 4 * KIB * volume.driver.server.byte) / host.speed * 1e9
    clock, _ = after(spec, 1.0)
    assert clock.plane.read("tallies", "completed").sum() == pytest.approx(8 / held * 1e9, rel=0.03)


@pytest.mark.parametrize("platform", ["docker", "kvm", "docker-on-kvm", "xen-pv", "gvisor"])
def test_platforms_pay_for_their_own_way_beside(platform: str) -> None:
    """A VM's request passes its network device and not its disk; all of it is accounted for, on the client's side and the server's."""
    spec = stored("nfs", {"disk": {"read": "16KiB"}}, platform=platform)
    clock, totals = after(spec, 1.005)
    bare = mean_ns(stored("nfs", {"disk": {"read": "16KiB"}}))
    read = clock.plane.read
    assert bare <= read("tallies", "latency_sum").sum() / read("tallies", "completed").sum() < bare + 400_000
    assert read("tallies", "spent").reshape(-1, k.N_CATEGORIES).sum() == read("tallies", "latency_sum").sum()
    assert read("disks", "completed").tolist() == [0, read("tallies", "completed").sum()]


@pytest.mark.parametrize(("failure", "answered"), [
    ({"fail": "nas[0]", "for": "1s"}, False), ({"fail": "nas[0]", "how": "partition", "for": "1s"}, True), ({"fail": "nas[0]", "how": "slow-disk", "for": "1s"}, True),
])
def test_a_volume_fails_with_its_server_and_comes_back_with_it(failure: dict[str, Any], answered: bool) -> None:
    """What a dead host was asked for is lost until it has booted; behind a link that is cut requests wait, a slow disk delays them."""
    more = {"timeline": [{"at": "10500ms"} | failure], "run": {"duration": "20min", "replications": 1, "warmup": "0s"}}
    spec = stored("nfs", {"disk": {"read": "4KiB"}}, workload={"open": {"rate": "1/s", "arrivals": "deterministic"}, "mix": {"db.use": 1}}, more=more)
    found = run(spec, maximum=False).document()["platforms"]["bare-metal"]
    assert set(found["checks"].values()) == {"ok"}
    lost = 1200 - found["requests"]
    assert (lost <= 1) if answered else (30 < lost < 900)

"""Memory between the planes: faults, reclaim and kills as requests meet them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from helpers.support import MS, S, begun, replications, scenario, service

from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.kernel import constants as k

JOB = {"cpu": "4ms"}
STEADY = {"open": {"rate": "100/s", "arrivals": "deterministic"}, "mix": {"server.job": 1}}
PLENTY = {"base": "100MiB"}


def world(memory: dict[str, Any] | None, duration: str = "5s", platform: Any = "docker", host: dict[str, Any] | None = None, **fields: Any) -> Any:
    """Constant arrivals of 4 ms each at one service."""
    given = fields | ({} if memory is None else {"memory": memory})
    return scenario({"server": service(JOB, threads=8, **given)}, STEADY, {"duration": duration, "warmup": "0s"}, platforms=[platform],
                    host={"cores": 2, "disk": "sata-ssd"} | (host or {}))


def followed(spec: Any, until: int) -> Clock:
    """A run with memory followed, up to an instant."""
    clock = begun(spec)
    clock.run(until=until)
    return clock


def test_where_nothing_is_short_requests_do_not_notice() -> None:
    """Memory that is followed costs no request anything: the same latencies to the last nanosecond."""
    without, with_memory = (replications(world(memory))[0] for memory in (None, PLENTY))
    assert (without.histogram == with_memory.histogram).all()
    assert without.breakdown_s == with_memory.breakdown_s


@pytest.mark.parametrize("pages", [1, 3])
def test_a_missing_page_is_read_from_the_disk(pages: int) -> None:
    spec = world(PLENTY)
    clock = begun(spec)
    row, = clock.plane.instances_of("server")
    clock.plane.set_condition("instances", row, faults=float(pages), spin=0.0, stall=0)
    clock.run(until=S)
    host = Catalog.of(spec).resolve_host(spec.host)
    costs = clock.plane.lowered.memory.costs
    page = round(host.disk.latency_ns(False) + host.disk.longer_ns(4096, False))
    spent = clock.plane.read("tallies", "spent").reshape(-1, k.N_CATEGORIES).sum(axis=0)
    n = int(clock.plane.read("tallies", "completed").sum())
    assert n > 90
    assert spent[k.DISK] == n * pages * page
    assert spent[k.CPU] == pytest.approx(n * (4 * MS + pages * costs.swap_fault), abs=n * pages)


def test_a_mean_of_less_than_a_page_is_met_on_average() -> None:
    clock = begun(world(PLENTY, "60s"))
    row, = clock.plane.instances_of("server")
    clock.plane.set_condition("instances", row, faults=0.25, spin=0.0, stall=0)
    clock.run(until=60 * S)
    n = int(clock.plane.read("tallies", "completed").sum())
    assert int(clock.plane.read("disks", "completed")[0]) == pytest.approx(0.25 * n, rel=0.1)


def test_work_and_waits_of_memory_management_are_met_by_every_request() -> None:
    clock = begun(world(PLENTY))
    row, = clock.plane.instances_of("server")
    clock.plane.set_condition("instances", row, faults=0.0, spin=500_000.0, stall=2 * MS)
    clock.run(until=S)
    spent = clock.plane.read("tallies", "spent").reshape(-1, k.N_CATEGORIES).sum(axis=0)
    n = int(clock.plane.read("tallies", "completed").sum())
    assert spent[k.DELAY] == n * 2 * MS
    assert spent[k.CPU] == pytest.approx(n * 4.5 * MS, rel=1e-6)


def test_swapping_out_is_work_and_writes_in_clusters() -> None:
    clock = followed(world({"base": "2GiB"}, host={"memory": "2GiB", "swap": "4GiB"}), 20 * S)
    account = clock.plane.memory
    assert account is not None and account.swapped_out > 500 * 2**20
    costs = clock.plane.lowered.memory.costs
    assert int(clock.plane.read("disks", "completed")[0]) >= account.swapped_out // costs.cluster
    row, = clock.plane.instances_of("(memory)")
    assert int(clock.plane.read("instances", "cpu_time")[row]) == pytest.approx(account.swapped_out / 4096 * costs.evict, rel=0.01)


def test_an_overcommitted_host_is_slow_before_it_fails() -> None:
    """The same load on hosts with less and less memory: slower, then with replicas killed."""
    found = []
    for memory, swap in (("4GiB", "4GiB"), ("2GiB", "4GiB"), ("1536MiB", "4GiB"), ("1536MiB", "256MiB")):
        one, = replications(world({"base": "2GiB", "hot": 0.9}, host={"memory": memory, "swap": swap}))
        assert one.reclaim is not None
        found.append((one.breakdown_s["disk"], one.reclaim[0]["oom_kills"]))
    disks = [disk for disk, _ in found[:3]]
    assert disks == sorted(disks) and disks[0] == 0 < disks[1] < disks[2]
    assert [kills > 0 for _, kills in found] == [False, False, False, True]


def test_a_leak_kills_and_the_restart_waits_longer_each_time() -> None:
    """4 MiB a request at 100 requests a second fill 200 MiB in half a second; restarts wait 100, 200, 400 ms."""
    spec = world({"base": "100MiB", "growth": "4MiB"}, mem_limit="300MiB", restart="always")
    clock = followed(spec, 5 * S)
    assert clock.plane.memory is not None
    kills = [float(text.split()[1]) for text in clock.plane.memory.kills]
    assert len(kills) >= 4
    gaps = [later - earlier for earlier, later in pairwise(kills)]
    assert gaps[0] == pytest.approx(0.6 + 0.1, abs=0.15)
    assert all(later > earlier + 0.05 for earlier, later in pairwise(gaps[:4]))
    assert "exceed memory.max 300.0 MiB; killed" in clock.plane.memory.kills[0]


def test_without_a_restart_a_killed_replica_stays_away() -> None:
    one, = replications(world({"base": "100MiB", "growth": "4MiB"}, mem_limit="300MiB"))
    assert one.rejected > 0.5


def test_the_page_cache_gives_way_to_a_growing_heap() -> None:
    steps = [{"cpu": "1ms"}, {"disk": {"read": "16KiB", "working_set": "3GiB", "zipf": 0.7}}]
    spec = scenario({"server": service(*steps, threads=8, memory={"base": "100MiB", "growth": "4MiB", "heap": "2GiB"})}, STEADY,
                    {"duration": "20s", "warmup": "0s"}, platforms=["docker"], host={"cores": 2, "memory": "4GiB"})
    clock = begun(spec)
    misses = []
    for at in (1, 3, 6):
        clock.run(until=at * S)
        misses.append(float(clock.plane.read("misses", "ratio")[0]))
    assert 0 <= misses[0] < misses[1] < misses[2] < 1


def test_ksm_takes_its_time_and_its_share_of_a_cpu() -> None:
    """100 pages each 20 ms are 19.5 MB/s: after ten seconds it has seen less than all of a VM."""
    spec = world({"base": "300MiB"}, "10s", "kvm", {"ksm": {}, "memory": "8GiB"}, scale=2, mem_limit="512MiB")
    clock = followed(spec, 10 * S + 1)
    account = clock.plane.memory
    assert account is not None
    assert account.scanned == pytest.approx(10 / (0.020 + 100 * 1.5e-6) * 100 * 4096, rel=0.02)
    assert account.merged == 0
    row, = clock.plane.instances_of("(memory)")
    assert int(clock.plane.read("instances", "cpu_time")[row]) == pytest.approx(10 * S * 150 / 20150, rel=0.02)

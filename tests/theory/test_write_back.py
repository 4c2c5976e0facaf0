"""Write-back against a computation by hand: when, how much, in how many requests; and writers that wait for the flusher."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import COMPILED, assert_sound, begun, replications, scenario

from simvirt.catalog import Catalog

HDD = Catalog.load().resolve_host(scenario({"s": {"threads": 1, "operations": {"x": [{"cpu": "1us"}]}}}, {"open": {"rate": "1/s"}}, {"requests": 1}, host={"disk": "hdd"}).host).disk
PAGE, CHUNK = 4096, 1280 * 1024


def world(write: dict[str, Any], rate: float, duration: str = "100s", platform: Any = "bare-metal", disk: str = "hdd", memory: str = "16GiB") -> Any:
    """One service that writes equally often, without sync unless it is asked for."""
    services = {"log": {"threads": "unlimited", "operations": {"line": [{"cpu": "1us"}, {"disk": write}]}}}
    workload = {"open": {"rate": f"{rate}/s", "arrivals": "deterministic"}, "mix": {"log.line": 1}, "local": True}
    return scenario(services, workload, {"duration": duration, "warmup": "0s"}, host={"cores": 2, "disk": disk, "memory": memory}, platforms=[platform])


def written(spec: Any, *at_s: float) -> list[tuple[int, int]]:
    """Requests that the disk has completed, and time that its path was taken, at some instants."""
    clock, seen = begun(spec), []
    for at in at_s:
        clock.run(until=int(at * 1e9))
        seen.append((int(clock.plane.read("disks", "completed")[0]), int(clock.plane.read("disks", "passed")[0])))
    return seen


@pytest.mark.parametrize("platform", ["bare-metal", "docker", "kvm"])
def test_small_writes_of_thirty_seconds_are_one_request(platform: str) -> None:
    """100 lines of 200 bytes a second: 600 kB after 30 s, which are 147 pages in one request; as much again 30 to 35 s later."""
    first, second = written(world({"write": "200B"}, 100, platform=platform), 29.9, 30.5)
    assert first == (0, 0)
    assert second[0] == 1
    pages = -(-30 * 100 * 200 // PAGE)
    assert second[1] == pytest.approx(HDD.passage_ns(pages * PAGE, True), rel=0.01)
    assert [count for count, _ in written(world({"write": "200B"}, 100, platform=platform), 60, 66)] == [1, 2]


def test_large_amounts_are_written_in_chunks() -> None:
    """10 MB/s make 300 MB in 30 s, in requests of 1280 KiB, one after the other, and what comes meanwhile is written with them."""
    before, after = written(world({"write": "100kB"}, 100), 29.9, 36)
    each_s = (HDD.latency_ns(True) + HDD.longer_ns(CHUNK, True)) / 1e9
    assert before[0] == 0
    assert after[0] == pytest.approx(300e6 / CHUNK / (1 - 10e6 * each_s / CHUNK), abs=2)


def test_synchronous_and_direct_writes_go_at_once() -> None:
    for how in ("sync", "direct"):
        assert written(world({"write": "200B", how: True}, 10), 10.05)[0][0] == pytest.approx(100, abs=1)


def test_beyond_the_background_limit_the_flusher_begins_at_once() -> None:
    """A tenth of some 2 GiB is dirty after a few seconds of 100 MB/s: the disk works long before the expiry."""
    calm, busy = (written(world({"write": "1MB"}, rate, memory="2GiB"), 8)[0][0] for rate in (1, 100))
    assert calm == 0
    assert busy > 50


@pytest.mark.skipif(not COMPILED, reason="a long run")
def test_writers_beyond_the_limit_write_as_fast_as_the_disk() -> None:
    """Clients that write without end: once a fifth of memory is dirty they get what the flusher's requests give them."""
    services = {"log": {"threads": 8, "operations": {"block": [{"cpu": "10us"}, {"disk": {"write": "256KiB"}}]}}}
    spec = scenario(
        services, {"closed": {"clients": 8}, "mix": {"log.block": 1}, "local": True}, {"duration": "60s", "warmup": "20s"},
        host={"cores": 2, "disk": "hdd", "memory": "2GiB"})
    found = replications(spec)[0]
    assert_sound([found])
    each_s = (HDD.latency_ns(True) + HDD.longer_ns(CHUNK, True)) / 1e9
    assert found.throughput_per_s * 256 * 1024 == pytest.approx(CHUNK / each_s, rel=0.03)
    assert found.breakdown_s["disk"] is not None and found.breakdown_s["disk"] > 0.9 * found.latency_mean_s


def test_log_lines_leave_the_disk_to_others() -> None:
    """300 lines of 200 bytes a second beside 10 reads a second: the disk is busy with the reads."""
    services = {
        "log": {"threads": 1, "operations": {"line": [{"cpu": "10us"}, {"disk": {"write": "200B"}}]}},
        "db": {"threads": 16, "operations": {"read": [{"cpu": "10us"}, {"disk": {"read": "4KiB"}}]}},
    }
    workload = {"open": {"rate": "310/s"}, "mix": {"log.line": 300, "db.read": 10}, "local": True}
    found = replications(scenario(services, workload, {"duration": "40s", "warmup": "0s"}, host={"cores": 2, "disk": "hdd"}))[0]
    assert found.resources["host.disk"] == pytest.approx(10 * HDD.latency_ns(False) / 1e9, rel=0.2)

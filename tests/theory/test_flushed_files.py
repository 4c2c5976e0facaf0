"""A flush of a VM whose disk is a file in the page cache of the host: it writes what the VM wrote before, by hand."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import begun, scenario
from helpers.vm_devices import DISK, costs, outcome

from simvirt.catalog import Catalog
from simvirt.scenario.spec.models import PlatformSpec

KIB, NVME = 1024, Catalog.load().resolve_host(scenario({"s": {"threads": 1, "operations": {"x": [{"cpu": "1us"}]}}}, {"open": {"rate": "1/s"}},
                                                       {"requests": 1}, host={"disk": "nvme"}).host).disk


def latency_us(writes: int, size: str = "64KiB", **device: Any) -> float:
    """How long so many writes to the page cache of the host, one after the other, and a flushed one of 4 KiB take."""
    steps = [{"repeat": [{"disk": {"write": size, "direct": True}}], "times": writes}] if writes else []
    given = {"cache": "writeback", "costs": costs(DISK)} | device
    steps += [{"disk": {"write": "4KiB", "sync": True}}, {"delay": "1ms"}]
    return float(outcome(clients=1, steps=steps, disk=given, seconds=0.2).latency_mean_s) * 1e6


@pytest.mark.parametrize("writes", [1, 16])
def test_a_flush_waits_for_all_that_was_written_before(writes: int) -> None:
    """So many times 64 KiB pass the drive's path before the flushed write is done; the writes themselves wait for nothing."""
    more = latency_us(writes) - latency_us(0)
    assert more == pytest.approx(writes * 64 * KIB * NVME.passage_ns(2**30, True) / 2**30 / 1e3, rel=0.02)


def test_each_byte_is_flushed_once() -> None:
    """Nothing is left for the flusher, and a second flush finds nothing: as many bytes pass the path as were written."""
    steps = [{"disk": {"write": "1MiB", "direct": True}}, {"disk": {"write": "4KiB", "sync": True}}, {"disk": {"write": "4KiB", "sync": True}}]
    hypervisors = {"mine": {"like": "kvm", "disk": "my-disk"}}
    catalog = {"hypervisors": hypervisors, "devices": {"my-disk": {"like": "virtio-blk", "cache": "writeback"}}}
    spec = scenario(
        {"vm": {"threads": 4, "cpus": 1, "mem_limit": "1GiB", "operations": {"x": steps}}}, {"open": {"rate": "10/s", "arrivals": "deterministic"}, "local": True},
        {"duration": "40s", "warmup": "0s"}, host={"cores": 2, "disk": "nvme"}, platforms=[{"name": "mine", "stack": ["mine"]}], catalog=catalog,
    )
    clock = begun(spec)
    clock.run(until=int(39.95e9))
    requests = round(39.95 * 10 - 0.5)
    passed = requests * (NVME.passage_ns(2**30, True) / 2**10 + 2 * NVME.passage_ns(4 * KIB, True))
    assert clock.plane.read("instances", "dirty").sum() == 0
    assert clock.plane.read("disks", "dirty")[0] == 0
    assert clock.plane.read("disks", "completed")[0] == pytest.approx(2 * requests, abs=2)
    assert clock.plane.read("disks", "passed")[0] == pytest.approx(passed, rel=0.01)


def test_other_modes_leave_what_was_written_before_alone() -> None:
    """Unflushed data of `unsafe` stay in the page cache; without one each write goes to the drive."""
    assert latency_us(16, cache="unsafe") == pytest.approx(latency_us(0, cache="unsafe"), abs=1)
    assert latency_us(1, cache="none") > latency_us(1) + 10


def test_a_page_cache_that_a_platform_puts_in_between_is_copied_to() -> None:
    """`disk_cache` charges the backend what its device costs a KiB there; a device with a cache of its own keeps its costs."""
    catalog = Catalog.load()
    direct, copied = (catalog.platform(PlatformSpec(name="kvm", disk_cache=mode)).layers[-1] for mode in ("none", "writeback"))
    assert direct.costs["kib_written"].host_cpu is None
    assert copied.costs["kib_written"] == direct.disk.cached["kib_written"]

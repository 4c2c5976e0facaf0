"""Disks: channels, the one path behind them, latencies that vary, and who waits for a write."""

from __future__ import annotations

import heapq
import json
from typing import Any

import numpy as np
import pytest

import simvirt
from simvirt import kernel

REQUESTS = 4000 if kernel.MODE == "compiled" else 2_000


def number(value: Any) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


def disk(**fields: Any) -> dict[str, Any]:
    """An entry of a disk: 100 us a request, 100 MB/s, eight channels, unless told."""
    given = {"channels": 8, "read_latency": "100us", "write_latency": "50us", "flush_latency": "1ms", "read_throughput": "100MB/s", "write_throughput": "50MB/s"}
    return {"title": "made up", "source": "made up for a test"} | {name: number(value) for name, value in (given | fields).items()}


def platform(step: dict[str, Any], depth: int = 1, think: str = "0s", **fields: Any) -> Any:
    """What requests of one disk step do, so many at a time, on bare metal."""
    text = {
        "simvirt": 1, "name": "disk", "host": {"cores": 1, "memory": "4GiB", "disk": "mine"}, "platforms": ["bare-metal"], "catalog": {"disks": {"mine": disk(**fields)}},
        "services": {"app": {"operations": {"io": [{"disk": step}]}}}, "workload": {"closed": {"clients": depth, "think": think}, "local": True},
        "run": {"requests": REQUESTS, "warmup": "0s", "replications": 1},
    }
    return simvirt.run(simvirt.loads(json.dumps(text)), maximum=False).document()["platforms"]["bare-metal"]


def rate(found: Any) -> float:
    return float(found["throughput_per_s"]["value"])


def mean(found: Any) -> float:
    return float(found["latency_s"]["mean"]["value"])


def test_alone_a_request_takes_its_latency_and_what_is_beyond_4_kib() -> None:
    assert mean(platform({"read": "4KiB"})) == pytest.approx(100e-6)
    assert mean(platform({"read": "1000KB"})) == pytest.approx(100e-6 + (1_000_000 - 4096) / 100e6)
    assert mean(platform({"read": "1000KB"}, read_stream="10MB/s")) == pytest.approx(100e-6 + (1_000_000 - 4096) / 10e6)


def test_a_write_waits_for_nothing_for_the_device_or_for_the_flush() -> None:
    times = [mean(platform({"write": "4KiB"} | how, think="1ms", write_throughput="900MB/s")) for how in ({}, {"direct": True}, {"sync": True})]
    assert times == pytest.approx([0.0, 50e-6, 1050e-6], abs=1e-9)


@pytest.mark.parametrize("depth", [16, 64])
def test_all_requests_together_get_the_throughput(depth: int) -> None:
    """Sixteen or sixty-four at a time: the path carries 100 MB/s, however many channels wait for it."""
    found = platform({"read": "100KB"}, depth, channels=128)
    assert rate(found) * 100_000 == pytest.approx(100e6, rel=0.01)
    assert found["bottleneck"]["resources"]["host.disk"] == pytest.approx(1.0, rel=0.01)


def test_all_requests_together_get_the_requests_per_second() -> None:
    assert rate(platform({"read": "4KiB"}, 32, channels=128, read_iops="5000/s")) == pytest.approx(5000, rel=0.01)
    assert rate(platform({"write": "4KiB", "direct": True}, 32, channels=128, write_iops="3000/s")) == pytest.approx(3000, rel=0.01)


def test_channels_bound_what_latency_allows() -> None:
    """Eight requests in 100 us, 80 000 a second, where the path would carry more."""
    assert rate(platform({"read": "4KiB"}, 64, read_throughput="9GB/s")) == pytest.approx(80_000, rel=0.01)


def test_latency_varies_as_told() -> None:
    found = platform({"read": "4KiB"}, read_cv=0.5, read_throughput="9GB/s")
    sigma = np.sqrt(np.log1p(0.25))
    assert mean(found) == pytest.approx(100e-6, rel=0.15)
    assert found["latency_s"]["p95"]["value"] == pytest.approx(100e-6 * np.exp(1.645 * sigma - sigma**2 / 2), rel=0.15)
    assert platform({"read": "4KiB"})["latency_s"]["p95"]["value"] == pytest.approx(100e-6, rel=0.02)


def twin(depth: int, channels: int, passage: float, alone: float, requests: int) -> float:
    """Requests a second of the slow twin: a heap of channels, and one path whose next free instant is remembered."""
    ends: list[float] = []
    now = free_at = 0.0
    for n in range(requests):
        if n >= min(depth, channels):
            now = heapq.heappop(ends)
        free_at = max(now, free_at) + passage
        heapq.heappush(ends, free_at + max(alone - passage, 0.0))
    return requests / max(ends)


@pytest.mark.parametrize(("depth", "channels", "size"), [(1, 1, 4096), (4, 2, 4096), (8, 8, 20_000), (32, 8, 4096), (5, 16, 50_000)])
def test_the_disk_agrees_with_its_slow_twin(depth: int, channels: int, size: int) -> None:
    alone = 100e-6 + (size - 4096) / 100e6
    expected = twin(depth, channels, size / 100e6, alone, REQUESTS)
    assert rate(platform({"read": f"{size}B"}, depth, channels=channels)) == pytest.approx(expected, rel=0.01)

"""Requests to a VM's disk that its device takes in several: counts by hand, at the backend, at the drive and as interrupts."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.vm_devices import DISK, costs, number, outcome

from simvirt.catalog import Catalog
from simvirt.lowering.splitting import READ_AHEAD, split

KIB = 1024
PARTS = {"disk_read": {"host_cpu": "2us", "interrupt": "1us"}, "disk_write": {"host_cpu": "2us", "interrupt": "1us"}, "kib_read": {"host_cpu": "10ns"}}


def latency_us(step: dict[str, Any], **device: Any) -> float:
    """How long a lone request for the disk takes, on a device that takes one piece at a time unless something else is stated."""
    given = {"segments": number(1), "serial": True, "cache": "unsafe", "costs": costs(DISK, **PARTS)} | device
    found = outcome(clients=1, steps=[{"disk": step}, {"delay": "200us"}], disk=given, seconds=0.05)
    return float(found.latency_mean_s) * 1e6 - 200


def test_a_write_to_the_page_cache_is_work_for_every_piece() -> None:
    """88 KiB in pieces of 44 KiB: one request more at the backend, one interrupt more only where none is suppressed."""
    one, two = (latency_us({"write": size, "direct": True}) for size in ("44KiB", "88KiB"))
    assert two - one == pytest.approx(2, abs=0.05)
    assert latency_us({"write": "88KiB", "direct": True}, suppresses=False) >= two


def test_a_device_that_takes_many_pieces_splits_nothing() -> None:
    """With the same data in one request."""
    assert latency_us({"write": "440KiB", "direct": True}, segments=number(10)) == pytest.approx(latency_us({"write": "44KiB", "direct": True}), abs=0.05)


def test_a_read_through_the_page_cache_waits_for_its_own_piece_and_for_what_is_read_ahead() -> None:
    """128 KiB in three pieces: the drive brings the first third, then a window of 128 KiB, each with the latency of the drive."""
    whole, pieces = (latency_us({"read": "128KiB"}, segments=number(n)) for n in (3, 1))
    longer = pieces - whole - 2 * 2  # two requests more at the backend
    first = latency_us({"read": "43KiB"}, segments=number(1)) - 2 - 43 * 0.01
    assert longer == pytest.approx(first, rel=0.05)


def test_a_flush_that_is_only_acknowledged_costs_no_wait_for_the_drive() -> None:
    """A synchronous write is done in the page cache; with writeback it waits for the drive."""
    step = {"write": "4KiB", "sync": True}
    assert latency_us(step) == pytest.approx(3, abs=0.1)  # two of the backend, one of the interrupt
    assert latency_us(step, cache="writeback") > 10


def test_how_a_request_is_split() -> None:
    """By the guest's pieces and the device's segments; two waits for reads that a page cache holds, one elsewhere."""
    catalog = Catalog.load()
    layer = catalog.named_platform("firecracker").hypervisors[-1]
    guest, device = layer.guest, layer.disk
    assert split(None, None, 128 * KIB, False).requests == 1
    assert split(device, guest, 128 * KIB, True).waits == (128 * KIB,)
    assert split(device, guest, 128 * KIB, False).waits[1] == READ_AHEAD

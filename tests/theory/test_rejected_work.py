"""What is rejected has been received: goodput falls under overload by what the kernel spends on requests that it then rejects."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import COMPILED, assert_sound, replications, scenario

from simvirt.catalog import Catalog
from simvirt.metrics.outcome import Outcome

RECEIVE_NS = Catalog.load().host_model().receive_ns
DEMAND_NS, REQUESTS = 10_000, 200_000 if COMPILED else 4000


def outcome(rate: float, cores: int = 1, platform: Any = "bare-metal", local: bool = False, threads: int = 1) -> Outcome:
    """Constant demands of 10 us at so many requests a second, and room for 64 that wait."""
    services = {"kvs": {"threads": threads, "queue": 64, "operations": {"get": [{"cpu": f"{DEMAND_NS}ns"}]}}}
    workload = {"open": {"rate": f"{rate}/s"}, "mix": {"kvs.get": 1}, "local": local}
    spec = scenario(services, workload, {"requests": REQUESTS, "warmup": f"{0.1 * REQUESTS / rate}s"}, host={"cores": cores}, platforms=[platform])
    found = replications(spec)[0]
    assert_sound([found])
    return found


@pytest.mark.parametrize("rate", [120_000, 180_000, 250_000])
def test_goodput_on_one_cpu_is_what_receiving_leaves(rate: float) -> None:
    """All time is spent: g s + (rate - g) r = 1, so g = (1 - rate r) / (s - r) while the ring does not overflow between turns."""
    expected = (1.0 - rate * RECEIVE_NS * 1e-9) / ((DEMAND_NS - RECEIVE_NS) * 1e-9)
    found = outcome(rate)
    assert found.throughput_per_s == pytest.approx(expected, rel=0.03)
    assert found.utilisation == pytest.approx(1.0, abs=0.01)


def test_receiving_takes_a_fair_share_and_no_more() -> None:
    """Beyond its half, packets are lost to the device's ring without cost: the service keeps the other half."""
    found = outcome(3_000_000)
    assert found.throughput_per_s == pytest.approx(0.5e9 / DEMAND_NS, rel=0.05)


def test_more_overload_is_never_more_goodput() -> None:
    answered = [outcome(rate).throughput_per_s for rate in (90_000, 120_000, 300_000, 900_000)]
    assert answered[0] == pytest.approx(90_000, rel=0.02)
    assert answered[1] > answered[2] > answered[3]


def test_other_cpus_receive_where_there_are_some() -> None:
    found = outcome(300_000, cores=4)
    assert found.throughput_per_s == pytest.approx(1e9 / DEMAND_NS, rel=0.02)
    assert 4 * found.utilisation == pytest.approx(1.0 + 200_000 * RECEIVE_NS * 1e-9, rel=0.05)


def test_what_begins_in_the_instance_is_not_received() -> None:
    assert outcome(300_000, local=True).throughput_per_s == pytest.approx(1e9 / DEMAND_NS, rel=0.01)


def test_a_guest_receives_on_its_own_cpus() -> None:
    """A VM of one vCPU on a host of four CPUs: its kernel receives what it rejects, and nobody helps it."""
    own, more = (outcome(300_000, cores=4, platform={"name": "x", "stack": ["kvm"], "vms": {"count": 1, "vcpus": n, "memory": "1GiB"}}) for n in (1, 3))
    assert own.throughput_per_s < 0.93 * more.throughput_per_s

"""Batches of packets against closed forms: what backends pay for waking up, polls of guests, interrupts at the end of a batch, receiving beside threads."""

from __future__ import annotations

import pytest
from helpers.support import COMPILED, replications
from helpers.vm_devices import NET, SPAN, costs, outcome, world


def test_a_backend_pays_for_waking_once_a_busy_period() -> None:
    """Poisson packets of 20 us: a share 1 - rho' finds the backend asleep, whose 5 us of waking lengthen its busy periods too."""
    for rate in (5_000.0, 20_000.0, 35_000.0):
        net = {"costs": costs(NET, packet_in={"host_cpu": "20us", "host_wake": "5us"})}
        found = outcome(rate=rate, steps=[{"delay": "0us"}], net=net)
        asleep = (1 - rate * 20e-6) / (1 + rate * 5e-6)
        assert found.resources["mine I/O thread"] == pytest.approx(rate * (20e-6 + asleep * 5e-6), rel=0.02 if COMPILED else 0.05)


@pytest.mark.skipif(not COMPILED, reason="takes the statistics of a long run; the plain kernel gives the same bytes")
def test_a_guest_polls_while_packets_come_in() -> None:
    """Poisson packets that a kernel handles in 20 us after interrupts of 10 us: a share (1 - rate x 20 us) / (1 + rate x 10 us) interrupts it."""
    for rate in (5_000.0, 20_000.0, 40_000.0):
        net = {"costs": costs(NET, packet_in={"cpu": "18900ns", "interrupt": "10us"})}  # and 1.1 us, as on any host
        found = outcome(rate=rate, steps=[{"delay": "0us"}], net=net)
        share = found.devices["net"]["interrupts"] / found.requests
        assert share == pytest.approx((1 - rate * 20e-6) / (1 + rate * 10e-6), rel=0.02 if COMPILED else 0.05)


def test_a_backend_interrupts_when_it_has_no_more_or_has_passed_on_its_budget() -> None:
    """Poisson packets of 20 us: those that leave nobody behind interrupt, a share 1 - rho; a backend that never rests does for each 65th."""
    parts = costs(NET, packet_in={"host_cpu": "20us", "interrupt": "1ns"})
    for rate in (5_000.0, 25_000.0):
        found = outcome(rate=rate, steps=[{"delay": "0us"}], net={"costs": parts})
        assert found.devices["net"]["interrupts"] / found.requests == pytest.approx(1 - rate * 20e-6, rel=0.03 if COMPILED else 0.08)
    full = outcome(clients=100, steps=[{"delay": "1us"}], net={"costs": parts})
    assert full.devices["net"]["interrupts"] / full.requests == pytest.approx(1 / 65, rel=0.05)


def test_packets_are_received_beside_busy_threads_where_there_is_another_cpu() -> None:
    """One thread of 50 us, 20 us to receive each request: 14 286 requests/s on one vCPU, 20 000 on two, which compute 70 us for each either way."""
    world_of = world(clients=16, steps=[{"cpu": "50us"}], net={"costs": costs(NET, packet_in={"interrupt": "20us"})}, seconds=SPAN / 10)
    for vcpus, expected in ((1, 1 / 70e-6), (2, 1 / 50e-6)):
        one = {"s0": world_of.services["s0"].model_copy(update={"threads": 1, "cpus": vcpus})}
        found = replications(world_of.model_copy(update={"services": one}))[0]
        assert set(found.checks.values()) == {"ok"}, found.checks
        assert found.throughput_per_s == pytest.approx(expected, rel=0.01)
        assert found.utilisation * 8 / found.throughput_per_s == pytest.approx(70e-6, rel=0.02)


def test_what_is_received_beside_threads_is_what_one_cpu_can_do() -> None:
    """30 us to receive, 10 us to compute, two vCPUs: they share 40 us a request, and no work is lost."""
    world_of = world(clients=16, steps=[{"cpu": "10us"}], net={"costs": costs(NET, packet_in={"interrupt": "30us"})}, seconds=SPAN / 10)
    one = {"s0": world_of.services["s0"].model_copy(update={"threads": 1, "cpus": 2})}
    found = replications(world_of.model_copy(update={"services": one}))[0]
    interrupted = found.devices["net"]["interrupts"] / found.requests
    assert found.utilisation * 8 / found.throughput_per_s == pytest.approx(10e-6 + interrupted * 30e-6, rel=0.03)
    assert found.utilisation * 8 <= 2.001


def test_what_is_sent_to_a_backend_that_is_awake_needs_a_kick_unless_it_still_sends() -> None:
    """Poisson answers of 10 us each, to a backend that is busy with 15 us for each request: a share 1 - rate x 10 us kicks it, asleep or not."""
    rate = 20_000.0
    parts = costs(NET, packet_in={"host_cpu": "15us"}, packet_out={"host_cpu": "10us", "kick": "1us", "notify": "3us"})
    found = outcome(rate=rate, steps=[{"delay": {"exponential": "1ms"}}], net={"costs": parts})
    assert found.devices["net"]["notifications"] / found.requests == pytest.approx(1 - rate * 10e-6, rel=0.03 if COMPILED else 0.08)

"""Payloads of more than one frame are acknowledged packet by packet: work counted by hand, in VMs and over a bridge."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import replications, scenario
from helpers.vm_devices import NET, costs, number, outcome

CASES = [("out", "1KiB", 0), ("out", "64KiB", 1), ("out", "100KiB", 2), ("in", "1KiB", 0), ("in", "64KiB", 1), ("in", "100KiB", 2)]


def busy_us(step: dict[str, Any], **packets: Any) -> float:
    """CPU time of the host for a request in a VM whose packets cost what is stated, less that where they cost nothing."""
    found = (outcome(clients=1, steps=[{"net": step}, {"delay": "1ms"}], net={"costs": costs(NET, **given)}, seconds=0.2) for given in (packets, {}))
    with_them, without = (one.utilisation * 8 / one.throughput_per_s * 1e6 for one in found)
    return with_them - without


@pytest.mark.parametrize(("direction", "size", "packets"), CASES)
def test_a_vm_is_told_of_what_it_sends_and_tells_of_what_it_takes(direction: str, size: str, packets: int) -> None:
    """Packets the other way cost 5 us of the guest and 3 of the backend each, and the request and its answer as much as without a payload."""
    other = "packet_in" if direction == "out" else "packet_out"
    told, plain = (busy_us({direction: amount}, **{other: {"cpu": "5us", "host_cpu": "3us"}}) for amount in (size, "1B"))
    assert told - plain == pytest.approx(packets * 8, abs=0.1)


@pytest.mark.parametrize(("direction", "size", "packets"), CASES)
def test_a_bridge_passes_them_too(direction: str, size: str, packets: int) -> None:
    """Work of the container's path for the other direction, 5 us a packet."""
    other = "packet_in" if direction == "out" else "packet_out"

    def served_us(amount: str) -> float:
        nothing = {name: {"none": "made up for a test"} for name in (*NET,)}
        device = {"like": "bridge", "costs": nothing | {other: {"cpu": number("5us")}}}
        spec = scenario(
            {"s": {"threads": 1, "operations": {"x": [{"cpu": "10us"}, {"net": {direction: amount}}]}}}, {"closed": {"clients": 1}, "local": True},
            {"duration": "0.2s", "warmup": "0s"}, host={"cores": 1, "nic": "100gbe"}, platforms=[{"name": "d", "stack": ["docker"], "net": "mine"}],
            catalog={"devices": {"mine": device}},
        )
        found = replications(spec)[0]
        return found.utilisation / found.throughput_per_s * 1e6

    assert served_us(size) - served_us("1B") == pytest.approx(packets * 5, abs=0.3)

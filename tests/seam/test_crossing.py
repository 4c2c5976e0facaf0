"""Calls between hosts cross the network; requests and large transfers share its links."""

from __future__ import annotations

import random
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import simpy
import yaml
from helpers.support import MS, S, service, write
from helpers.worlds import worlds

from simvirt import kernel
from simvirt.catalog import Catalog
from simvirt.catalog.entries.software import DeviceEntry
from simvirt.clock import Clock
from simvirt.control.lifecycle import begin
from simvirt.control.transfers import Transfer, Transfers
from simvirt.gauges import snapshot
from simvirt.kernel import constants as k
from simvirt.metrics.measure import checks
from simvirt.runs.replicate import make_plane
from simvirt.scenario import loads

Process = Generator[simpy.Event, Any, None]
WORLDS = worlds()
ACROSS_NS, END = 50_000, S + 50 * MS
"""Half of the round trip in a data centre; an instant at which ten requests have been answered."""
TWO_TORS = {"switches": {"a": {"latency": "2us"}, "b": {"latency": "3us"}}, "links": [
    {"from": "host[0]", "to": "a", "latency": "1us"}, {"from": "host[1]", "to": "b", "latency": "1us"},
    {"from": "a", "to": "b", "bandwidth": "1Gbps", "latency": "10us"}]}


def clock_of(text: str, hosts: int, network: dict[str, Any] | None = None) -> Clock:
    """The clock of a replication of a scenario at its start, on so many of its hosts."""
    document = yaml.safe_load(text)
    document["hosts"] = {"host": document.pop("host") | {"count": hosts}}
    document |= {} if network is None else {"network": network}
    spec = loads(yaml.safe_dump(document, sort_keys=False))
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[0]), spec.run.seed, 0))
    begin(clock, spec)
    return clock


def calling(platform: str = "bare-metal", **more: Any) -> str:
    """A front on host 0 that calls its back, whose two replicas stand on both hosts, ten times a second."""
    services = {"front": service({"call": "back.take"}, threads="unlimited"), "back": {"threads": "unlimited", "scale": 2, "operations": {"take": [{"cpu": "1ms"}]}}}
    return write(services, {"open": {"rate": "10/s", "arrivals": "deterministic"}, "mix": {"front.job": 1}}, {"duration": "60s"},
                    platforms=[platform], host={"cores": 4, "nic": "10Gbps", "switching": "none", "max_cstate": "none"}, **more)


def latencies(clock: Clock, until: int) -> tuple[int, int]:
    """Sum of latencies [ns] and number of answers after a run."""
    clock.run(until=until)
    return int(clock.plane.read("tallies", "latency_sum")[0]), int(clock.plane.read("tallies", "completed")[0])


@pytest.mark.parametrize(("network", "there_ns"), [(None, ACROSS_NS), (TWO_TORS, 17_000)])
def test_a_call_to_another_host_takes_its_way_twice(network: dict[str, Any] | None, there_ns: int) -> None:
    """One call in two goes to the other host and comes back: its frame over the slowest link, and the latency, both twice."""
    alone, n = latencies(clock_of(calling(), 1), END)
    clock = clock_of(calling(), 2, network)
    apart, same = latencies(clock, END)
    amount = clock.plane.read("program", "amount")[clock.plane.read("program", "op") == k.OP_CALL][0]
    slowest = 0.125 if network else 1.25
    assert n == same and apart - alone == pytest.approx(n / 2 * 2 * (there_ns + amount / slowest), abs=4 * n)


def test_the_time_on_the_way_is_the_networks() -> None:
    clock = clock_of(calling(), 2)
    latencies(clock, END)
    spent = clock.plane.read("tallies", "spent").reshape(-1, k.N_CATEGORIES).sum(axis=0)
    assert spent[k.NETWORK] == pytest.approx(10 / 2 * 2 * (ACROSS_NS + 91 / 1.25), rel=0.01)
    assert spent.sum() == clock.plane.read("tallies", "latency_sum").sum()


def test_every_link_of_the_way_carries_what_is_sent() -> None:
    clock = clock_of(calling(), 2, TWO_TORS)
    latencies(clock, END)
    read = clock.plane.read
    amount = read("program", "amount")[read("program", "op") == k.OP_CALL][0]
    assert read("links", "bytes").tolist() == pytest.approx([5 * amount] * 6)
    assert read("links", "passed").tolist() == pytest.approx([5 * amount] * 6, abs=5 * 1.25)  # ends are whole nanoseconds
    assert (read("links", "transfers") == 0).all() and read("links", "free_pages")[0] == len(read("links", "free_page"))


@pytest.mark.parametrize("platform", ["docker", "kvm", "docker-on-kvm"])
def test_platforms_pay_for_their_way_beside(platform: str) -> None:
    alone, n = latencies(clock_of(calling(platform), 1), END)
    apart, same = latencies(clock_of(calling(platform), 2), END)
    assert n == same and apart - alone > n / 2 * 2 * ACROSS_NS * 0.9


@pytest.mark.parametrize("name", ["shop-kvm", "shop-docker", "closed", "limited-eevdf"])
def test_laws_hold_over_hosts(name: str) -> None:
    """Whatever crosses, nothing is lost; tables that grow meanwhile change nothing."""
    clock, grown = clock_of(WORLDS[name], 3), clock_of(WORLDS[name], 3)
    for at in (1, 2):
        clock.run(until=at * S)
        grown.run(until=at * S)
        assert grown.plane._grow()
    assert set(checks(clock.plane, snapshot(clock.plane, 2 * S)).values()) == {"ok"}
    assert (grown.plane.read("tallies", "latency_sum") == clock.plane.read("tallies", "latency_sum")).all()
    assert clock.plane.read("links", "passed").tolist() == pytest.approx(clock.plane.bytes_passed().tolist(), rel=0.1)


def test_a_callee_that_crashes_while_a_call_is_on_its_way() -> None:
    """The request fails, and everything is given back."""
    clock = clock_of(calling(), 2)
    clock.run(until=100 * MS + 20_000)
    for row in clock.plane.instances_of("back"):
        clock.plane.crash(row)
    clock.run(until=150 * MS)
    read = clock.plane.read
    assert read("tallies", "in_system")[0] == 0 and read("tallies", "failed")[0] + read("tallies", "rejected")[0] + read("tallies", "completed")[0] == read("tallies", "arrived")[0]
    assert read("run", "free_frames")[0] == read("run", "frames")[0]


# --- requests and large transfers on one link ------------------------------------------------------------------------------


def sending(rate: str, size: str = "125kB") -> str:
    """Requests that send so much over the NIC of host 0, of 1 Gbit/s."""
    return write({"server": service({"net": {"out": size}}, threads="unlimited")}, {"open": {"rate": rate}, "mix": {"server.job": 1}},
                    {"duration": "1h"}, host={"cores": 4, "nic": "1Gbps", "max_cstate": "none"})


def mean_latency(clock: Clock, first: int, last: int) -> float:
    """Mean latency of the answers between two instants [ns]."""
    totals = []
    for at in (first, last):
        clock.run(until=at)
        totals.append((int(clock.plane.read("tallies", "latency_sum").sum()), int(clock.plane.read("tallies", "completed").sum())))
    return (totals[1][0] - totals[0][0]) / (totals[1][1] - totals[0][1])


@pytest.mark.skipif(kernel.MODE == "plain", reason="statistics of 40,000 requests")
@pytest.mark.parametrize("others", [1, 3])
def test_requests_beside_large_transfers_share_as_with_jobs_that_never_end(others: int) -> None:
    """M/G/1-PS with K permanent jobs: (K + 1) s / (1 - load); and the transfers get what requests leave."""
    clock = clock_of(sending("240/s"), 4)
    transfers = Transfers(clock, clock.plane.lowered.topology, clock.plane)
    wire = 125_000 * 1538 / 1448
    load = 240 * wire / 125e6
    for n in range(others):
        transfers.transfer("host[0]", f"host[{1 + n}]", 10**12)
    found = mean_latency(clock, S, 150 * S)
    assert found == pytest.approx((others + 1) * wire / 0.125 / (1 - load), rel=0.06)
    assert transfers.carried()[0] / clock.now == pytest.approx(0.125 * (1 - load), rel=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_both_together_never_exceed_a_link_and_lose_no_byte(seed: int) -> None:
    """At random instants, over each link since the last look; in the end every transfer that was not given up has arrived, whole."""
    rng = random.Random(seed)
    clock = clock_of(sending("300/s", "250kB"), 3)
    transfers = Transfers(clock, clock.plane.lowered.topology, clock.plane)
    made: list[Transfer] = []
    capacity = transfers.capacities

    def send() -> Process:
        for _ in range(12):
            yield clock.timeout(rng.randrange(1, 60 * MS))
            source, to = rng.sample(range(3), 2)
            made.append(transfers.transfer(f"host[{source}]", f"host[{to}]", rng.randrange(1, 20_000_000), rng.choice([None, 20e6])))
            if rng.random() < 0.2:
                rng.choice(made).cancel()

    def look() -> Process:
        before, since = np.zeros(len(capacity)), 0
        while True:
            yield clock.timeout(rng.randrange(1, 20 * MS))
            now = transfers.carried() + clock.plane.bytes_passed()
            assert (now - before <= capacity * (clock.now - since) * (1 + 1e-9) + 1e-3).all()
            before, since = now, int(clock.now)

    clock.process(send())
    clock.process(look())
    clock.run(until=8 * S)
    assert all(transfer.triggered and transfer.carried == transfer.size for transfer in made if transfer.open)
    for row, carried in enumerate(transfers.carried()):
        assert carried == pytest.approx(sum(t.carried for t in made if row in t.route.links), abs=1)
    assert (clock.plane.read("links", "bulk_flows") == 0).all()


def test_requests_are_slowed_only_while_the_transfer_lasts() -> None:
    spec = write({"server": service({"net": {"out": "125kB"}}, threads="unlimited")}, {"open": {"rate": "10/s", "arrivals": "deterministic"}, "mix": {"server.job": 1}},
                    {"duration": "1h"}, host={"cores": 4, "nic": "1Gbps", "max_cstate": "none"})
    quiet, beside = clock_of(spec, 2), clock_of(spec, 2)
    transfers = Transfers(beside, beside.plane.lowered.topology, beside.plane)
    alone = mean_latency(quiet, S, 3 * S)
    transfers.transfer("host[0]", "host[1]", 230_000_000)
    assert mean_latency(beside, S // 2, S) == pytest.approx(2 * alone, rel=0.01)
    assert mean_latency(beside, 3 * S, 5 * S) == pytest.approx(alone, rel=0.001)


@pytest.mark.parametrize("replicas", [2, 3, 4])
def test_callers_and_callees_of_equal_number_meet_evenly(replicas: int) -> None:
    """Each caller calls all callees, also those on other hosts: it takes turns by itself."""
    spec = write({"front": service({"call": "back.take"}, threads="unlimited", scale=replicas), "back": {"threads": "unlimited", "scale": replicas, "operations": {"take": [{"cpu": "1ms"}]}}},
                    {"open": {"rate": "240/s", "arrivals": "deterministic"}, "mix": {"front.job": 1}}, {"duration": "60s"}, host={"cores": 4, "nic": "10Gbps"})
    clock = clock_of(spec, replicas)
    clock.run(until=S + 2 * MS)
    amount = clock.plane.read("program", "amount")[clock.plane.read("program", "op") == k.OP_CALL][0]
    sent = clock.plane.read("links", "bytes").reshape(-1, 2)[:, 0] / amount
    assert sent == pytest.approx([2 * 240 / replicas * (1 - 1 / replicas)] * replicas, abs=2)


@pytest.mark.parametrize(("platform", "device"), [
    ("docker-host-network", "host-network"), ("docker", "bridge-nat"), ("docker-macvlan", "macvlan"), ("docker-overlay-network", "vxlan-overlay"),
    ("docker-geneve", "geneve-overlay"), ("docker-ipip", "ipip-overlay"),
])
def test_networks_of_containers_work_on_both_hosts_and_put_their_headers_on_the_wire(platform: str, device: str) -> None:
    """The callee's host computes for a packet in and one out, the caller's at least for as many; tunnels make each frame longer."""
    entry = Catalog.load().typed("devices", device, DeviceEntry)
    packets = sum(float(term) for name in ("packet_in", "packet_out") for term in entry.costs[name].cpu or ())
    headers = 0 if entry.frames is None else int(entry.frames.headers or 0)
    found = {}
    for name in ("bare-metal", platform):
        clock = clock_of(calling(name), 2)
        latencies(clock, END)
        hosts = [clock.plane.lowered.arrangement.host_of(i).row for i in clock.plane.lowered.arrangement.instances]
        busy = np.bincount(hosts, weights=clock.plane.read("instances", "cpu_time"), minlength=2)
        found[name] = busy, clock.plane.read("links", "bytes").reshape(2, 2)
    (bare, plain), (busy, framed) = found.values()
    assert busy[1] - bare[1] == pytest.approx(5 * packets, abs=10)
    assert busy[0] - bare[0] == pytest.approx(25 * packets, abs=30)  # ten requests of clients, ten calls, five of them answered here
    assert framed == pytest.approx(plain + 5 * headers)


@pytest.mark.parametrize(("platform", "least", "most"), [("kvm-sr-iov", 0.0, 3_000.0), ("kvm", 3_000.0, 40_000.0)])
def test_virtual_functions_cross_without_the_host(platform: str, least: float, most: float) -> None:
    """A virtual function leaves the host's CPUs out of a message between hosts; vhost works, and is woken, on both sides."""
    clock = clock_of(calling(platform), 2)
    latencies(clock, END)
    plan, used = clock.plane.lowered.arrangement, clock.plane.read("instances", "cpu_time")
    backends = [used[device.backend.row] if device.backend else 0 for device in plan.devices if device.entry is not None and device.entry.role == "net"]
    assert len(backends) == 3 and all(least * 5 <= time <= most * 15 for time in backends)

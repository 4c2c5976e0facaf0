"""Several hosts: each has disks, links, CPUs and idle states of its own, and a call's way is that of the two replicas."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers.support import MS, S, columns, differences, scenario, service
from helpers.worlds import worlds

from simvirt.catalog import Catalog
from simvirt.catalog.records import HostEntry
from simvirt.clock import Clock
from simvirt.control.lifecycle import begin
from simvirt.gauges import snapshot
from simvirt.kernel import constants as k
from simvirt.lowering.sites import Site
from simvirt.lowering.lower import Lowered, lower_onto
from simvirt.metrics.measure import checks
from simvirt.runs.replicate import plane_of
from simvirt.scenario import loads
from simvirt.scenario.spec.models import Scenario
from simvirt.workload.streams import Phases

WORLDS = worlds()
STEADY = {"open": {"rate": "100/s", "arrivals": "deterministic"}, "mix": {"server.job": 1}}


def lowered_onto(spec: Scenario, *changes: dict[str, Any]) -> Lowered:
    """A scenario's first platform on as many hosts as there are changes of its host's entry."""
    catalog = Catalog.of(spec)
    entry: HostEntry = catalog.resolve_host(spec.host)
    sites = [Site(replace(spec.each_host[0], name=f"host-{n}"), replace(entry, **change), spec) for n, change in enumerate(changes)]
    return lower_onto(sites, spec, catalog, catalog.platform(spec.platforms[0]), Phases(spec.run.seed, 0))


def begun_on(lowered: Lowered) -> Clock:
    """The clock of a replication at its start."""
    clock = Clock(plane_of(lowered, lowered.scenario.run.seed, 0))
    begin(clock, lowered.scenario)
    return clock


def two(steps: list[dict[str, Any]], platform: str = "bare-metal", **host: Any) -> Scenario:
    """A service of two replicas, which stand on different hosts where there are two."""
    return scenario({"server": service(*steps, threads="unlimited", scale=2)}, STEADY, {"duration": "60s"}, host=host, platforms=[platform])


@pytest.mark.parametrize("platform", ["bare-metal", "docker", "kvm", "xen-2003"])
def test_every_host_has_a_disk_of_its_own(platform: str) -> None:
    """Reads of 6 ms on average, 100/s at one arm: half of them at each host's, and on one host twice the load of either."""
    spec = two([{"disk": {"read": "4KiB"}}], platform, disk="hdd", cores=4)
    apart, together = begun_on(lowered_onto(spec, {}, {})), begun_on(lowered_onto(spec, {}))
    for clock in (apart, together):
        clock.run(until=20 * S)
    done = apart.plane.read("disks", "completed")
    assert done.tolist() == pytest.approx([1000, 1000], rel=0.05)
    assert (snapshot(apart.plane, 20 * S).disk_busy < 0.7 * snapshot(together.plane, 20 * S).disk_busy[0]).all()


def test_every_host_has_links_of_its_own() -> None:
    """Two transfers at once share a NIC's bandwidth where they leave by the same one; tables that grow meanwhile change nothing."""
    spec = two([{"net": {"out": "1MB"}}], nic="1gbe", cores=4)
    apart, grown, together = begun_on(lowered_onto(spec, {}, {})), begun_on(lowered_onto(spec, {}, {})), begun_on(lowered_onto(spec, {}))
    for at in range(1, 11):
        for clock in (apart, grown, together):
            clock.run(until=at * S + 5 * MS)
        if at < 3:
            assert grown.plane._grow()
    sent = apart.plane.read("links", "bytes").reshape(2, 2)
    assert sent[0, 0] == pytest.approx(sent[1, 0], rel=0.01) and (sent[:, 1] == 0).all()
    assert sent.sum() == pytest.approx(together.plane.read("links", "bytes").sum(), rel=0.01)
    assert (apart.plane.read("links", "busy")[[0, 2]] < 0.7 * together.plane.read("links", "busy")[0]).all()
    assert (grown.plane.read("links", "bytes") == apart.plane.read("links", "bytes")).all()
    assert (grown.plane.read("tallies", "latency_sum") == apart.plane.read("tallies", "latency_sum")).all()


@pytest.mark.parametrize("sleeper", [0, 1])
def test_every_host_has_idle_states_of_its_own(sleeper: int) -> None:
    """One of two hosts never sleeps: half of the requests meet no exit latency."""
    spec = two([{"cpu": "1ms"}], max_cstate="C6")
    changes: list[dict[str, Any]] = [{}, {}]
    changes[1 - sleeper] = {"cstates": ()}
    lowered = lowered_onto(spec, *changes)
    clock = begun_on(lowered)
    clock.run(until=10 * S)
    total, n = int(clock.plane.read("tallies", "latency_sum")[0]), int(clock.plane.read("tallies", "completed")[0])
    deepest = round(lowered.hosts[sleeper].cstates[-1].exit)
    assert total / n - MS == pytest.approx(deepest / 2, rel=0.01)


@pytest.mark.parametrize(("platform", "near"), [("bare-metal", "inside"), ("kvm", "entry")])
def test_the_way_of_a_call_is_that_of_its_replicas(platform: str, near: str) -> None:
    """Front n calls back n modulo 3 of three, of which two share its host half of the time: 10, 20 and 40 ms by the way that is taken."""
    back = {"threads": "unlimited", "scale": 3, "operations": {f"take{ms}": [{"delay": f"{ms}ms"}] for ms in (10, 20, 40)}}
    services = {"front": service({"call": "back.take20"}, threads="unlimited", scale=2), "back": back}
    mix = {"front.job": 1} | {f"back.take{ms}": 1e-12 for ms in (10, 20, 40)}
    spec = scenario(services, {"open": {"rate": "60/s", "arrivals": "deterministic"}, "mix": mix}, {"duration": "60s"}, platforms=[platform], host={"cores": 8})
    lowered = lowered_onto(spec, {}, {})
    first = dict(zip([of.operation for of in lowered.classes], lowered.tables["source"]["entry"].tolist(), strict=True))
    program = lowered.tables["program"]
    for way, ms in (("inside", 10), ("entry", 20), ("beyond", 40)):
        program[way][program["op"] == k.OP_CALL] = first[f"back.take{ms}"]
    clock = begun_on(lowered)
    clock.run(until=10 * S)
    total, n = int(clock.plane.read("tallies", "latency_sum").sum()), int(clock.plane.read("tallies", "completed").sum())
    expected = ({"inside": 10, "entry": 20}[near] + 40) / 2
    assert total / n / MS == pytest.approx(expected, abs=1.0)


@pytest.mark.parametrize("name", [
    "shop-kvm", "crowd-gps-docker", "crowd-gps-kvm", "cores-crowd", "reserved-esxi", "asleep-kvm", "asleep-neighbours", "limited-eevdf", "smt", "closed",
])
def test_nothing_crosses_from_one_host_to_another(name: str) -> None:
    """Whatever runs, runs on its own machine, and that on its own host; the laws hold over all of them."""
    clock = begun_on(lowered_onto(loads(WORLDS[name]), {}, {}))
    clock.run(until=2 * S)
    read = clock.plane.read
    alive = np.flatnonzero((read("entities", "state") != k.OFF) & (np.arange(len(read("entities", "state"))) >= read("run", "first_vcpu")[0]))
    assert (read("cpus", "machine")[read("entities", "cpu")[alive]] == read("entities", "machine")[alive]).all()
    carried = np.flatnonzero(read("cpus", "vcpu") != k.NONE)
    below = read("entities", "machine")[read("cpus", "vcpu")[carried]]
    assert (read("machines", "host")[below] == read("cpus", "host")[carried]).all()
    assert (below == read("hosts", "machine")[read("cpus", "host")[carried]]).all()
    assert set(checks(clock.plane, snapshot(clock.plane, 2 * S)).values()) == {"ok"}
    used = [read("instances", "cpu_time")[read("machines", "host")[read("instances", "machine")] == host].sum() for host in (0, 1)]
    assert max(used) > 0 and len(read("disks", "busy")) == 2


def test_a_second_host_changes_nothing_on_the_first() -> None:
    """A service of one replica beside a host without any: the same tallies as alone."""
    spec = scenario({"server": service({"cpu": {"exponential": "5ms"}}, {"disk": {"read": "4KiB"}}, threads="unlimited")},
                    {"open": {"rate": "100/s"}, "mix": {"server.job": 1}}, {"duration": "60s"}, platforms=["docker"])
    found = []
    for changes in ([{}], [{}, {}]):
        clock = begun_on(lowered_onto(spec, *changes))
        clock.run(until=5 * S)
        found.append({name: column for name, column in columns(clock.plane).items() if name.startswith("tallies")})
    assert differences(*found) == []

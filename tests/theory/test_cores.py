"""Cores of any number of hardware threads: what they yield, who shares them, and that closed forms of yields and the kernel agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.support import COMPILED, MS, S, after, assert_sound, begun, cpu_seconds, replications, scenario, service

from simvirt.catalog import HostEntry
from simvirt.kernel import constants as k
from simvirt.kernel.cores import thread_speed

SECONDS = 10


def entry(smt: int, cores: int) -> HostEntry:
    """A host, resolved."""
    spec = scenario({"a": {"background": {"threads": 1}}}, None, {"duration": "1s"}, host={"cores": cores, "smt": smt})
    found: HostEntry = begun(spec).plane.lowered.arrangement.hosts[0].entry
    return found


def throughput(smt: int, cores: int, threads: int, **fields: Any) -> float:
    """Requests per second of 10 ms each that so many clients without time to think get."""
    host = {"cores": cores, "smt": smt, "scheduler": fields.pop("scheduler", "eevdf")}
    job = service({"cpu": "10ms"}, threads=threads, **fields)
    (found,) = replications(scenario({"a": job}, {"closed": {"clients": threads}}, {"duration": "20s" if COMPILED else "2s", "warmup": "500ms"}, host=host))
    assert_sound([found])
    assert found.utilisation <= 1 + 1e-9
    return found.throughput_per_s


@pytest.mark.parametrize("two", [1.0, 1.25, 1.45, 2.0])
def test_the_yield_of_a_core_rises_ever_more_slowly(two: float) -> None:
    """One thread yields one, two what is known of two; each further thread adds less, and none takes anything away."""
    yields = [busy * thread_speed(two / 2, busy) for busy in range(1, 9)]
    assert yields[:2] == [1.0, two]
    gains = np.diff(yields)
    assert (gains >= -1e-12).all()
    assert (np.diff(gains) <= 1e-12).all()
    host = entry(8, 1)
    assert [host.core_yield(busy, two) for busy in range(1, 9)] == pytest.approx(yields)


@pytest.mark.parametrize("scheduler", ["eevdf", "cfs", "credit", "credit2", "esxi", "hyperv", "round-robin", "gps", {"policy": "hyperv", "type": "core"}])
@pytest.mark.parametrize("smt", [1, 2, 3, 4, 8])
def test_full_cores_compute_what_their_threads_yield(smt: int, scheduler: Any) -> None:
    assert throughput(smt, 2, 8 * smt, scheduler=scheduler) == pytest.approx(100 * entry(smt, 2).capacity, rel=0.02 if COMPILED else 0.1)


@pytest.mark.parametrize("busy", [1, 2, 3, 4, 6, 8])
def test_threads_spread_over_the_cores(busy: int) -> None:
    """Two cores of four threads: each as many as the other, or one more."""
    host = entry(4, 2)
    loads = [busy // 2, busy - busy // 2]
    expected = 100 * sum(host.core_yield(n) for n in loads if n)
    assert throughput(4, 2, busy) == pytest.approx(expected, rel=0.02 if COMPILED else 0.1)
    assert throughput(4, 2, busy, scheduler="gps") == pytest.approx(expected, rel=0.02 if COMPILED else 0.1)


@pytest.mark.parametrize("kind", ["core", "classic"])
def test_core_scheduling_keeps_vms_apart_on_cores_of_four_threads(kind: str) -> None:
    services = {name: {"background": {"threads": n, "duty": duty, "period": "7ms"}, "cpus": n} for name, n, duty in (("a", 3, 0.6), ("b", 2, 1.0), ("c", 4, 0.7))}
    spec = scenario(services, None, {"duration": "60s"}, platforms=["kvm"], host={"cores": 2, "smt": 4, "scheduler": {"policy": "hyperv", "type": kind}})
    clock, mixed = begun(spec), 0
    for at in range(7 * MS, (4 if COMPILED else 1) * S, 7 * MS):
        clock.run(until=at)
        current, group = clock.plane.read("cpus", "current")[:8].reshape(4, 2), clock.plane.read("entities", "group")
        owners = [{int(group[e]) for e in core if e != k.NONE and group[e] != k.NONE} for core in current.T]
        mixed += sum(len(core) > 1 for core in owners)
    assert (mixed > 0) == (kind == "classic")


def test_two_vms_take_turns_on_a_core_of_four_threads() -> None:
    services = {name: {"background": {"threads": 2}, "cpus": 2} for name in "ab"}
    spec = scenario(services, None, {"duration": "60s"}, platforms=["kvm"], host={"cores": 1, "smt": 4, "scheduler": {"policy": "hyperv", "type": "core"}})
    clock, totals = after(spec, SECONDS)
    used = np.array([cpu_seconds(clock, totals, name) for name in "ab"])
    assert used == pytest.approx([SECONDS, SECONDS], rel=0.02)


@pytest.mark.parametrize("duty", [{}, {"duty": 0.5, "period": "1ms"}], ids=str)
def test_threads_of_the_host_run_on_beside_vms_and_containers_that_a_core_belongs_to(duty: Any) -> None:
    """What receives packets is in no group: it keeps its thread of the core whatever group runs on the other, and wakes nobody out of it."""
    load = {"background": {"threads": 1} | duty, "cpus": 1}
    services = {"a": service({"cpu": "100us"}, {"net": {"in": "100KiB"}}, threads=4, cpus=1), "b": load, "c": load}
    core = {"cores": 1, "smt": 2, "scheduler": {"policy": "hyperv", "type": "core"}}
    for platform in ("docker", "docker-overlay-network"):
        spec = scenario(services, {"closed": {"clients": 4}}, {"duration": "2s" if COMPILED else "200ms"}, platforms=[platform], host=core)
        (found,) = replications(spec)
        assert_sound([found])
        assert found.requests > 0

"""Idle states: M/G/1 with set-up times, the state that an idleness reaches, what a VM wakes more than a process does, who keeps a CPU awake."""

from __future__ import annotations

import math
from typing import Any

import pytest
from helpers.support import COMPILED, assert_agrees, assert_sound, means, replications, scenario, service

from simvirt import units
from simvirt.catalog import OPERATIONS
from simvirt.analysis.formulas import mg1
from simvirt.scenario.spec.models import Scenario

STATES = {"shallow": ("10us", "3us"), "deep": ("200us", "50us")}
"""Residency and exit of two idle states."""
NETWORK = ("packet_in", "packet_out", "kib_in", "kib_out", "call_hop")


def number(value: str | float) -> dict[str, Any]:
    """A sourced number."""
    return {"value": value, "source": "made up for a test"}


def nothing(*operations: str) -> dict[str, Any]:
    """Costs of operations that cost nothing."""
    return {operation: {"none": "made up for a test"} for operation in operations}


def world(
    steps: list[Any], workload: dict[str, Any], run: dict[str, Any], *, states: dict[str, tuple[str, str]] = STATES, platform: str = "bare-metal",
    net: dict[str, Any] | None = None, halt_poll: str = "0ns", cores: int = 1, disk: str = "nvme",
) -> Scenario:
    """One service on a host whose CPUs sleep in some states; the VMs of `mine` cost nothing but a vhost thread's time where a test states it."""
    vhost = {"like": "vhost-net", "moderation": number("0ns"), "costs": nothing(*NETWORK) | (net or {})}
    monitor = {"like": "kvm", "guest": "idle", "net": "my-net", "halt_poll": number(halt_poll)}
    catalog = {
        "families": {"mine": {"like": "generic-x86", "cstates": {name: {"residency": number(at), "exit": number(out)} for name, (at, out) in states.items()}}},
        "cpus": {"mine": {"like": "generic-x86-2.6", "cores": cores, "smt": 1, "family": "mine"}},
        "hosts": {"mine": {"like": "generic", "cpu": "mine", "disk": disk, "max_cstate": list(states)[-1]}},
        "guests": {"idle": {"like": "linux", "background_duty": number(0)}},
        "devices": {"my-net": vhost},
        "hypervisors": {"mine": monitor | {"costs": nothing(*(name for name in OPERATIONS if name not in NETWORK))}},
        "platforms": {"vm": {"title": "VMs", "stack": ["mine"], "source": "made up for a test"}},
    }
    services = {"server": service(*steps, threads=1, cpus=1)}
    return scenario(services, workload | {"mix": {"server.job": 1}}, {"warmup": "0s"} | run, catalog=catalog, host={"model": "mine", "cores": cores}, platforms=[platform])


def latency(steps: list[Any], think: str, **fields: Any) -> float:
    """Mean latency of one client's requests, which all find the same [us]."""
    found = replications(world(steps, {"closed": {"clients": 1, "think": think}}, {"requests": 400}, **fields))[0]
    assert_sound([found])
    assert found.latency_mean_s is not None
    return found.latency_mean_s * 1e6


@pytest.mark.skipif(not COMPILED, reason="statistics take the compiled kernel; the plain one gives the same bytes")
@pytest.mark.parametrize("load", [0.2, 0.6])
@pytest.mark.parametrize("residency", ["1us", "2ms"])
def test_mg1_with_set_up_times(load: float, residency: str) -> None:
    """Who finds the CPU asleep waits for it: beside the wait of M/G/1 all wait (2 E[D] + rate E[D^2]) / (2 (1 + rate E[D])).

    D is the exit latency after an idle period that reaches both it and the residency, else none; idle periods are exponential.
    Source: Welch, On a generalized M/G/1 queueing process in which the first customer of each busy period receives exceptional service, 1964.
    """
    mean_s, exit_s = 1e-3, 400e-6
    rate = load / mean_s
    spec = world([{"cpu": {"exponential": "1ms"}}], {"open": {"rate": f"{rate}/s"}}, {"requests": 40_000}, states={"only": (residency, "400us")})
    asleep = math.exp(-rate * max(units.parse_time(residency) / 1e9, exit_s))
    found = replications(spec, 16)
    assert_sound(found)
    waiting = asleep * (2 * exit_s + rate * exit_s**2) / (2 * (1 + rate * asleep * exit_s))
    assert_agrees(means(found), mg1(rate, mean_s, 1.0).response_s + waiting)


@pytest.mark.parametrize(("think", "exit_us"), [("5us", 0), ("9.9us", 0), ("10us", 3), ("150us", 3), ("200us", 50), ("5ms", 50)])
def test_a_cpu_sleeps_as_deep_as_its_idleness_pays_for(think: str, exit_us: float) -> None:
    """The exit latency of the deepest state whose residency is reached; the wait is one in the run queue."""
    assert latency([{"cpu": "20us"}], think) == pytest.approx(20 + exit_us, rel=0.01)


def test_whoever_waits_for_a_cpu_to_wake_is_in_its_run_queue() -> None:
    """In a VM too, where nothing is stolen."""
    for platform in ("bare-metal", "vm"):
        found = replications(world([{"cpu": "20us"}], {"closed": {"clients": 1, "think": "5ms"}}, {"requests": 400}, platform=platform))[0]
        assert found.breakdown_s["run_queue"] == pytest.approx(50e-6, rel=0.01)
        assert (found.breakdown_s["steal"], found.breakdown_s["cpu"]) == (0.0, pytest.approx(20e-6, rel=0.01))


def test_who_waits_for_the_disk_is_not_kept_waiting_by_deep_sleep() -> None:
    """A state is used only where its idleness is eleven times its exit latency: that is so for 20 us and the milliseconds of a hard disk alone."""
    states = {"only": ("1us", "20us")}
    steps = [{"cpu": "20us"}, {"disk": {"read": "4KiB"}}, {"cpu": "20us"}]
    asleep = {disk: latency(steps, "0s", states=states, disk=disk) - latency(steps, "0s", states={"none": ("1us", "0us")}, disk=disk) for disk in ("nvme", "hdd")}
    assert asleep == {"nvme": pytest.approx(0, abs=0.1), "hdd": pytest.approx(20, abs=0.1)}


def test_a_vm_wakes_more_cpus_than_a_process() -> None:
    """Bare metal: one CPU for a request. A VM: the CPU that takes the NIC's interrupt, that of the vhost thread and that of the vCPU."""
    vhost = {"packet_in": {"host_cpu": number("1us"), "wake": number("1us")}, "packet_out": {"host_cpu": number("1us"), "wake": number("1us")}}
    assert latency([{"cpu": "20us"}], "5ms", cores=8) == pytest.approx(20 + 50, rel=0.01)
    assert latency([{"cpu": "20us"}], "5ms", cores=8, platform="vm", net=vhost) == pytest.approx(20 + 4 + 3 * 50, rel=0.02)


def test_a_host_that_polls_for_its_vcpus_does_not_sleep() -> None:
    """Halt polling beyond the time to think: the vCPU is caught before its CPU sleeps."""
    assert latency([{"cpu": "20us"}], "100us", platform="vm", halt_poll="1ms") == pytest.approx(20, abs=1.0)
    assert latency([{"cpu": "20us"}], "100us", platform="vm") == pytest.approx(23, abs=0.5)


def test_a_backend_that_polls_keeps_its_cpu_awake() -> None:
    """A polling vhost thread answers at once; the vCPU still has to wake."""
    vhost = {"packet_in": {"host_cpu": number("1us")}}
    found = {poll: _polled(vhost, poll) for poll in ("0us", "10ms")}
    assert found["0us"] - found["10ms"] == pytest.approx(2 * 50, rel=0.03)


def _polled(costs: dict[str, Any], poll: str) -> float:
    """Mean latency behind a vhost thread that polls for a time [us]."""
    spec = world([{"cpu": "20us"}], {"closed": {"clients": 1, "think": "5ms"}}, {"requests": 400}, platform="vm", net=costs, cores=8)
    extra = dict(spec.catalog)
    extra["devices"] = {"my-net": {**extra["devices"]["my-net"], "poll": number(poll)}}
    found = replications(spec.model_copy(update={"catalog": extra}))[0]
    assert found.latency_mean_s is not None
    return found.latency_mean_s * 1e6


def test_deeper_states_slow_a_lone_client_down() -> None:
    """Each state beyond those allowed before costs more where idleness reaches it."""
    deeper = [latency([{"cpu": "20us"}], "5ms", states=dict(list(STATES.items())[:n])) for n in (1, 2)]
    assert deeper == sorted(deeper) and deeper[0] > 20

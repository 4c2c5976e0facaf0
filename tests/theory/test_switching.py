"""What changing processes and vCPUs costs, against counts by hand: the switch, and what the caches have lost by the length of turns."""

from __future__ import annotations

import math
from typing import Any

import pytest
from helpers.support import after, background, replications, scenario, service

from simvirt.kernel import constants as k

CLOCK = 2.6  # cycles a ns, of a host described inline
PROCESS, VCPU = 1500 / CLOCK, 4812 / CLOCK  # work of a change [ns]
POLICIES = ["eevdf", "cfs", "credit", "credit2", "esxi", "hyperv", "round-robin"]
QUANTA = {"round-robin": "quantum", "esxi": "quantum", "hyperv": "quantum", "credit": "timeslice"}
KIB, MIB = 2**10, 2**20
CLAIM, TRAFFIC, STALL, NEAR, FAR = 4 * MIB, 0.5, 0.2, 50 / CLOCK, 90.0  # `generic` [bytes, bytes/ns], latencies of an inline host [ns]
WHOLE = CLAIM / (1.5 * TRAFFIC)  # time in which `generic` touches what it claims [ns]
CORE = 512 * KIB


def beside(
    policy: str = "round-robin", turn: str = "1ms", platform: str = "bare-metal", profile: str | None = None, rival: dict[str, Any] | None = None,
    demand: str = "20ms", **host: Any,
) -> Any:
    """A client's jobs beside a process that always computes, on one CPU."""
    given = {"policy": policy} | ({QUANTA[policy]: turn} if policy in QUANTA else {})
    software = {"profile": profile} if profile else {}
    services = {"a": service({"cpu": demand}) | software, "b": background() | software | (rival or {})}
    load = {"closed": {"clients": 1, "think": "0s"}, "mix": {"a.job": 1}, "local": True}
    return scenario(services, load, {"duration": "60s", "warmup": "0s"}, platforms=[platform], host={"scheduler": given} | host)


def lost_and_turns(spec: Any, seconds: float = 8) -> tuple[float, float, float]:
    """What the jobs lost by others [ns], how many turns they had, and how many were done."""
    clock, _ = after(spec, seconds)
    done = float(clock.plane.read("tallies", "completed")[0])
    return float(clock.plane.read("tallies", "spent")[k.INTERFERENCE]), float(clock.plane.read("cpus", "switches")[0]) / 2, done


@pytest.mark.parametrize("policy", POLICIES)
def test_each_turn_beside_another_process_costs_a_switch(policy: str) -> None:
    lost, turns, done = lost_and_turns(beside(policy))
    assert turns > done > 50
    assert lost == pytest.approx(turns * PROCESS, rel=0.03)


@pytest.mark.parametrize("policy", POLICIES)
def test_vms_that_take_turns_switch_worlds(policy: str) -> None:
    lost, turns, _ = lost_and_turns(beside(policy, platform="kvm"))
    assert lost == pytest.approx(turns * VCPU, rel=0.2)  # the guests' own background threads take turns too


def test_the_ideal_scheduler_and_an_ideal_machine_lose_nothing() -> None:
    assert lost_and_turns(beside("gps"))[0] == 0.0
    assert lost_and_turns(beside(switching="none", profile="generic"))[0] == 0.0


def test_threads_of_one_process_change_places_at_no_cost() -> None:
    services = {"a": service({"cpu": "100ms"}, threads=2, profile="generic")}
    load = {"closed": {"clients": 2, "think": "0s"}, "mix": {"a.job": 1}, "local": True}
    spec = scenario(services, load, {"duration": "60s", "warmup": "0s"}, host={"scheduler": {"policy": "round-robin", "quantum": "1ms"}})
    lost, turns, _ = lost_and_turns(spec)
    assert turns > 100
    assert lost == 0.0


def test_a_long_turn_makes_the_switch_vanish() -> None:
    shares = []
    for turn in (0.1, 1, 10):
        lost, _, done = lost_and_turns(beside(turn=f"{turn}ms", demand="200ms"))
        shares.append(lost / (done * 2e8))
        assert shares[-1] == pytest.approx(PROCESS / (turn * 1e6), rel=0.06)
    assert shares[-1] < 1e-4


def test_a_job_that_has_a_cpu_to_itself_loses_nothing() -> None:
    services = {"a": service({"cpu": "1ms"}, profile="generic"), "b": service({"cpu": "1ms"}, profile="generic")}
    load = {"closed": {"clients": 1, "think": "3ms"}, "mix": {"a.job": 1, "b.job": 1}, "local": True}
    outcome = replications(scenario(services, load, {"duration": "5s", "warmup": "0s"}, host={"cores": 2}))[0]
    assert outcome.breakdown_s["interference"] == 0.0


# --- caches ------------------------------------------------------------------------------------------------------------------


def touched(time: float) -> float:
    """What `generic` touches in so long [bytes]."""
    return float(CLAIM * min(time / WHOLE, 1.0) ** (2 / 3))


def again(touches: float, held: float) -> float:
    """Share of a loss that a turn fetches beyond what it misses anyway."""
    share = min(touches / held, 1.0)
    return float(share - share**1.5 * 2 / 3)


@pytest.mark.parametrize("turn_ms", [0.02, 0.1, 0.3, 1])
def test_two_processes_in_turn_fill_the_caches_of_their_core_again(turn_ms: float) -> None:
    lost, turns, _ = lost_and_turns(beside(turn=f"{turn_ms}ms", profile="generic", demand=f"{40 * turn_ms}ms"))
    held = min(touched(turn_ms * 1e6), CORE)
    gone = min(max(2 * held - CORE, 0.0), held)  # of a cache that keeps what was touched last
    byte = STALL / TRAFFIC * NEAR / FAR
    assert lost / turns == pytest.approx(PROCESS + gone * again(touched(turn_ms * 1e6), held) * byte, rel=0.03)


def test_a_cache_that_is_too_small_for_both_sends_them_to_memory() -> None:
    own = {"value": "4MiB", "source": "made up for a test"}
    families = {"mine": {"like": "generic-x86", "llc": own, "core_cache": {"value": "0B", "source": "made up for a test"}}}
    catalog = {"families": families, "cpus": {"mine": {"like": "generic-x86-2.6", "cores": 1, "family": "mine"}},
               "hosts": {"mine": {"like": "generic", "cpu": "mine"}}}
    services = {"a": service({"cpu": "100ms"}, profile="generic"), "b": background(profile="generic")}
    load = {"closed": {"clients": 1, "think": "0s"}, "mix": {"a.job": 1}, "local": True}
    host = {"model": "mine", "cores": 1, "scheduler": {"policy": "round-robin", "quantum": "10ms"}}
    lost, turns, _ = lost_and_turns(scenario(services, load, {"duration": "60s", "warmup": "0s"}, host=host, catalog=catalog))
    assert lost / turns == pytest.approx(PROCESS + CLAIM / 3 * STALL / TRAFFIC, rel=0.03)


def test_a_rival_that_runs_briefly_evicts_little() -> None:
    """A thread of 5 us every millisecond touches 1 % of the claim; one of 500 us touches a fifth of it, and pushes out what the core holds."""
    def each(duty: float) -> float:
        lost, turns, _ = lost_and_turns(beside("eevdf", profile="generic", rival={"background": {"threads": 1, "duty": duty, "period": "1ms"}}))
        return lost / turns
    brief, long = each(0.005), each(0.5)
    assert brief < PROCESS + 0.15 * (CORE / 3 * STALL / TRAFFIC * NEAR / FAR)
    assert long > PROCESS + 0.5 * (CORE / 3 * STALL / TRAFFIC * NEAR / FAR)
    assert math.isfinite(brief)

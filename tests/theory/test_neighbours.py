"""Interference as it is known: full memory, SMT by class, locks of one kernel and of many, preempted vCPUs, NUMA and page walks."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import yaml
from helpers.support import assert_sound, replications
from helpers.worlds import shared_hardware

from simvirt.metrics.outcome import Outcome
from simvirt.scenario import loads

SECONDS = 1.0
CORES = 8


def loaded(
    profiles: dict[str, dict[str, Any]], others: dict[str, Any] | None = None, threads: int = 1, platform: Any = "bare-metal", number: int = 0, **fields: Any
) -> Outcome:
    """Replication `number` of a closed workload of 1 ms jobs, one client a thread, on two sockets of four cores; `others` run beside it."""
    catalog = shared_hardware(**profiles)
    cpu = catalog["cpus"]["shared"] | {"cores": CORES // 2, "smt": fields.pop("smt", 1)}
    family = catalog["families"]["shared"] | {name: {"value": value, "source": "made up for a test"} for name, value in fields.pop("family", {}).items()}
    replicas = fields.get("scale", 1)
    job = {"threads": threads, "profile": "mine", "operations": {"job": [{"cpu": "1ms"}]}}
    document = {
        "simvirt": 1, "name": "test", "host": {"model": "shared"}, "platforms": [platform], "services": {"a": job | fields} | (others or {}),
        "catalog": catalog | {"cpus": {"shared": cpu}, "families": {"shared": family}},
        "workload": {"closed": {"clients": threads * replicas}, "mix": {"a.job": 1}},
        "run": {"duration": f"{SECONDS}s", "warmup": "0s", "replications": 1},
    }
    outcome = replications(loads(yaml.safe_dump(document)), number + 1)[number]
    assert_sound([outcome])
    return outcome


def rate(*given: Any, **fields: Any) -> float:
    """Jobs a second."""
    return loaded(*given, **fields).throughput_per_s


STREAM = {"memory_bandwidth": "10GB/s", "stall": 0.9}
QUIET: dict[str, Any] = {"stall": 0.4, "memory_bandwidth": "1GB/s", "llc": "8MiB"}


def beside(threads: int, profile: str = "other", **fields: Any) -> dict[str, Any]:
    """A neighbour whose threads always compute."""
    return {"b": {"background": {"threads": threads}, "profile": profile} | fields} if threads else {}


# --- memory and cache ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("threads", "smt"), [(8, 1), (8, 2), (16, 2)])
def test_streams_get_exactly_the_bandwidth(threads: int, smt: int) -> None:
    """10 MB of traffic a job on two sockets of 20 GB/s."""
    assert rate({"mine": dict(STREAM)}, threads=threads, smt=smt) == pytest.approx(4000, rel=0.005)


def test_few_streams_get_what_they_ask_for() -> None:
    assert rate({"mine": dict(STREAM)}, threads=2) == pytest.approx(2000, rel=0.06)


def test_a_neighbour_slows_memory_work_the_more_threads_it_has() -> None:
    found = [rate({"mine": dict(QUIET), "other": dict(STREAM)}, beside(n)) for n in range(8)]
    assert all(more <= less + 1e-9 for less, more in pairwise(found)), found
    assert found[7] < 0.8 * found[0]


def test_a_neighbour_that_computes_slows_nobody() -> None:
    assert rate({"mine": dict(QUIET), "other": {"stall": 0.0}}, beside(7)) == rate({"mine": dict(QUIET), "other": {"stall": 0.0}})


@pytest.mark.parametrize("claim", ["20MiB", "90MiB"])
def test_claims_beyond_the_cache_cost_misses_by_the_square_root(claim: str) -> None:
    """One task with 20 MiB beside three that bring 20 MiB each, or more than the cache, on a socket of 20 MiB: the stall of 0.4 doubles."""
    mine, other = {"stall": 0.4, "llc": "20MiB"}, {"stall": 0.1, "llc": "0B", "thread_llc": claim}
    assert rate({"mine": mine, "other": other}, beside(7)) == pytest.approx(1000 / (0.6 + 0.4 * 2), rel=0.02)


def test_threads_of_a_process_share_what_it_keeps_in_the_cache() -> None:
    """Four threads a socket with 15 of 20 MiB: in one process all is there, as four processes they claim 60."""
    mine = {"mine": {"stall": 0.4, "llc": "15MiB", "thread_llc": "0B"}}
    assert rate(mine, threads=8) == pytest.approx(8000, rel=0.005)
    assert rate(mine, scale=8) == pytest.approx(8000 / (0.6 + 0.4 * 3**0.5), rel=0.02)


def test_each_thread_brings_what_is_its_own() -> None:
    """Four threads a socket with 4 MiB each beside 8 MiB of their process: 24 of 20 MiB."""
    assert rate({"mine": {"stall": 0.4, "llc": "8MiB", "thread_llc": "4MiB"}}, threads=8) == pytest.approx(8000 / (0.6 + 0.4 * 1.2**0.5), rel=0.005)


def test_what_streams_through_the_cache_has_nothing_to_lose() -> None:
    found = [rate({"mine": {"stall": 0.4, "llc": "64MiB"}, "other": {"llc": "20MiB"}}, beside(n)) for n in (0, 7)]
    assert found[0] == found[1]


def test_work_that_knows_no_memory_is_as_without_the_mechanism() -> None:
    """A profile whose parts are all zero gives the same numbers, one by one, as a profile without them."""
    zero = {"stall": 0.0, "kernel_share": 0.0, "shootdowns": "0/s", "walk_miss": 0.0}
    plain, other = (loaded({"mine": dict(profile)}, threads=9, smt=2, platform="kvm") for profile in ({}, zero))
    assert plain.breakdown_s == other.breakdown_s
    assert (plain.histogram == other.histogram).all()


def test_the_mechanism_at_work_leaves_what_knows_none_of_it_alone() -> None:
    """Work without memory or locks beside such that has them: the same numbers, one by one, as with the mechanism off."""
    quiet = {"b": {"background": {"threads": 1, "duty": 0.01}, "profile": "other"}}
    off, on = (loaded({"mine": {}, "other": other}, quiet, threads=5, platform="docker") for other in ({}, {"kernel_share": 0.3}))
    assert off.breakdown_s == on.breakdown_s
    assert (off.histogram == on.histogram).all()


# --- SMT -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mine", "other", "expected"), [(1.6, 1.6, 0.8), (1.0, 1.0, 0.5), (0.9, 1.7, 0.65)])
def test_siblings_share_a_core_by_the_yields_of_their_classes(mine: float, other: float, expected: float) -> None:
    """All sixteen threads busy: each at half the yield, of two classes at half the mean of both."""
    found = rate({"mine": {"smt_yield": mine}, "other": {"smt_yield": other}}, beside(8, cpuset="0-7"), threads=8, smt=2, cpuset="8-15", platform="docker")
    assert found == pytest.approx(8000 * expected, rel=0.01)


@pytest.mark.parametrize(("mine", "smt", "expected"), [(1.6, 4, 4 / 1.75), (1.6, 3, 3 / 1.5), (0.9, 4, 4 / (1 + 11 / 3))])
def test_a_core_of_many_threads_yields_what_its_class_says(mine: float, smt: int, expected: float) -> None:
    """Of k threads each runs at 1 / (1 + b (k - 1)), where two yield what the class says."""
    found = rate({"mine": {"smt_yield": mine}}, threads=CORES * smt, smt=smt)
    assert found == pytest.approx(1000 * CORES * expected, rel=0.01)


def test_two_classes_on_a_core_of_four_threads_run_at_their_mean() -> None:
    found = rate({"mine": {"smt_yield": 1.6}, "other": {"smt_yield": 1.2}}, beside(16, cpuset="0-15"), threads=16, smt=4, cpuset="16-31", platform="docker")
    assert found == pytest.approx(16_000 / (1 + 3 * (1 / 0.7 - 1)), rel=0.01)


def test_a_program_that_starts_a_thread_a_core_starts_more_where_it_does_not_see_cores() -> None:
    """Two sockets of four cores of two threads: eight of them, but one for each vCPU of a VM that hides them."""
    profile, wide = {"smt_yield": 0.9}, {"vms": {"count": 1, "vcpus": 2 * CORES, "memory": "1GiB"}, "pin": True}

    def found(platform: Any) -> float:
        job = {"threads": "cores", "profile": "mine", "operations": {"job": [{"cpu": "1ms"}]}}
        return rate({"mine": dict(profile)}, {"a": job}, threads=2 * CORES, smt=2, platform=platform)

    seen, hidden = (found({"name": "vm", "stack": ["kvm"], "topology": topology} | wide) for topology in ("exposed", "hidden"))
    assert found("bare-metal") == pytest.approx(1000 * CORES, rel=0.01)
    assert seen == pytest.approx(1000 * CORES, rel=0.05)
    assert hidden == pytest.approx(900 * CORES, rel=0.05)


# --- kernel locks ----------------------------------------------------------------------------------------------------------


def test_the_serial_part_of_one_kernel_bounds_all_its_tasks() -> None:
    """Share 0.25: however many tasks, no more than four CPUs' worth; and monotone."""
    found = [rate({"mine": {"kernel_share": 0.25}}, threads=n) for n in (1, 2, 4, 8)]
    assert found[0] == pytest.approx(1000, rel=0.002)
    assert all(more > less for less, more in pairwise(found))
    assert found[3] < 4000


def test_containers_wait_for_each_others_kernel_and_vms_do_not() -> None:
    """Eight replicas of one thread: containers share a kernel, each VM has its own, and its overhead."""
    profile = {"mine": {"kernel_share": 0.15}}
    container, process, vm = (rate(profile, scale=8, cpus=1, platform=name) for name in ("docker", "bare-metal", "kvm"))
    assert container == pytest.approx(process, rel=0.05)
    assert vm > 1.2 * container
    assert rate({"mine": {}}, scale=8, cpus=1, platform="docker") >= rate({"mine": {}}, scale=8, cpus=1, platform="kvm")


# --- preempted vCPUs -------------------------------------------------------------------------------------------------------

SHOOTING: dict[str, Any] = {"shootdowns": "500/s", "kernel_share": 0.005}


def per_vm(vms: int, profile: dict[str, Any], number: int = 0, **platform: Any) -> float:
    """Jobs a second of each of some VMs that are as large as the host, in a replication."""
    stack = {"name": "vms", "stack": ["kvm-2018"]} | platform
    return rate({"mine": dict(profile)}, threads=CORES, scale=vms, platform=stack, number=number) / vms


def test_overcommitted_vms_collapse_below_their_fair_share() -> None:
    """As ebizzy does (Linux commit d73eb57b80b9: 21443, 2800, 1800 for one, two, three VMs as large as the host)."""
    one, two, three = (per_vm(n, SHOOTING) for n in (1, 2, 3))
    assert one > 0.95 * 1000 * CORES
    assert 0.05 < two / one < 0.4
    assert 0.02 < three / one < two / one


def without_the_boost() -> tuple[float, float]:
    """Jobs a second of two VMs without the boost of that commit, and the standard error."""
    draws = [per_vm(2, SHOOTING, number, stack=["kvm-2018"]) for number in range(6)]
    return float(np.mean(draws)), float(np.std(draws, ddof=1)) / len(draws) ** 0.5


def test_a_hypervisor_that_lets_who_spins_yield_spares_most_of_the_collapse() -> None:
    """The same with the boost of that commit (23520, 8000, 3100), with co-scheduling, and with a hypervisor that does neither."""
    fair = per_vm(1, SHOOTING) / 2
    boosted, coscheduled = (per_vm(2, SHOOTING, stack=[stack]) for stack in ("kvm", "esxi"))
    plain, error = without_the_boost()
    assert fair - boosted < 0.5 * (fair - (plain + 4 * error))
    assert plain < 0.6 * coscheduled
    assert max(boosted, coscheduled) < fair


@pytest.mark.xfail(reason="0.53 of it (0.52 to 0.54 by the phases of periods), where 0.39 was measured", strict=True)
def test_without_the_boost_two_vms_reach_less_than_half_of_what_they_reach_with_it() -> None:
    plain, error = without_the_boost()
    assert plain - 4 * error < 0.5 * per_vm(2, SHOOTING, stack=["kvm"])


def test_vms_without_locks_and_shootdowns_get_their_fair_share() -> None:
    assert per_vm(2, {}) == pytest.approx(0.5 * per_vm(1, {}), rel=0.02)


def test_what_spins_is_booked_as_the_platforms() -> None:
    spun, plain = (loaded({"mine": dict(profile)}, threads=CORES, scale=2, platform="kvm") for profile in (SHOOTING, {}))
    assert spun.breakdown_s["virtualization"] > 3 * plain.breakdown_s["virtualization"]
    assert spun.breakdown_s["cpu"] == pytest.approx(plain.breakdown_s["cpu"], rel=0.05)


def test_vms_that_do_not_meet_do_not_wait() -> None:
    """Two VMs of half the host, pinned side by side, lose nothing; containers have no vCPUs at all."""
    halves = {"vms": {"count": 2, "vcpus": CORES // 2, "memory": "1GiB"}, "pin": True}
    found = [rate({"mine": dict(profile)}, threads=CORES // 2, scale=2, platform={"name": "vms", "stack": ["kvm"]} | halves) for profile in ({"kernel_share": 0.0001}, SHOOTING)]
    assert found[1] > 0.97 * found[0]


# --- sockets, topology and page walks --------------------------------------------------------------------------------------


def vm(profile: dict[str, Any], **platform: Any) -> float:
    """Jobs a second of one VM as large as the host, over those of bare metal."""
    return rate({"mine": dict(profile)}, threads=CORES, platform={"name": "vm", "stack": ["kvm"]} | platform) / rate({"mine": dict(profile)}, threads=CORES)


def test_a_vm_that_does_not_see_the_sockets_uses_remote_memory() -> None:
    """Half of the accesses at 1.6 times the latency: a stall of 0.5 becomes 0.65; pinned and exposed it is local again."""
    profile = {"stall": 0.5}
    hidden, seen = vm(dict(profile)), vm(dict(profile), pin=True, topology="exposed")
    assert seen == pytest.approx(1.0, abs=0.03)
    assert hidden / seen == pytest.approx(1 / 1.15, rel=0.025)
    assert vm(profile | {"remote_share": 0.5}) > seen - 0.01, "what is spread over the sockets anyway is no farther"
    for half in ({"pin": True}, {"topology": "exposed"}):
        assert vm(dict(profile), **half) == pytest.approx(hidden, rel=0.02)


def test_remote_memory_does_not_matter_where_the_bandwidth_is_used_up() -> None:
    """STREAM's row: equal in and out of a VM."""
    assert vm(STREAM | {"memory_bandwidth": "30GB/s"}) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("vcpus", [1, CORES // 2, CORES])
def test_pinning_gives_each_vcpu_a_core_as_long_as_there_are_cores(vcpus: int) -> None:
    """Where two threads of a core are slower than one, a pinned VM is no slower than one whose vCPUs wander to idle cores."""
    vms = {"vms": {"count": 1, "vcpus": vcpus, "memory": "1GiB"}}
    loose, pinned = (
        rate({"mine": {"smt_yield": 0.9}}, threads=vcpus, smt=2, platform={"name": "vms", "stack": ["kvm"]} | vms | pin) for pin in ({}, {"pin": True})
    )
    assert pinned >= 0.99 * loose


def test_a_pinned_guest_that_sees_threads_leaves_siblings_alone() -> None:
    """Eight tasks on eight cores of two threads: a guest that does not see the cores doubles some up."""
    def found(**platform: Any) -> float:
        return rate({"mine": {"smt_yield": 1.0}}, threads=CORES, smt=2, platform={"name": "vm", "stack": ["kvm"], "pin": True, "vms": {"count": 1, "vcpus": 2 * CORES, "memory": "1GiB"}} | platform)

    assert found(topology="exposed") == pytest.approx(1000 * CORES, rel=0.03)
    assert found(topology="hidden") < 0.9 * found(topology="exposed")


def test_walks_cost_less_of_the_time_where_all_memory_is_far() -> None:
    """Random updates: what a VM loses on one socket, it loses hardly where each access is remote anyway, by the same constants."""
    updates: dict[str, Any] = {"stall": 0.95, "walk_miss": 0.7}
    near = vm(updates | {"rates": {"tlb_miss": "3000000/s"}}, pin=True, topology="exposed")
    far = vm_far(updates, {"remote_latency": 14.0})
    assert 0.75 < near < 0.92
    assert far > 0.96


def vm_far(profile: dict[str, Any], family: dict[str, Any]) -> float:
    """A VM whose memory is as far as it is with hidden sockets, over the same without costs of its walks."""
    def found(rates: dict[str, str]) -> float:
        return rate({"mine": profile | {"rates": rates}}, threads=CORES, platform={"name": "vm", "stack": ["kvm"]}, family=family)

    return found({"tlb_miss": "3000000/s"}) / found({"tlb_miss": "0/s"})


def test_larger_pages_make_walks_rarer_and_shorter() -> None:
    profile = {"walk_miss": 0.2, "rates": {"tlb_miss": "5000000/s"}}
    small, default, huge = (vm(profile | {"rates": {"tlb_miss": "5000000/s"}}, pages=pages) for pages in ("4k", "thp", "huge"))
    assert small < default < huge < 1.0
    assert (1 / huge - 1) < (1 / default - 1) / 2

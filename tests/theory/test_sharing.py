"""Who gets how much of a CPU: weights, quotas and steal come out as their definitions say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.support import COMPILED, MS, S, after, assert_sound, background, begun, cpu_seconds, quantiles, replications, scenario, service

from simvirt.kernel import constants as k

SECONDS = 20


def shares_of(spec: Any, seconds: float, names: str = "abc") -> np.ndarray:
    """Share of all CPU time that each service has got."""
    clock, totals = after(spec, seconds)
    used = np.array([cpu_seconds(clock, totals, name) for name in names])
    assert used.sum() == pytest.approx(seconds * clock.plane.lowered.hosts[0].pcpus, rel=1e-6)
    return used / used.sum()


# --- steal ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheduler", ["eevdf", "cfs", "credit", "credit2", "esxi", "hyperv", "round-robin", "gps"])
def test_two_busy_vcpus_on_one_pcpu_lose_half_each(scheduler: str) -> None:
    spec = scenario({"a": background(), "b": background()}, None, {"duration": "60s"}, platforms=["kvm"], host={"scheduler": scheduler})
    clock, totals = after(spec, SECONDS)
    assert totals.steal.shape == (2,)
    assert totals.steal / (SECONDS * S) == pytest.approx([0.5, 0.5], abs=0.005)
    if scheduler != "gps":  # the host's clock is wholly divided between running and steal
        assert int(totals.cpu_time.sum() + totals.steal.sum()) == pytest.approx(2 * SECONDS * S, rel=1e-3)


@pytest.mark.parametrize("vms", [3, 5])
def test_n_busy_vcpus_on_one_pcpu_lose_all_but_a_share_each(vms: int) -> None:
    services = {name: background() for name in "abcde"[:vms]}
    spec = scenario(services, None, {"duration": "60s"}, platforms=["kvm"])
    _, totals = after(spec, SECONDS)
    assert totals.steal / (SECONDS * S) == pytest.approx([1 - 1 / vms] * vms, abs=0.01)


# --- weights -------------------------------------------------------------------------------------------------------------


def weighted(scheduler: str, cores: int, threads: int, platform: str = "docker") -> Any:
    """Three services whose weights are as 1 : 2 : 5 and which never sleep."""
    services = {name: background(threads, cpu_shares=1024 * weight) for name, weight in zip("abc", (1, 2, 5), strict=True)}
    return scenario(services, None, {"duration": "60s"}, platforms=[platform], host={"cores": cores, "scheduler": scheduler})


@pytest.mark.parametrize("scheduler", ["eevdf", "cfs", "credit", "credit2", "esxi", "hyperv", "gps"])
@pytest.mark.parametrize("threads", [1, 3])
def test_weights_are_shares_under_saturation(scheduler: str, threads: int) -> None:
    assert shares_of(weighted(scheduler, 1, threads), SECONDS) == pytest.approx(np.array([1, 2, 5]) / 8, rel=0.01)


def vcpu_of(clock: Any, name: str) -> int:
    """Row among the vCPUs of the only vCPU of a service's VM."""
    plan = clock.plane.lowered.arrangement
    (row,) = clock.plane.instances_of(name)
    first = clock.plane.read("machines", "first_cpu")
    return int(first[plan.instances[row].machine] - first[1])


@pytest.mark.parametrize("scheduler", ["credit", "credit2", "esxi", "hyperv"])
def test_weights_of_vms_are_shares_under_a_hypervisor(scheduler: str) -> None:
    """Schedulers of hypervisors count VMs: weights hold between them."""
    spec = weighted(scheduler, 1, 1, "kvm")
    clock, totals = after(spec, SECONDS)
    ran = SECONDS * S - totals.steal[[vcpu_of(clock, name) for name in "abc"]]
    assert ran / ran.sum() == pytest.approx(np.array([1, 2, 5]) / 8, rel=0.02)


def test_round_robin_knows_no_weights() -> None:
    quantum_s = 0.1
    assert shares_of(weighted("round-robin", 1, 1), SECONDS) == pytest.approx(np.ones(3) / 3, abs=quantum_s / SECONDS)


def test_fluid_weights_on_many_cores() -> None:
    """Eight cores for 1 : 2 : 5 with eight threads each: exactly 1, 2 and 5 cores."""
    assert shares_of(weighted("gps", 8, 8), SECONDS) == pytest.approx(np.array([1, 2, 5]) / 8, rel=1e-6)


def test_fluid_shares_fill_up_what_others_cannot_use() -> None:
    """Weighted max-min: one thread takes no more than one core, the rest is shared by weight."""
    services = {"a": background(1, cpu_shares=8192), "b": background(4, cpu_shares=1024), "c": background(4, cpu_shares=2048)}
    spec = scenario(services, None, {"duration": "60s"}, platforms=["docker"], host={"cores": 4, "scheduler": "gps"})
    assert shares_of(spec, SECONDS) == pytest.approx(np.array([1, 1, 2]) / 4, rel=1e-6)



@pytest.mark.parametrize("scheduler", ["eevdf", "cfs", "credit", "credit2", "esxi", "hyperv"])
def test_group_weight_is_divided_over_the_cpus(scheduler: str) -> None:
    """Every group has a thread for each CPU, so that its weight stands on each: the shares hold on many cores too."""
    assert shares_of(weighted(scheduler, 4, 4), SECONDS) == pytest.approx(np.array([1, 2, 5]) / 8, rel=0.05)


@pytest.mark.parametrize("scheduler", ["eevdf", "cfs", "credit2", "esxi", "hyperv", "round-robin", "gps"])
def test_equal_threads_share_bare_metal_equally(scheduler: str) -> None:
    """Without groups each thread counts: three threads against one on one core."""
    spec = scenario({"a": background(3), "b": background(1)}, None, {"duration": "60s"}, host={"scheduler": scheduler})
    assert shares_of(spec, SECONDS, "ab") == pytest.approx([0.75, 0.25], rel=0.01)


@pytest.mark.parametrize("scheduler", ["credit2", "hyperv"])
def test_weights_of_vcpus(scheduler: str) -> None:
    """Credit2 and Hyper-V weigh vCPUs: a VM with three has three times the share of one with one; ESXi and Linux divide it among them."""
    for name, expected in ((scheduler, [0.25, 0.75]), ("esxi", [0.5, 0.5])):
        spec = scenario({"a": background(1), "b": background(3)}, None, {"duration": "60s"}, platforms=["docker"], host={"scheduler": name})
        shares = shares_of(spec, SECONDS, "ab")
        assert shares == pytest.approx(expected, rel=0.01)


# --- reservations --------------------------------------------------------------------------------------------------------


def reserved(scheduler: str, cpus: float, platform: str = "docker", **fields: Any) -> Any:
    """A service with few shares and a reservation beside two with many, which never sleep."""
    services = {"a": background(1, cpu_shares=64, deploy={"resources": {"reservations": {"cpus": cpus}}}), "b": background(), "c": background()}
    return scenario(services, None, {"duration": "60s"}, platforms=[platform], host={"scheduler": scheduler} | fields)


@pytest.mark.parametrize("platform", ["docker", "kvm"])
@pytest.mark.parametrize("cpus", [0.1, 0.6, 0.9])
@pytest.mark.parametrize("scheduler", ["esxi", "hyperv"])
def test_a_reservation_holds_whatever_the_weights(scheduler: str, cpus: float, platform: str) -> None:
    """It gets what is reserved, and the others share the rest; a thirty-third of the weight would be worth 3 %."""
    clock, totals = after(reserved(scheduler, cpus, platform), SECONDS)
    used = np.array([cpu_seconds(clock, totals, name) for name in "abc"]) / SECONDS
    if platform == "kvm":
        used = 1 - totals.steal[[vcpu_of(clock, name) for name in "abc"]] / (SECONDS * S)
    assert used == pytest.approx([cpus, (1 - cpus) / 2, (1 - cpus) / 2], abs=0.02)


@pytest.mark.parametrize("scheduler", ["esxi", "hyperv"])
def test_a_reservation_below_the_share_changes_nothing(scheduler: str) -> None:
    services = {"a": background(1, cpu_shares=3072, deploy={"resources": {"reservations": {"cpus": 0.2}}}), "b": background()}
    spec = scenario(services, None, {"duration": "60s"}, platforms=["docker"], host={"scheduler": scheduler})
    assert shares_of(spec, SECONDS, "ab") == pytest.approx([0.75, 0.25], rel=0.02)


@pytest.mark.parametrize("scheduler", ["esxi", "hyperv"])
def test_an_unused_reservation_goes_to_the_others(scheduler: str) -> None:
    services = {"a": background(1, deploy={"resources": {"reservations": {"cpus": 0.9}}}) | {"background": {"duty": 0.2, "period": "100ms"}}, "b": background()}
    spec = scenario(services, None, {"duration": "60s"}, platforms=["docker"], host={"scheduler": scheduler})
    a, b = shares_of(spec, SECONDS, "ab")
    assert a == pytest.approx(0.2, abs=0.01)
    assert b == pytest.approx(0.8, abs=0.01)


# --- relaxed co-scheduling -----------------------------------------------------------------------------------------------


def wide(costop: str, **fields: Any) -> Any:
    """A VM with two busy vCPUs beside one with a busy one, on two pCPUs."""
    services = {"a": background(2, cpus=2), "b": background(1, cpus=1)}
    return scenario(services, None, {"duration": "60s"}, platforms=["kvm"], host={"cores": 2, "scheduler": {"policy": "esxi", "costop": costop}} | fields)


def vcpus_of(clock: Any, name: str) -> range:
    """Rows among the vCPUs of those of a service's VM."""
    first = vcpu_of(clock, name)
    (row,) = clock.plane.instances_of(name)
    plan = clock.plane.lowered.arrangement
    return range(first, first + plan.machines[plan.instances[row].machine].cpus)


@pytest.mark.parametrize("costop_ms", [3, 10, 40])
def test_busy_siblings_never_get_further_apart_than_the_threshold(costop_ms: int) -> None:
    """However long it lasts: with a threshold above it all they drift apart by whole quanta."""
    skews = {}
    for label, costop in (("held", f"{costop_ms}ms"), ("free", "1000s")):
        spec, worst = wide(costop), 0
        for seconds in np.linspace(1.003, 4.0, 12):
            clock, totals = after(spec, float(seconds))
            one, other = totals.steal[list(vcpus_of(clock, "a"))]
            worst = max(worst, abs(int(one) - int(other)))
        skews[label] = worst / MS
    assert skews["held"] <= costop_ms + 0.1
    assert skews["free"] > 40


def test_being_held_back_is_steal_and_counted_as_costop() -> None:
    clock, totals = after(wide("3ms"), SECONDS)
    a, b = list(vcpus_of(clock, "a")), list(vcpus_of(clock, "b"))
    assert totals.costop[b].sum() == 0
    assert 0.05 * SECONDS * S < totals.costop[a].sum() < totals.steal[a].sum()
    assert int(totals.cpu_time.sum() + totals.steal.sum()) == pytest.approx(3 * SECONDS * S, rel=1e-3)
    _, free = after(wide("1000s"), SECONDS)
    assert free.costop.sum() == 0


def test_an_idle_sibling_holds_nobody_back() -> None:
    """One busy thread on two vCPUs, beside hogs: idle vCPUs count as making progress."""
    services = {"a": background(1, cpus=2), "b": background(2, cpus=2)}
    spec = scenario(services, None, {"duration": "60s"}, platforms=["kvm"], host={"cores": 2, "scheduler": "esxi"})
    clock, totals = after(spec, SECONDS)
    assert totals.costop[list(vcpus_of(clock, "a"))].sum() < 0.01 * SECONDS * S


def crowded(platform: str, vms: int, vcpus: int, cores: int) -> Any:
    """VMs whose vCPUs are more than the CPUs, which they use to 80 %."""
    app = service({"cpu": {"exponential": "20ms"}}, threads="cores", cpus=vcpus, scale=vms)
    workload = {"open": {"rate": f"{40 * cores}/s"}, "mix": {"app.job": 1}}
    return scenario({"app": app}, workload, {"duration": "60s" if COMPILED else "2s", "warmup": "0s"}, platforms=[platform], host={"cores": cores, "memory": "64GiB"})


def forgotten(clock: Any, at: int) -> list[int]:
    """vCPUs that are held back though they are no further ahead of their slowest runnable sibling than they may be."""
    read = clock.plane.read
    state, current, vcpu = read("entities", "state"), read("cpus", "current"), read("cpus", "vcpu")
    progress = read("entities", "progress") + np.where(current[read("entities", "cpu")] == np.arange(len(state)), at - read("cpus", "since")[read("entities", "cpu")], 0)
    costart, found = int(read("machines", "costart")[0]), []
    for first, count in zip(read("machines", "first_cpu")[1:], read("machines", "cpus")[1:], strict=True):
        siblings = vcpu[first : first + count]
        runnable = siblings[np.isin(state[siblings], (k.QUEUED, k.CURRENT))]
        least = progress[runnable].min() if len(runnable) else k.NEVER
        found += [int(e) for e in siblings[state[siblings] == k.HELD] if progress[e] - least < costart]
    return found


@pytest.mark.parametrize(("vms", "vcpus", "cores"), [(6, 2, 8), (4, 4, 8), (3, 3, 4)])
def test_no_vcpu_is_held_back_once_its_siblings_have_caught_up(vms: int, vcpus: int, cores: int) -> None:
    clock, held = begun(crowded("esxi", vms, vcpus, cores)), 0
    for at in range(5 * MS, (40 if COMPILED else 2) * S, 5 * MS):
        clock.run(until=at)
        held += int((clock.plane.read("entities", "state") == k.HELD).sum())
        assert forgotten(clock, at) == []
    assert held > 0 or not COMPILED


@pytest.mark.skipif(not COMPILED, reason="a minute of eight CPUs")
@pytest.mark.parametrize(("vms", "vcpus"), [(6, 2), (4, 4)])
def test_co_scheduling_costs_little_where_cpus_are_free_now_and_then(vms: int, vcpus: int) -> None:
    p99 = {}
    for platform in ("esxi", "kvm"):
        outcomes = replications(crowded(platform, vms, vcpus, 8))
        assert_sound(outcomes)
        (p99[platform],) = quantiles(outcomes, 0.99)
    assert p99["esxi"] < 1.25 * p99["kvm"]


# --- core scheduling -----------------------------------------------------------------------------------------------------

CORE = {"policy": "hyperv", "type": "core"}


def on_cores(vcpus: tuple[int, ...], cores: int, **scheduler: Any) -> Any:
    """VMs a, b, c with so many vCPUs and as many threads, half of which rest now and then, on cores with two hardware threads."""
    rests = {"threads": 1, "duty": 0.6, "period": "7ms"}
    services = {name: background(n, cpus=n) if row % 2 else {"background": rests | {"threads": n}, "cpus": n} for row, (name, n) in enumerate(zip("abcdef", vcpus, strict=False))}
    return scenario(services, None, {"duration": "60s"}, platforms=["kvm"], host={"cores": cores, "smt": 2, "scheduler": CORE | scheduler})


def mixed_cores(clock: Any) -> int:
    """Cores whose threads run vCPUs of different VMs at this instant."""
    read, pcpus = clock.plane.read, clock.plane.lowered.hosts[0].pcpus
    current, carries, group = read("cpus", "current")[:pcpus], read("entities", "carries"), read("entities", "group")
    owner = [group[e] if e != k.NONE and carries[e] != k.NONE else k.NONE for e in current]
    return sum(k.NONE not in pair and pair[0] != pair[1] for pair in zip(owner[: pcpus // 2], owner[pcpus // 2 :], strict=True))


@pytest.mark.parametrize("vcpus", [(1, 1), (2, 2, 1), (1, 1, 1, 1, 1), (3, 1, 2)])
def test_threads_of_a_core_never_run_different_vms(vcpus: tuple[int, ...]) -> None:
    """Under the classic scheduler they often do."""
    found = {}
    for kind in ("core", "classic"):
        spec = on_cores(vcpus, max(2, max(vcpus) // 2 + 1) if len(vcpus) > 2 else 1, type=kind)
        found[kind] = sum(mixed_cores(after(spec, float(seconds))[0]) for seconds in np.linspace(0.1003, 1.2, 40))
    assert found["core"] == 0
    assert found["classic"] > 0


def test_vms_of_one_vcpu_have_a_core_in_turn() -> None:
    """Two of them on a core with two threads: half of the threads stand idle, and weights decide about the other half."""
    services = {"a": background(1, cpus=1), "b": background(1, cpus=1, cpu_shares=3072)}
    spec = scenario(services, None, {"duration": "60s"}, platforms=["kvm"], host={"cores": 1, "smt": 2, "scheduler": CORE})
    clock, totals = after(spec, SECONDS)
    ran = 1 - totals.steal[[vcpu_of(clock, name) for name in "ab"]] / (SECONDS * S)
    assert ran == pytest.approx([0.25, 0.75], abs=0.01)
    assert float(totals.busy) / S == pytest.approx(SECONDS, rel=0.01)


def test_vms_with_a_vcpu_for_each_thread_lose_nothing_to_core_scheduling() -> None:
    services = {"a": background(2, cpus=2), "b": background(2, cpus=2)}
    spec = scenario(services, None, {"duration": "60s"}, platforms=["kvm"], host={"cores": 1, "smt": 2, "scheduler": CORE})
    clock, totals = after(spec, SECONDS)
    assert totals.steal / (SECONDS * S) == pytest.approx([0.5] * 4, abs=0.01)
    assert float(totals.busy) / S == pytest.approx(2 * SECONDS, rel=0.01)

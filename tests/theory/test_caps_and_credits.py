"""VMs get what their cap or their credits say, whatever their vCPUs; what they miss is steal."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import assert_sound, replications, scenario, service

from simvirt.catalog import Catalog
from simvirt.catalog.sourced import number
from simvirt.errors import ScenarioError
from simvirt.metrics.outcome import Outcome
from simvirt.scenario.spec.host import PlatformSpec

SHARED = {"count": 1, "vcpus": 2, "memory": "4GiB"}


def busy(duration: str, threads: int = 2, cpus: int | None = 2, **platform: Any) -> Outcome:
    """Threads in a VM that always want a vCPU; jobs of 10 ms."""
    spec = service({"cpu": "10ms"}, threads=threads, **({"cpus": cpus} if cpus else {}))
    workload = {"closed": {"clients": threads, "think": "0s"}, "mix": {"a.job": 1}, "local": True}
    platforms = [{"name": "x", "stack": ["kvm"]} | platform]
    found, = replications(scenario({"a": spec}, workload, {"duration": duration, "warmup": "0s"}, host={"cores": 8}, platforms=platforms), 1)
    assert_sound([found])
    return found


@pytest.mark.parametrize("stack", [["kvm"], ["xen-pvh"], ["esxi"], ["hyperv"], ["kvm", "docker"]])
@pytest.mark.parametrize("shared", [True, False])
def test_a_cap_holds_a_vm_whatever_its_vcpus(stack: list[str], shared: bool) -> None:
    vms = {"vms": SHARED} if shared else {}
    found = busy("20s", stack=stack, cap=0.5, cpus=None if shared else 2, **vms)
    assert found.services["a"].cpu_cores == pytest.approx(0.5, rel=0.03)
    assert found.steal == pytest.approx(0.75, abs=0.03), "two vCPUs want to run, and have a quarter"


def test_a_cap_that_is_no_bound_changes_nothing() -> None:
    assert busy("5s", cap=2).throughput_per_s == busy("5s").throughput_per_s


def test_credits_are_full_speed_until_they_are_spent_and_the_baseline_then() -> None:
    """A VM with 2 busy vCPUs, 2 credits and 0.2 CPUs earned: 120 / 1.8 s at full speed."""
    early, late = busy("60s", credits={"earn": "12/h", "most": 288, "balance": 2}), busy("400s", credits={"earn": "12/h", "most": 288, "balance": 2})
    assert early.services["a"].cpu_cores == pytest.approx(2.0, rel=0.01) and early.steal < 0.01
    assert 400 * late.services["a"].cpu_cores == pytest.approx(120 + 0.2 * 400, rel=0.02)
    assert late.steal > 0.6
    assert any("none are left" in note for note in late.notes)


def test_an_idle_vm_saves_up_to_the_most() -> None:
    """A job of 6 s every 100 s earns 20 s a round at 0.2 CPUs, and may keep 3 s: 3 s at full speed, and the rest at the baseline."""
    spec = service({"cpu": "6s"}, threads=1, cpus=1)
    workload = {"open": {"rate": "0.01/s", "arrivals": "deterministic"}, "mix": {"a.job": 1}, "local": True}
    platforms = [{"name": "x", "stack": ["kvm"], "credits": {"earn": "12/h", "most": 0.05}}]
    found, = replications(scenario({"a": spec}, workload, {"duration": "2000s", "warmup": "150s"}, host={"cores": 8}, platforms=platforms), 1)
    full = 3 / 0.8
    assert found.latency_mean_s == pytest.approx(full + (6 - full) / 0.2, rel=0.03)


@pytest.mark.parametrize(("name", "baseline", "most"), [("t2.nano", 0.05, 72), ("t2.micro", 0.1, 144), ("t3.micro", 0.2, 288), ("t3.large", 0.6, 864), ("t2.2xlarge", 1.36, 1958.4), ("t4g.xlarge", 1.6, 2304)])
def test_instances_of_the_catalogue_earn_their_baseline_and_keep_a_day_of_it(name: str, baseline: float, most: float) -> None:
    credits = Catalog.load(None).platform(PlatformSpec.model_validate({"name": "kvm", "credits": name})).credits
    assert credits is not None
    assert credits.rate == pytest.approx(baseline, rel=0.01)
    assert credits.most == pytest.approx(most * 60e9) and credits.most == pytest.approx(credits.rate * 86400e9, rel=0.01)


@pytest.mark.parametrize(("platform", "message"), [
    ({"name": "docker", "cap": 1}, "has no VMs"), ({"name": "docker", "credits": "t3.micro"}, "has no VMs"),
    ({"name": "kvm", "credits": "t3.mikro"}, "t3.micro"), ({"name": "kvm", "credits": {"earn": "6/h"}}, "earn and most"),
    ({"name": "kvm", "credits": "t3.micro", "cap": 1}, "one of them"),
])
def test_what_makes_no_sense_is_refused(platform: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        Catalog.of(scenario({"a": service({"cpu": "1ms"})}, {"open": {"rate": "1/s"}, "mix": {"a.job": 1}}, {"duration": "1s"}, platforms=[platform]))


def test_an_instance_that_is_not_known_is_called_one() -> None:
    platforms = [{"name": "x", "stack": ["kvm"], "credits": "t9.huge"}]
    spec = scenario({"a": service({"cpu": "1ms"})}, {"open": {"rate": "1/s"}}, {"duration": "1s"}, platforms=platforms)
    with pytest.raises(ScenarioError, match=r'unknown burstable instance "t9\.huge"'):
        Catalog.of(spec).platform(spec.platforms[0])


def test_rates_of_the_catalogue_print_as_they_are_read() -> None:
    assert [number(rate, "per s") for rate in (12 / 3600, 250.0)] == ["12/h", "250/s"]

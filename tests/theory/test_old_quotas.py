"""Quotas of kernels before 5.4: what queues hold is lost when the period ends, and software with many threads is throttled below its quota."""

from __future__ import annotations

import pytest
from helpers.support import assert_sound, background, replications, scenario, service

from simvirt.errors import ScenarioError
from simvirt.metrics.outcome import Outcome
from simvirt.scenario.spec.host import HostSpec
from simvirt.scenario.spec.models import Scenario


def scattered(linux: str, quota: str, cpus: int = 20, platform: str = "docker", **fields: object) -> Scenario:
    """One thread that always computes, and one on each other CPU that computes for a microsecond every 10 ms."""
    fib = service({"cpu": "2ms"}, cpu_quota=quota, background={"threads": cpus - 1, "duty": 0.0001, "period": "10ms"})
    workload = {"closed": {"clients": 1, "think": "0s"}, "mix": {"fib.job": 1}, "local": True}
    host = {"cores": cpus, "linux": linux, "scheduler": {"policy": "cfs", "tick": "1ms"}}
    return scenario({"fib": fib}, workload, {"duration": "10s", "warmup": "1s"}, host=host, platforms=[platform], **fields)


def outcome(spec: Scenario) -> Outcome:
    found, = replications(spec, 1)
    assert_sound([found])
    return found


def test_each_cpu_keeps_a_millisecond_of_each_period() -> None:
    """20 CPUs keep 19 ms of 60: one thread gets what is left of its quota, 40 % of a CPU; all of it since Linux 5.4."""
    old, new = (outcome(scattered(linux, "60ms")).services["fib"].cpu_cores for linux in ("5.3", "5.4"))
    assert new == pytest.approx(0.6, rel=0.02)
    assert old == pytest.approx(0.41, abs=0.03)


def test_a_quota_below_what_cpus_keep_is_hardly_used() -> None:
    old, new = (outcome(scattered(linux, "10ms")) for linux in ("4.19", "6.12"))
    assert old.services["fib"].nr_throttled == old.services["fib"].nr_periods
    assert new.services["fib"].cpu_cores == pytest.approx(0.1, rel=0.03)
    assert old.services["fib"].cpu_cores < 0.3 * new.services["fib"].cpu_cores


@pytest.mark.parametrize("quota", ["20ms", "100ms"])
def test_busy_threads_get_their_quota_in_any_kernel(quota: str) -> None:
    """A thread that computes all the time uses up what it takes."""
    def used(linux: str) -> float:
        services = {"a": background(2) | {"cpu_quota": quota}}
        workload = {"closed": {"clients": 1, "think": "1s"}, "mix": {"b.job": 1}}
        services |= {"b": service({"cpu": "1us"})}
        found = outcome(scenario(services, workload, {"duration": "20s"}, host={"cores": 4, "linux": linux}, platforms=["docker"]))
        return found.services["a"].cpu_cores

    assert used("4.19") == pytest.approx(used("5.4"), rel=0.02) == pytest.approx(float(quota[:-2]) / 100, rel=0.05)


def test_it_is_the_kernel_that_holds_the_quota() -> None:
    """A host that is no Linux, and guests with kernels of today, are as they were."""
    xen = [outcome(scattered(linux, "60ms", platform="xen-pvh")).throughput_per_s for linux in ("4.19", "6.12")]
    assert xen[0] == pytest.approx(xen[1], rel=0.05)


@pytest.mark.parametrize(("linux", "policy"), [("2.4", "round-robin"), ("3.11", "cfs"), ("4.19", "cfs"), ("5.10", "cfs"), ("6.5.0-15-generic", "cfs"), ("6.6", "eevdf"), ("v6.12", "eevdf")])
def test_the_version_says_which_scheduler(linux: str, policy: str) -> None:
    spec = {"cores": 1, "memory": "1GiB", "linux": linux}
    assert HostSpec.model_validate(spec).own_scheduler.policy == policy
    assert HostSpec.model_validate(spec | {"scheduler": "gps"}).own_scheduler.policy == "gps"


@pytest.mark.parametrize("linux", [5.1, "new", "5"])
def test_a_version_is_text(linux: object) -> None:
    with pytest.raises(ScenarioError, match=r'in quotes, for example "4.19"'):
        scenario({"a": service({"cpu": "1ms"})}, {"open": {"rate": "1/s"}, "mix": {"a.job": 1}}, {"duration": "1s"}, host={"linux": linux})

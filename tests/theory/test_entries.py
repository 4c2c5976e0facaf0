"""Entries of the host's kernel: what platforms add to a call and spare of it, simulated against the closed form max(d - s, 0) + c."""

from __future__ import annotations

import json

import pytest

from simvirt import run
from simvirt.catalog import Catalog
from simvirt.analysis.demands import analyse
from simvirt.scenario import Scenario, loads

CATALOG = Catalog.load()
PLATFORMS = ("bare-metal", "docker", "gvisor-ptrace", "gvisor", "gvisor-kvm")


def calls(platform: str, cpu: object, host: dict[str, object]) -> Scenario:
    """One thread that makes system calls."""
    return loads(json.dumps({
        "simvirt": 1, "name": "calls", "host": {"cores": 4, "memory": "16GiB", **host}, "platforms": [platform],
        "services": {"app": {"threads": 1, "operations": {"call": [{"cpu": cpu, "ops": {"syscall": 1}, "times": 100}]}}},
        "workload": {"closed": {"clients": 1}, "local": True}, "run": {"requests": 200, "replications": 1, "warmup": "0s"},
    }), "calls")


def simulated(scenario: Scenario) -> float:
    """Time of a call [ns]."""
    (found,) = run(scenario, maximum=False).document()["platforms"].values()
    return 1e7 / float(found["throughput_per_s"]["value"])


@pytest.mark.parametrize("host", [{}, {"mitigations": "off"}, {"kernel_entry": "2us"}, {"model": "gce-n1-standard-4"}], ids=str)
@pytest.mark.parametrize("cpu_ns", [100, 284, 3000])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_call_takes_what_is_left_of_it_and_what_the_platform_adds(platform: str, cpu_ns: int, host: dict[str, object]) -> None:
    """Entries of 2 us are longer than the calls of 100 and 284 ns that are said to make them: what the platform spares is then all of the call."""
    scenario = calls(platform, f"{cpu_ns}ns", host)
    machine, chosen = CATALOG.resolve_host(scenario.host), CATALOG.named_platform(platform)
    costs = CATALOG.platform_costs(chosen, machine)
    expected = max(cpu_ns - costs.spared_ns["syscall"], 0.0) + costs.cpu_ns["syscall"]
    assert simulated(scenario) == pytest.approx(expected, abs=1.0)  # each call ends on a whole nanosecond
    assert analyse(scenario, CATALOG, chosen, machine).service("app").cpu_s * 1e7 == pytest.approx(expected)


def test_demands_are_those_of_the_host_as_it_is() -> None:
    """Mitigations and entries change what platforms add, not what the application takes on the host itself."""
    hosts: tuple[dict[str, object], ...] = ({}, {"mitigations": "off"}, {"kernel_entry": "2us"})
    assert len({simulated(calls("bare-metal", "3us", host)) for host in hosts}) == 1


def test_sparing_keeps_the_mean_of_a_demand_that_varies() -> None:
    """Each draw loses the same share, so that none is less than nothing."""
    scenario = calls("gvisor-kvm", {"exponential": "1us"}, {})
    costs = CATALOG.platform_costs(CATALOG.named_platform("gvisor-kvm"), CATALOG.resolve_host(scenario.host))
    expected = 1000 - costs.spared_ns["syscall"] + costs.cpu_ns["syscall"]
    n = 200 * 100
    assert simulated(scenario) == pytest.approx(expected, abs=4 * 1000 / n**0.5 + 1)

"""What others slow is a part of the latency by itself: `cpu` is the stated demand exactly, whatever runs beside it, and all parts add up."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml

import simvirt
from simvirt.report import run_report
from simvirt.result.run_document import PlatformResult
from simvirt.runs.run import run
from simvirt.scenario.spec.host import PARAMETERS

SMT: dict[str, Any] = {"cores": 4, "smt": 2, "memory": "16GiB"}
PLATFORMS = ("bare-metal", "docker", "kvm")
DEMAND_S = 8e-3
NS = 1e-9


def of(host: dict[str, Any], profile: str | None, rate: str = "600/s", **more: Any) -> simvirt.Scenario:
    """Requests of 8 ms of CPU time in two bursts, eight at a time."""
    service = {"threads": 8, "operations": {"w": [{"cpu": "5ms"}, {"delay": "1ms"}, {"cpu": "3ms"}]}}
    return simvirt.loads(yaml.safe_dump({
        "simvirt": 1, "name": "x", "host": host, "platforms": list(PLATFORMS),
        "services": {"a": service | ({"profile": profile} if profile else {})} | more,
        "workload": {"open": {"rate": rate}, "mix": {"a.w": 1}, "local": True}, "run": {"duration": "2s", "replications": 1, "seed": 1},
    }))


def found(scenario: simvirt.Scenario) -> dict[str, PlatformResult]:
    """What came, platform by platform."""
    return dict(run(scenario, maximum=False).typed().platforms)


def parts_of(platform: PlatformResult) -> dict[str, float]:
    """The parts of the mean latency [s]; they add up to it."""
    parts: dict[str, float] = platform.breakdown_s.document()
    assert math.fsum(parts.values()) == pytest.approx(platform.latency_s.mean.value, rel=1e-9)
    return parts


@pytest.mark.parametrize("policy", PARAMETERS)
@pytest.mark.parametrize("profile", [None, "redis", "stream"])
def test_the_cpu_part_is_the_demand(policy: str, profile: str | None) -> None:
    """On siblings, in caches, at a full memory, in kernels: what work takes longer is interference; a nanosecond a burst is rounding."""
    for platform in found(of(SMT | {"scheduler": policy}, profile)).values():
        parts = parts_of(platform)
        assert parts["cpu"] == pytest.approx(DEMAND_S, abs=100 * NS)
        assert parts["interference"] > 0.05 * DEMAND_S


@pytest.mark.parametrize("policy", PARAMETERS)
def test_nothing_is_lost_where_nothing_is_shared(policy: str) -> None:
    for platform in found(of(SMT | {"smt": 1, "scheduler": policy}, None, rate="50/s")).values():
        parts = parts_of(platform)
        assert parts["cpu"] == pytest.approx(DEMAND_S, abs=100 * NS)
        assert parts["interference"] == 0.0


def test_two_siblings_lose_what_the_yield_says() -> None:
    """One core, two threads that never rest: of its CPU time each loses 1 - yield / 2."""
    scenario = simvirt.loads(yaml.safe_dump({
        "simvirt": 1, "name": "x", "host": {"cores": 1, "smt": 2, "memory": "16GiB"}, "platforms": ["bare-metal"],
        "services": {"a": {"threads": 2, "operations": {"w": [{"cpu": "5ms"}]}}},
        "workload": {"closed": {"clients": 2}, "mix": {"a.w": 1}, "local": True}, "run": {"duration": "2s", "replications": 1, "seed": 1},
    }))
    parts = parts_of(found(scenario)["bare-metal"])
    share = 1.25 / 2  # generic-x86
    assert parts["interference"] / (parts["cpu"] + parts["interference"]) == pytest.approx(1 - share, abs=1e-3)


def test_memory_of_a_neighbour_is_named() -> None:
    """A neighbour that streams slows one that waits for memory; the loss is seen in the text too."""
    quiet, beside = of({"cores": 8, "memory": "16GiB"}, "redis", rate="50/s"), {"b": {"profile": "stream", "background": {"threads": 4}}}
    alone, crowded = found(quiet), run(of({"cores": 8, "memory": "16GiB"}, "redis", rate="50/s", **beside), maximum=False).typed()
    for name, platform in crowded.platforms.items():
        assert parts_of(platform)["interference"] > parts_of(alone[name])["interference"] + 0.1 * DEMAND_S
        assert parts_of(platform)["cpu"] == pytest.approx(DEMAND_S, abs=100 * NS)
    rows = dict(run_report.sections(crowded))["Breakdown"]
    assert [row.label for row in rows if row.label == "interference"]

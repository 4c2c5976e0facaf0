"""Slices of a quota that are booked together: the same answers as with an event for each, for far fewer events."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from helpers.processes import environment
from helpers.support import COMPILED, background, replications, scenario, service

from simvirt.metrics.outcome import Outcome

SCHEDULERS: Final = ("eevdf", "cfs", "credit", "credit2", "esxi", "hyperv", "round-robin")
KEPT: Final = ("latency_mean_s", "breakdown_s", "utilisation", "throughput_per_s", "resources", "requests")


def long_bursts(quota: str, scheduler: str = "eevdf", seconds: float = 20, clients: int = 4, **fields: Any) -> Any:
    """Clients whose requests compute for seconds, each on a CPU of its own, under a quota of each 100 ms."""
    limits = {"cpu_quota": quota, "cpu_period": "100ms"} | fields
    services = {"a": service({"cpu": {"exponential": "2s"}}, threads=clients, **limits)}
    return scenario(
        services, {"closed": {"clients": clients}}, {"duration": f"{seconds}s", "warmup": "0s", "seed": 3}, platforms=["docker"],
        host={"cores": 8, "scheduler": scheduler})


def answers(found: Outcome) -> dict[str, Any]:
    """What a run says of latencies, use and periods."""
    counted = {name: (use.nr_periods, use.nr_throttled, use.throttled_s) for name, use in found.services.items()}
    return {name: getattr(found, name) for name in KEPT} | {"periods": counted}


def both_ways() -> list[str]:
    """The scenarios that answer otherwise where no queue coasts; for the plain kernel."""
    from simvirt.kernel import ticks

    coast, wrong = ticks.begin_coasting, []
    for scheduler in SCHEDULERS:
        for quota, fields in (("150ms", {}), ("390ms", {}), ("800ms", {}), ("150ms", {"cpu_burst": "90ms"})):
            spec = long_bursts(quota, scheduler, seconds=5, **fields)
            ticks.begin_coasting = coast
            together = replications(spec)[0]
            ticks.begin_coasting = lambda *_: False
            apart = replications(spec)[0]
            if json.dumps(answers(together), default=str) != json.dumps(answers(apart), default=str) or together.events >= apart.events:
                wrong.append(f"{scheduler} {quota} {fields}: {together.events} events, {apart.events} one by one")
    return wrong


@pytest.mark.skipif(not COMPILED, reason="runs in plain Python wherever it is asked for")
def test_slices_that_are_booked_together_change_no_answer() -> None:
    """Under all schedulers: throttled, hardly throttled, never throttled, and with saved quota."""
    code = "from test_coasting import both_ways; print(both_ways())"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(SIMVIRT_PLAIN="1"), cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr[-2000:]


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_quota_that_never_throttles_costs_no_events(scheduler: str) -> None:
    """Ten minutes of four busy CPUs under a quota of eight: 300,000 slices, and some events for each burst."""
    seconds = 600 if COMPILED else 60
    found = replications(long_bursts("800ms", scheduler, seconds))[0]
    assert found.events < 20 * (found.requests + 4)


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_quota_that_throttles_costs_some_events_a_period(scheduler: str) -> None:
    """Four busy threads with 2.5 CPUs are throttled in every period: at most four events for each of them in it."""
    spec = scenario({"a": background(4, cpu_quota="2500ms", cpu_period="1s")}, None, {"duration": "20s", "warmup": "0s"}, platforms=["docker"], host={"cores": 8, "scheduler": scheduler})
    found = replications(spec)[0]
    assert found.services["a"].nr_throttled == pytest.approx(20, abs=1)
    assert found.events < 4 * 4 * 20 + 40

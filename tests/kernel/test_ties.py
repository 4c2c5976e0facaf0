"""What falls on one instant: a burst that ends when a tick, a slice, a turn or a period does makes none of them void."""

from __future__ import annotations

from itertools import product
from typing import Any, Final

import pytest
from helpers.support import COMPILED, MS, S, after, cpu_seconds, scenario, service

from simvirt.gauges import snapshot

SCHEDULERS: Final = ("eevdf", "cfs", "round-robin", "credit", "credit2", "esxi", "hyperv", "gps")
# the tick is 4 ms or 10 ms, a slice of a quota 5 ms, turns are 3 to 50 ms, the period is 100 ms: divisors and multiples of each
LENGTHS_MS: Final = (1, 2, 4, 5, 8, 10, 20, 50, 100) if COMPILED else (1, 5)
STARTS_S, SECONDS = 1, 5 if COMPILED else 2
RUN: Final = {"duration": "1000s", "warmup": "0s"}


def bursts(length_ns: int) -> dict[str, Any]:
    """About 200 ms of computing, in bursts of so long."""
    return {"cpu": f"{length_ns}ns", "times": max(1, 200 * MS // length_ns)}


def used(spec: Any, *names: str) -> list[float]:
    """CPUs that services use, from the second second on."""
    clock, before = after(spec, STARTS_S)
    clock.run(until=(STARTS_S + SECONDS) * S)
    totals = snapshot(clock.plane, (STARTS_S + SECONDS) * S)
    return [(cpu_seconds(clock, totals, name) - cpu_seconds(clock, before, name)) / SECONDS for name in names]


def under_a_quota(scheduler: str, cores: int, cpus: float, length_ns: int) -> Any:
    """Three clients that never think keep their quota's CPUs busy."""
    services = {"a": service(bursts(length_ns), threads=3, cpus=cpus)}
    return scenario(
        services, {"closed": {"clients": 3}}, RUN, platforms=["docker-host-network"], host={"cores": cores, "scheduler": scheduler})


def in_overload(scheduler: str, length_ns: int) -> Any:
    """Two services with one part and three parts of a CPU that both could fill."""
    steps = bursts(length_ns)
    services = {name: service(steps, threads=2, cpu_shares=shares) for name, shares in (("light", 1024), ("heavy", 3072))}
    workload = {"open": {"rate": "50/s"}, "mix": {"light.job": 1, "heavy.job": 1}}
    return scenario(services, workload, RUN, platforms=["docker-host-network"], host={"scheduler": scheduler})


@pytest.mark.parametrize(("cores", "cpus"), [(1, 0.1), (1, 0.5), (1, 0.9), (2, 1.5)])
@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_a_quota_is_delivered_whatever_bursts_end_at_the_same_instant_as(scheduler: str, cores: int, cpus: float) -> None:
    """A quota that is wanted all the time is used to within what is carried over the two ends of the measured time."""
    edges = cores * (5 + 10) * MS / S  # a slice at hand and the overrun of a tick on each CPU
    wrong = {}
    for length, off in product(LENGTHS_MS, (-1, 0, 1)):
        found = used(under_a_quota(scheduler, cores, cpus, length * MS + off), "a")[0]
        if abs(found - cpus) > edges / SECONDS:
            wrong[f"{length} ms {off:+d} ns"] = found
    assert not wrong


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_shares_hold_whatever_bursts_end_at_the_same_instant_as(scheduler: str) -> None:
    """A burst that ends with a turn leaves the CPU to others, as one that ends 1 ns before or after does."""
    due = 0.5 if scheduler == "round-robin" else 0.75
    wrong = {}
    for length, off in product(LENGTHS_MS, (-1, 0, 1)):
        light, heavy = used(in_overload(scheduler, length * MS + off), "light", "heavy")
        if heavy / (light + heavy) != pytest.approx(due, abs=0.03 if COMPILED else 0.1):
            wrong[f"{length} ms {off:+d} ns"] = (light, heavy)
    assert not wrong

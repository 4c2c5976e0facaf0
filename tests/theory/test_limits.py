"""Limits of calls that adapt: a twin of the documented rules, and an overloaded queue of which the knee is known."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from helpers.support import COMPILED, after, replications, scenario
from helpers.twins import plane, table

from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.kernel.adapting import change_limit
from simvirt.metrics.outcome import Outcome

THREADS = 8
MEAN_S = 0.01
KNEE = THREADS / MEAN_S


def overloaded(limit: dict[str, Any] | None, rate: float = 2 * KNEE) -> Outcome:
    """Eight threads with a core each, twice what they can do."""
    server: dict[str, Any] = {"threads": THREADS, "operations": {"job": [{"cpu": {"exponential": "10ms"}}]}} | ({"limit": limit} if limit else {})
    load = {"open": {"rate": f"{rate}/s"}, "mix": {"server.job": 1}, "local": True}
    run = {"duration": "60s" if COMPILED else "6s", "warmup": "30s" if COMPILED else "3s"}
    found = replications(scenario({"server": server}, load, run, host={"cores": THREADS}))[0]
    assert set(found.checks.values()) == {"ok"}
    return found


@pytest.mark.parametrize(("limit", "least", "most"), [
    ({"rule": "aimd", "timeout": "25ms", "window": "100ms"}, 14, 24), ({"rule": "vegas", "window": "100ms"}, 9, 40),
    ({"rule": "gradient2", "window": "100ms", "memory": 20, "max": 60}, 9, 60),
])
def test_latency_holds_at_twice_the_load_and_so_does_throughput(limit: dict[str, Any], least: int, most: int) -> None:
    """M/M/8 with L calls in it at most and always as many: latencies of L / (8 mu), of which nothing is lost but what is turned away."""
    found = overloaded(limit)
    at = found.services["server"].limit
    assert at is not None and least <= at <= most
    assert found.throughput_per_s == pytest.approx(KNEE, rel=0.03 if COMPILED else 0.1)
    assert found.rejected == pytest.approx(0.5, abs=0.03 if COMPILED else 0.1)
    assert found.latency_mean_s is not None and least / KNEE * 0.8 <= found.latency_mean_s <= most / KNEE * 1.1
    without = overloaded(None)
    assert without.latency_mean_s is not None and without.latency_mean_s > 20 * found.latency_mean_s


def test_a_limit_that_is_not_used_does_not_grow() -> None:
    """At a tenth of the knee nothing is turned away, and nothing changes."""
    for rule in ("gradient2", "aimd"):
        found = overloaded({"rule": rule, "window": "100ms"}, KNEE / 10)
        assert found.services["server"].limit == 20 and found.rejected == 0


class Twin:
    """The rules in the words of their documentation."""

    def __init__(self, limit: float) -> None:
        self.limit, self.times, self.average, self.base, self.calls = limit, [], 0.0, 0.0, 0

    def gradient2(self, time: float, busy: int) -> None:
        self.times.append(time)
        self.average = sum(self.times) / len(self.times) if len(self.times) <= 10 else self.average + (time - self.average) * 2 / 601
        usual = self.average
        self.average *= 0.9 if usual / time > 2 else 1.0
        if busy >= self.limit / 2:
            self.limit = min(1000.0, max(1.0, 0.8 * self.limit + 0.2 * (self.limit * min(1.0, max(0.5, usual / time)) + 4)))

    def aimd(self, time: float, busy: int) -> None:
        if time > 5e7:
            self.limit = max(1, min(int(self.limit) - 1, int(self.limit * 0.9)))
        elif 2 * busy >= self.limit:
            self.limit = min(1000, self.limit + 1)

    def vegas(self, time: float, busy: int) -> None:
        self.calls += 1
        if self.calls >= 30 * 0.75 * self.limit:
            self.calls, self.base = 0, time
        elif self.base == 0 or time < self.base:
            self.base = time
        elif 2 * busy >= self.limit:
            line, step = math.ceil(self.limit * (1 - self.base / time)), max(1, int(math.log10(self.limit)))
            change = 6 * step if line <= step else step if line < 3 * step else -step if line > 6 * step else 0
            self.limit = min(1000.0, max(1.0, self.limit + change))


@pytest.mark.parametrize("rule", ["gradient2", "aimd", "vegas"])
def test_the_kernel_follows_the_documented_rule(rule: str) -> None:
    """A thousand windows of calm and overload."""
    draws, twin = random.Random(rule), Twin(20)
    given = {"gradient2": k.GRADIENT2, "aimd": k.AIMD, "vegas": k.VEGAS}
    p = plane(limiters=table(
        t.Limiters, 1, rule=[given[rule]], limit=[20.0], smallest=[1.0], largest=[1000.0], smoothing=[0.2], room=[4.0], memory=[600.0], longest=[5e7],
        ratio=[0.9]))
    limits = set()
    for window in range(1000):
        time = draws.expovariate(1 / (1e8 if window % 200 > 150 else 1e7)) + 1e6
        busy = draws.randrange(int(twin.limit) + 2)
        getattr(twin, rule)(time, busy)
        change_limit(p, 0, time, busy)
        limits.add(int(twin.limit))
        assert p.limiters.limit[0] == pytest.approx(twin.limit, rel=1e-9)
    assert len(limits) > 10


@pytest.mark.parametrize("guard", [{"limit": {"rule": "gradient2"}}, {"limit": {"rule": "aimd", "timeout": "1s"}}, {"shed": {"target": "1s", "interval": "10s"}}])
def test_a_thread_goes_on_to_its_next_call_under_a_guard_that_never_acts(guard: dict[str, Any]) -> None:
    """It slept before each call in line: beside another task on its CPU it waited anew, and each call was two switches."""
    def found(fields: dict[str, Any]) -> tuple[int, float]:
        server = {"threads": 1, "operations": {"job": [{"cpu": "1ms"}]}} | fields
        load = {"closed": {"clients": 4, "think": "1us"}, "mix": {"server.job": 1}, "local": True}
        spec = scenario({"server": server, "batch": {"background": {"threads": 1}}}, load, {"duration": "1s"}, host={"cores": 1, "smt": 1})
        clock, totals = after(spec, 0.4)
        return totals.switches, float(totals.latency_sum.sum())

    assert found(guard) == found({})

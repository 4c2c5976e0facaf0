"""Requests with priorities beside Cobham's formulas; and what a full line does with them."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import COMPILED, MS, begun, replications, scenario

from simvirt.kernel import constants as k
from simvirt.metrics.outcome import Outcome

DURATION = "600s" if COMPILED else "10s"
REL = 0.08 if COMPILED else 0.5


def outcome(work: dict[str, Any], rates: dict[str, float], priority: Any, duration: str = DURATION, **service: Any) -> Outcome:
    """One thread for several operations, each with its own work, at Poisson instants."""
    server = {"threads": 1, "operations": {name: [{"cpu": demand}] for name, demand in work.items()}} | service
    load = {"open": {"rate": f"{sum(rates.values())}/s"}, "mix": {f"server.{name}": rate for name, rate in rates.items()}, "local": True}
    spec = scenario({"server": server}, load | ({} if priority is None else {"priority": priority}), {"duration": duration, "warmup": "0s"})
    found = replications(spec)[0]
    assert set(found.checks.values()) == {"ok"}
    return found


def waits(found: Outcome, means_s: dict[str, float]) -> dict[str, float]:
    return {name: (found.class_means_s[f"server.{name}"] or 0.0) - mean for name, mean in means_s.items()}


def cobham(order: list[str], rates: dict[str, float], means_s: dict[str, float], squares: dict[str, float]) -> dict[str, float]:
    """Waits of classes, the first before all others: W0 / ((1 - s before) (1 - s with it)), W0 = sum of rate x E[S^2] / 2."""
    rest, load, found = sum(rates[name] * squares[name] for name in rates) / 2, 0.0, {}
    for name in order:
        before, load = load, load + rates[name] * means_s[name]
        found[name] = rest / ((1 - before) * (1 - load))
    return found


def test_two_classes_of_exponential_work() -> None:
    """M/M/1 at 80 %: 13.3 ms for the first class, 66.7 ms for the second; without priorities 40 ms for both."""
    rates, means = {"high": 40.0, "low": 40.0}, {"high": 0.01, "low": 0.01}
    work = {"high": {"exponential": "10ms"}, "low": {"exponential": "10ms"}}
    found = waits(outcome(work, rates, {"server.high": 5}), means)
    expected = cobham(["high", "low"], rates, means, {"high": 2e-4, "low": 2e-4})
    assert expected["high"] == pytest.approx(1 / 75) and expected["low"] == pytest.approx(1 / 15)
    for name, wait in expected.items():
        assert found[name] == pytest.approx(wait, rel=2 * REL if name == "low" else REL)


def test_three_classes_of_different_work() -> None:
    """M/G/1: constant, exponential and uniform work; the lower number comes later, and what is not named has 0."""
    rates, means = {"a": 30.0, "b": 20.0, "c": 10.0}, {"a": 0.004, "b": 0.01, "c": 0.03}
    work = {"a": "4ms", "b": {"exponential": "10ms"}, "c": {"uniform": {"low": "20ms", "high": "40ms"}}}
    squares = {"a": 0.004**2, "b": 2 * 0.01**2, "c": 0.03**2 + 0.02**2 / 12}
    found = waits(outcome(work, rates, {"server.a": 1, "server.c": -1}), means)
    for name, wait in cobham(["a", "b", "c"], rates, means, squares).items():
        assert found[name] == pytest.approx(wait, rel=1.5 * REL)


def test_a_full_line_turns_the_lowest_away() -> None:
    """150 a second where 100 can be served: the few of the first class are all answered, with a wait for at most what is in service and their like."""
    rates, work = {"high": 20.0, "low": 130.0}, {"high": {"exponential": "10ms"}, "low": {"exponential": "10ms"}}
    first = outcome(work, rates, {"server.high": 1}, "60s", queue=10)
    alike = outcome(work, rates, None, "60s", queue=10)
    assert first.class_lost["server.high"] <= 1 < alike.class_lost["server.high"]
    assert first.throughput_per_s == pytest.approx(alike.throughput_per_s, rel=0.03)


def test_every_call_in_line_is_linked_both_ways() -> None:
    """Ranks fall along the line, whose links lead there and back; the last of each rank is known."""
    services = {
        "web": {"threads": 9, "queue": 30, "scale": 2, "operations": {n: [{"cpu": {"exponential": "2ms"}}, {"call": "db.q", "timeout": "20ms"}] for n in "abc"}},
        "db": {"threads": 2, "queue": 8, "operations": {"q": [{"cpu": {"exponential": "4ms"}}]}},
    }
    load = {"open": {"rate": "900/s"}, "mix": {"web.a": 1, "web.b": 2, "web.c": 3}, "priority": {"web.a": 3, "web.c": -2}}
    timeline = [{"at": "400ms", "crash": "web", "replica": 0, "restart": "50ms"}]
    clock = begun(scenario(services, load, {"duration": "600s", "warmup": "0s"}, host={"cores": 4}, timeline=timeline))
    longest = 0
    for instant in range(1, 60):
        clock.run(until=instant * 17 * MS)
        longest = max(longest, *(assert_in_order(clock.plane, row) for row in range(3)))
    assert longest >= 8


def assert_in_order(plane: Any, row: int) -> int:
    """The length of a line that is as it should be."""
    read = plane.read
    length, f, seen, last = int(read("instances", "queue_length")[row]), int(read("instances", "queue_head")[row]), [], k.NONE
    for _ in range(length):
        assert int(read("frames", "front")[f]) == last
        seen.append(int(read("source", "rank")[read("frames", "category")[read("frames", "root")[f]]]))
        last, f = f, int(read("frames", "next")[f])
    assert seen == sorted(seen)
    if length:
        assert f == k.NONE and last == int(read("instances", "queue_tail")[row])
    lasts = read("ranks", "last")[row * 3:row * 3 + 3]
    assert [rank for rank in range(3) if lasts[rank] != k.NONE] == sorted(set(seen))
    return length

"""Guarded calls beside closed forms: shares of answers in time, numbers of tries, hedging, blocking of pools, budgets, breakers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from helpers.support import COMPILED, MS, begun, replications, scenario

from simvirt.kernel import constants as k
from simvirt.metrics.outcome import Outcome
from simvirt.plane import DataPlane

REQUESTS = 20_000 if COMPILED else 1_500
REL = 0.03 if COMPILED else 0.12
M_S = 0.01
SLOW: dict[str, Any] = {"operations": {"q": [{"delay": {"exponential": "10ms"}}]}}
"""A callee whose answers take 10 ms in the mean, each by itself."""


def outcome(guard: dict[str, Any], callee: dict[str, Any] = SLOW, rate: float = 100.0, requests: int = REQUESTS, **workload: Any) -> Outcome:
    """A caller that does nothing but one guarded call for each request."""
    services = {"web": {"operations": {"go": [{"call": "db.q"} | guard]}}, "db": callee}
    load = {"open": {"rate": f"{rate}/s"}, "mix": {"web.go": 1}} | workload
    found = replications(scenario(services, load, {"requests": requests, "warmup": "0s"}, host={"cores": 8}))[0]
    assert set(found.checks.values()) == {"ok"}, found.checks
    parts = [v for v in found.breakdown_s.values() if v is not None]
    assert found.latency_mean_s is None or math.isclose(math.fsum(parts), found.latency_mean_s, rel_tol=1e-9)
    return found


def guard_of(found: Outcome, name: str = "web > db") -> dict[str, Any]:
    assert found.guarded is not None
    return found.guarded.guards[name]


def test_waits_beyond_a_limit_are_those_of_the_queue() -> None:
    """M/M/1: a sojourn exceeds t with probability exp(-(mu - lambda) t); what nobody waits for is worked on all the same."""
    found = outcome({"timeout": "10ms"}, {"threads": 1, "operations": {"q": [{"cpu": {"exponential": "5ms"}}]}})
    assert found.failed == pytest.approx(math.exp(-100 * 0.01), rel=3 * REL)
    assert found.services["db"].cpu_cores == pytest.approx(0.5, rel=REL)
    assert found.guarded is not None and set(found.guarded.failed) == {"timed out"}


def test_tries_are_a_geometric_series() -> None:
    """With p = P(too late): (1 - p^n) / (1 - p) tries a call, of which p^n fail."""
    p, n = math.exp(-1.0), 3
    found = outcome({"timeout": "10ms", "retry": {"attempts": n}})
    guard = guard_of(found)
    assert guard["tries_per_s"] / guard["calls_per_s"] == pytest.approx((1 - p**n) / (1 - p), rel=REL)
    assert found.failed == pytest.approx(p**n, rel=4 * REL)


def test_layers_multiply() -> None:
    """Nothing is ever answered in time: 3 tries of 2 tries each reach the last service, in half of the time of a caller's own limit."""
    services = {
        "a": {"operations": {"go": [{"call": "b.go", "timeout": "100ms", "retry": {"attempts": 3}}]}},
        "b": {"operations": {"go": [{"call": "c.go", "timeout": "10ms", "retry": {"attempts": 2}}]}},
        "c": {"operations": {"go": [{"delay": "50ms"}]}},
    }
    found = replications(scenario(services, {"open": {"rate": "50/s"}, "mix": {"a.go": 1}}, {"requests": 500, "warmup": "0s"}, host={"cores": 8}))[0]
    first, second = guard_of(found, "a > b"), guard_of(found, "b > c")
    assert second["tries_per_s"] / first["calls_per_s"] == pytest.approx(6.0, rel=0.01)
    assert found.requests == 0 and found.failed == 1.0


def test_the_first_of_two_answers_counts() -> None:
    """min(X, d + Y) of exponential times of mean m: m (1 - e^(-d/m)) + e^(-d/m) m / 2."""
    found, late = outcome({"hedge": "5ms"}), math.exp(-0.5)
    assert found.latency_mean_s == pytest.approx(M_S * (1 - late) + late * M_S / 2, rel=REL)
    assert guard_of(found)["hedges_per_s"] / guard_of(found)["calls_per_s"] == pytest.approx(late, rel=REL)


def test_a_pool_without_a_line_blocks_as_erlang_says() -> None:
    """M/M/c/c with c = 2 and a = 1: B = (a^2 / 2) / (1 + a + a^2 / 2) = 0.2."""
    found = outcome({"pool": {"connections": 2, "queue": 0}})
    assert found.failed == pytest.approx(0.2, rel=2 * REL)
    assert found.guarded is not None and set(found.guarded.failed) == {"no connection"}


def test_a_pool_with_a_line_is_a_queue() -> None:
    """M/M/1 of connections at 80 %: its wait of 40 ms is time in the line."""
    found = outcome({"pool": 1}, rate=80.0)
    assert found.latency_mean_s == pytest.approx(0.05, rel=0.15 if COMPILED else 0.5)
    assert found.breakdown_s["queue"] == pytest.approx(0.04, rel=0.2 if COMPILED else 0.6)


def test_retries_keep_to_their_budget() -> None:
    found = outcome({"timeout": "2ms", "retry": {"attempts": 5, "budget": {"ratio": "20%", "reserve": "0/s"}}})
    guard = guard_of(found)
    assert 0.17 <= guard["retries_per_s"] / guard["calls_per_s"] <= 0.2 + 1e-9
    free = guard_of(outcome({"timeout": "2ms", "retry": {"attempts": 5}}))
    assert free["retries_per_s"] / free["calls_per_s"] > 2


def test_an_open_breaker_lets_one_try_through_at_a_time() -> None:
    """Nothing is answered in time: after 3 tries one each 100 ms and 20 ms of its own."""
    found = outcome({"timeout": "20ms", "breaker": {"failures": 3, "open": "100ms"}}, {"operations": {"q": [{"delay": "1s"}]}}, requests=1000)
    guard = guard_of(found)
    assert guard["tries_per_s"] <= 1 / 0.12 + 0.5
    assert guard["refused"] == pytest.approx(1 - guard["tries_per_s"] / guard["calls_per_s"], abs=0.01)
    assert found.guarded is not None and set(found.guarded.failed) == {"timed out", "breaker open"}


def test_a_deadline_bounds_all_tries_and_what_they_call() -> None:
    """The callee's own call is never waited for beyond the client's deadline, and nothing of it goes on."""
    services = {
        "web": {"operations": {"go": [{"call": "db.q", "timeout": "1s"}]}},
        "db": {"threads": 1, "operations": {"q": [{"cpu": {"exponential": "5ms"}}]}},
    }
    load = {"open": {"rate": "300/s"}, "mix": {"web.go": 1}, "deadline": "30ms", "timeout": "20ms", "retry": {"attempts": 9}}
    spec = scenario(services, load, {"duration": "10s", "warmup": "0s"}, host={"cores": 8})
    found = replications(spec)[0]
    assert found.latency_max_s is not None and found.latency_max_s <= 0.030
    assert guard_of(found, "workload > web")["orphaned"] > 0 and guard_of(found)["orphaned"] > 0


def test_an_overloaded_service_that_sheds_does_all_that_it_can_in_twice_its_target() -> None:
    """150 jobs a second where 100 can be done: a third is dropped; waits are near 2 x 20 ms, and longer only within 200 ms of an idle spell."""
    server = {"threads": 1, "shed": {"target": "20ms", "interval": "200ms"}, "operations": {"job": [{"cpu": {"exponential": "10ms"}}]}}
    load = {"open": {"rate": "150/s"}, "mix": {"server.job": 1}, "local": True}
    found = replications(scenario({"server": server}, load, {"requests": REQUESTS, "warmup": "2s"}, host={"cores": 1}))[0]
    assert found.throughput_per_s == pytest.approx(100, rel=2 * REL)
    assert found.failed == pytest.approx(1 / 3, rel=3 * REL)
    queue = found.breakdown_s["queue"]
    assert queue is not None and 0.02 < queue < 0.08
    assert found.guarded is not None and set(found.guarded.failed) == {"shed"}


@pytest.mark.parametrize("on_timeout", ["orphan", "cancel"])
def test_no_frame_and_no_connection_is_lost(on_timeout: str) -> None:
    """After the last request, and all that it left behind, everything is free again."""
    guard = {
        "timeout": "4ms", "on_timeout": on_timeout, "hedge": "2ms", "pool": {"connections": 3, "queue": 2},
        "retry": {"attempts": 3, "backoff": "1ms", "budget": "50%"}, "breaker": {"failures": 5, "open": "20ms"},
    }
    services = {
        "web": {"threads": 4, "queue": 3, "operations": {"go": [{"cpu": "200us"}, {"parallel": [{"call": "mid.go"} | guard, {"call": "mid.go"} | guard]}]}},
        "mid": {"scale": 2, "balance": "random", "threads": 3, "operations": {"go": [{"call": "db.q"} | guard, {"cpu": {"exponential": "1ms"}}]}},
        "db": {"threads": 2, "operations": {"q": [{"cpu": {"exponential": "1ms"}}]}},
    }
    pieces = [{"for": "1900ms", "rate": "400/s"}, {"for": "1h", "rate": "0/s"}]
    load = {"open": {"piecewise": pieces}, "mix": {"web.go": 1}, "timeout": "10ms", "retry": {"attempts": 2}, "on_timeout": on_timeout}
    clock = begun(scenario(services, load, {"duration": "600s", "warmup": "0s"}, host={"cores": 4}))
    for instant in range(1, 25):
        clock.run(until=instant * 100 * MS)
        assert_conserved(clock.plane)
    kind, ended = clock.plane.read("frames", "kind"), {name: int(clock.plane.read("tallies", name).sum()) for name in ("completed", "failed")}
    assert np.all(kind == k.NONE) and not clock.plane.read("callers", "taken").any()
    assert ended["failed"] > 0 and ended["completed"] > 0


def assert_conserved(plane: DataPlane) -> None:
    """Requests in are answered, rejected, failed by a cause or under way; connections taken are held; frames are in use or free."""
    counts = {name: int(plane.read("tallies", name).sum()) for name in ("arrived", "completed", "rejected", "failed")}
    under_way = int(plane.read("tallies", "in_system")[0])
    assert counts["arrived"] == counts["completed"] + counts["rejected"] + counts["failed"] + under_way
    assert int(plane.read("tallies", "causes").sum()) == counts["failed"]
    kind, connection = plane.read("frames", "kind"), plane.read("frames", "connection")
    tries = kind == k.ATTEMPT
    assert int((kind == k.REQUEST).sum()) == under_way
    assert int(plane.read("callers", "taken").sum()) == int((tries & (connection == k.HOLDS_CONNECTION)).sum())
    assert int(plane.read("callers", "waiting").sum()) == int((tries & (connection == k.WAITS_FOR_CONNECTION)).sum())
    assert int(plane.read("run", "free_frames")[0]) == int((kind == k.NONE).sum())
    assert np.all(plane.read("callers", "taken") <= 3)

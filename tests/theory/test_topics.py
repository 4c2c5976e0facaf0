"""Messages between services beside closed forms: lines, consumers, bounds, deliveries; and none of them goes astray."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from helpers.support import COMPILED, MS, begun, replications, scenario

from simvirt.kernel import constants as k
from simvirt.metrics.outcome import Messages, Outcome
from simvirt.plane import DataPlane

DURATION = "60s" if COMPILED else "8s"
REL = 0.06 if COMPILED else 0.25
WORK = {"cpu": {"exponential": "5ms"}}


def outcome(subscribers: dict[str, Any], rate: float = 100.0, steps: Any = (WORK,), duration: str = DURATION, **service: Any) -> Outcome:
    """Requests that do nothing but publish, at random; workers with a core each."""
    services = {
        "web": {"operations": {"buy": [{"publish": "orders"}]}},
        "worker": {"operations": {"do": list(steps), "log": list(steps)}} | service,
    }
    load = {"open": {"rate": f"{rate}/s"}, "mix": {"web.buy": 1}, "local": True}
    spec = scenario(services, load, {"duration": duration, "warmup": "0s"}, host={"cores": 16}, topics={"orders": {"subscribers": subscribers}})
    found = replications(spec)[0]
    assert set(found.checks.values()) == {"ok"}, found.checks
    return found


def line(found: Outcome, operation: str = "worker.do") -> Messages:
    return found.messages[f"orders > {operation}"]


def test_one_consumer_is_a_queue() -> None:
    """M/M/1 at one half: a latency of 1 / (mu - lambda), its p95 ln 20 times that, rho^2 / (1 - rho) in line; publishing takes no time."""
    found = outcome({"worker.do": {}})
    one = line(found)
    assert one.latency_mean_s == pytest.approx(0.01, rel=2 * REL)
    assert one.numbers["wait_s"] == pytest.approx(0.005, rel=4 * REL)
    assert one.numbers["waiting"] == pytest.approx(0.5, rel=4 * REL)
    assert one.numbers["utilisation"] == pytest.approx(0.5, rel=REL)
    assert found.resources["orders > worker.do"] == one.numbers["utilisation"]
    assert found.latency_mean_s == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize(("concurrency", "replicas"), [(4, 1), (1, 4), (2, 2)])
def test_consumers_that_pull_share_one_line(concurrency: int, replicas: int) -> None:
    """M/M/4 at 0.8, whichever way the four are made up: Erlang's C is 0.5964, the wait C / (4 mu - lambda) = 3.73 ms."""
    found = line(outcome({"worker.do": {"concurrency": concurrency}}, rate=640.0, scale=replicas))
    assert found.numbers["wait_s"] == pytest.approx(0.5964 / 160, rel=5 * REL)


def test_what_is_prefetched_waits_for_its_own_consumer() -> None:
    """With more in hand than is worked on, one of two consumers may stand idle while the other has messages that wait: longer than M/M/2."""
    pulled, pushed = (line(outcome({"worker.do": {"prefetch": hand}}, rate=300.0, scale=2)) for hand in (1, 100))
    assert pulled.latency_mean_s is not None and pushed.latency_mean_s is not None
    assert pushed.latency_mean_s > 1.1 * pulled.latency_mean_s
    assert (pushed.numbers["wait_s"] or 0.0) < 1e-6


@pytest.mark.parametrize("full", ["drop-newest", "drop-oldest"])
def test_a_bounded_line_drops_as_the_queue_says(full: str) -> None:
    """M/M/1/4 at rho = 1, 3 of them in line: one in five is dropped, whichever it is."""
    found = line(outcome({"worker.do": {"length": 3, "full": full}}, rate=200.0))
    assert found.numbers["dropped"] == pytest.approx(0.2, rel=2 * REL)


def test_who_publishes_waits_for_room() -> None:
    """One consumer of 200 a second, 300 requests a second: what is answered is what is consumed, and no message is dropped."""
    found = outcome({"worker.do": {"length": 5}}, rate=300.0, duration="20s")
    one = line(found)
    assert one.numbers["dropped"] == 0 and one.numbers["longest"] == 5
    assert found.throughput_per_s == pytest.approx(one.numbers["consumed_per_s"], rel=0.02)
    assert found.latency_mean_s is not None and found.latency_mean_s > 1.0


def test_a_topic_hands_a_message_to_all_that_subscribe() -> None:
    found = outcome({"worker.do": {"concurrency": 8}, "worker.log": {"concurrency": 8}})
    first, second = line(found), line(found, "worker.log")
    assert first.numbers["published_per_s"] == second.numbers["published_per_s"] == pytest.approx(100, rel=REL)


def test_a_message_that_takes_longer_than_it_is_invisible_is_done_again_and_again() -> None:
    """p = P(X > 10 ms) = e^-1 with its draws its own: 3 deliveries in vain, of which all are done, and a dead letter."""
    found = line(outcome({"worker.do": {"concurrency": 1000, "visibility": "10ms", "max_deliveries": 3}}, steps=[{"delay": {"exponential": "10ms"}}]))
    p = math.exp(-1)
    assert found.numbers["dead_lettered"] == pytest.approx(p, rel=2 * REL)
    assert found.numbers["redelivered"] == pytest.approx(2 * p, rel=2 * REL)
    assert found.numbers["repeated"] == pytest.approx(3 * p, rel=2 * REL)
    assert found.latency_mean_s == pytest.approx(0.01 * (1 - 2 * p) / (1 - p), rel=2 * REL)


def failing(delivery: dict[str, Any]) -> Messages:
    """A consumer whose own call always fails."""
    services = {
        "web": {"operations": {"buy": [{"publish": "orders"}]}},
        "worker": {"operations": {"do": [{"call": "db.put", "timeout": "5ms"}]}}, "db": {"operations": {"put": [{"delay": "10ms"}]}},
    }
    load = {"open": {"rate": "50/s"}, "mix": {"web.buy": 1}}
    topics = {"orders": {"subscribers": {"worker.do": {"concurrency": 50} | delivery}}}
    found = replications(scenario(services, load, {"duration": "5s", "warmup": "0s"}, host={"cores": 4}, topics=topics))[0]
    assert found.failed == 0 and set(found.checks.values()) == {"ok"}
    return line(found)


def test_a_consumer_that_fails_loses_a_message_or_gets_it_again() -> None:
    assert failing({"delivery": "at-most-once"}).numbers["lost"] == pytest.approx(1.0, abs=0.01)
    kept = failing({"max_deliveries": 4})
    assert kept.numbers["lost"] == 0 and kept.numbers["consumed_per_s"] == 0
    assert kept.numbers["dead_lettered"] == pytest.approx(1.0, abs=0.02) and kept.numbers["redelivered"] == pytest.approx(3.0, abs=0.05)


DELIVERIES: dict[str, dict[str, Any]] = {
    "kept": {"concurrency": 2, "prefetch": 6}, "lost": {"concurrency": 2, "prefetch": 6, "delivery": "at-most-once"},
    "invisible": {"concurrency": 2, "prefetch": 3, "visibility": "40ms", "max_deliveries": 4},
    "bounded": {"concurrency": 3, "length": 4, "full": "block"}, "short": {"length": 2, "full": "drop-oldest"},
}


@pytest.mark.parametrize("name", DELIVERIES)
def test_no_message_goes_astray_when_consumers_die(name: str) -> None:
    """Published = done + dead + dropped + lost + in line + in hand at every instant; when all is over no frame is left."""
    deaths = [{"at": f"{at}ms", "crash": "worker", "replica": at // 100 % 2, "restart": "70ms"} for at in range(150, 1900, 100)]
    pieces = [{"for": "1900ms", "rate": "300/s"}, {"for": "1h", "rate": "0/s"}]
    services = {
        "web": {"threads": 8, "operations": {"buy": [{"cpu": "200us"}, {"publish": "orders", "times": 2}]}},
        "worker": {"threads": 3, "queue": 1, "scale": 2, "operations": {"do": [{"cpu": {"exponential": "2ms"}}, {"call": "db.put", "timeout": "9ms"}]}},
        "db": {"threads": 2, "operations": {"put": [{"cpu": {"exponential": "3ms"}}]}},
    }
    load = {"open": {"piecewise": pieces}, "mix": {"web.buy": 1}}
    topics = {"orders": {"subscribers": {"worker.do": DELIVERIES[name]}}}
    clock = begun(scenario(services, load, {"duration": "600s", "warmup": "0s"}, host={"cores": 4}, timeline=deaths, topics=topics))
    for instant in range(1, 60):
        clock.run(until=instant * 50 * MS)
        assert_conserved(clock.plane)
    clock.run(until=60_000 * MS)
    assert_conserved(clock.plane)
    counts = {key: int(clock.plane.read("subscriptions", key)[0]) for key in ("waiting", "under_way", "blocked", "consumed", "lost", "returned", "dropped")}
    assert np.all(clock.plane.read("frames", "kind") == k.NONE)
    assert counts["waiting"] == counts["under_way"] == counts["blocked"] == 0 < counts["consumed"]
    assert (counts["lost"] > 0) == (name == "lost") and (counts["returned"] > 0) == (name != "lost") and (counts["dropped"] > 0) == (name == "short")
    assert not clock.plane.read("consumers", "held").any() and not clock.plane.read("consumers", "working").any()


def assert_conserved(plane: DataPlane) -> None:
    """Messages that came are somewhere; those in hand are what consumers count."""
    count = {name: int(plane.read("subscriptions", name)[0]) for name in (
        "published", "consumed", "dropped", "lost", "dead", "waiting", "under_way")}
    assert count["published"] == sum(count[name] for name in ("consumed", "dropped", "lost", "dead", "waiting", "under_way"))
    kind, standing = plane.read("frames", "kind"), plane.read("frames", "standing")
    mine = kind == k.MESSAGE
    assert int((mine & (standing == k.IN_LINE)).sum()) == count["waiting"]
    assert int((mine & (standing != k.IN_LINE) & (standing != k.REPLACED)).sum()) == count["under_way"]
    held = mine & (plane.read("frames", "consumer") != k.NONE)
    assert int(held.sum()) == int(plane.read("consumers", "held").sum())
    assert int(plane.read("run", "free_frames")[0]) == int((kind == k.NONE).sum())

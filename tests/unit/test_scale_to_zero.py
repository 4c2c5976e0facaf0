"""Services that may have no replica, and autoscalers that look at what services are asked: rules, the buffer, whole runs."""

from __future__ import annotations

import math
from typing import Any

import pytest
import simvirt
import yaml

from simvirt import kernel
from simvirt.errors import ScenarioError
from simvirt.orchestration.kpa import Rules, State, decide
from simvirt.runs.admission import catalog_of

KPA = Rules(target=10.0, stable_s=60.0, threshold=2.0, up_rate=1000.0, down_rate=2.0)


# --- the rule --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stable", "panic", "ready", "wanted"), [
    (50.0, 50.0, 5, 5), (41.0, 41.0, 5, 5), (40.0, 40.0, 4, 4), (0.0, 0.0, 1, 0),  # as many as the average over the target, rounded up
    (10.0, 10.0, 8, 4),  # no fewer than half of the ready ones at once
    (10.0, 19.0, 1, 2), (10.0, 5.0, 1, 1),  # twice as many as are ready: it panics
    (10.0, 19.0, 2, 1),
])
def test_decisions(stable: float, panic: float, ready: int, wanted: int) -> None:
    assert decide(State(), stable, panic, ready, KPA, 0.0)[0] == wanted


def test_the_rate_bounds_growth() -> None:
    assert decide(State(), 0.0, 900.0, 2, Rules(1.0, 60.0, 2.0, 10.0, 2.0), 0.0)[0] == 20


def test_panic_never_goes_down_and_ends_after_a_stable_window_without_reason() -> None:
    found, state = decide(State(), 10.0, 100.0, 1, KPA, 0.0)
    assert (found, state) == (10, State(0.0, 10))
    found, state = decide(state, 10.0, 30.0, 10, KPA, 30.0)
    assert (found, state) == (10, State(0.0, 10))
    found, state = decide(state, 30.0, 250.0, 10, KPA, 50.0)
    assert (found, state) == (25, State(50.0, 25))
    assert decide(state, 30.0, 30.0, 25, KPA, 110.0)[0] == 25
    assert decide(state, 130.0, 30.0, 25, KPA, 110.1) == (13, State())


# --- the buffer ------------------------------------------------------------------------------------------------------------

COLD = """
simvirt: 1
name: cold
host: {cores: 8, memory: 16GiB}
platforms: [docker]
services:
  web: {cpus: 1, threads: 8, startup: [{delay: 3s}], autoscale: {min: 0, max: 4, target: {concurrency: 100}, by: knative}, operations: {get: [{delay: 1ms}]}}
workload: {open: {piecewise: [{for: 10s, rate: 20/s}, {for: 90s, rate: 0.0001/s}, {for: 20s, rate: 20/s}]}, mix: {web.get: 1}}
run: {duration: 2min, warmup: 0s, replications: 1, seed: 3}
"""


def ran(**changes: Any) -> dict[str, Any]:
    """What a run of a service that starts within three seconds says, with some changes of its autoscaler."""
    content = yaml.safe_load(COLD)
    content["services"]["web"]["autoscale"] |= changes
    return dict(simvirt.run(simvirt.loads(yaml.safe_dump(content)), maximum=False).document()["platforms"]["docker"])


def changes_of(found: dict[str, Any]) -> list[tuple[float, int, str]]:
    """Each change of what is wanted: when, to how many, why."""
    return [(change["at_s"], change["after"], change["why"]) for change in found["scaling"]["services"]["web"]["changes"]]


@pytest.fixture(scope="module")
def cold() -> dict[str, Any]:
    """The run as it is."""
    return ran()


def test_the_first_request_brings_a_replica_and_waits_for_it(cold: dict[str, Any]) -> None:
    """Its latency is the cold start, whose phases the start says; all that come meanwhile wait with it, and nothing is lost."""
    (gone, none, _), (back, one, why) = changes_of(cold)[:2]
    assert (none, one, why) == (0, 1, "a request waits")
    assert 70.0 <= gone <= 70.0 + 2 * 2.0 + 1.0  # nothing for a stable window, seen by samples a second apart and ticks two apart
    event = {what: next(e["at_s"] for e in cold["happened"]["events"] if e["what"] == what and e["at_s"] >= back) for what in ("start", "ready")}
    assert event["start"] == back and event["ready"] - back > 3.0
    assert cold["latency_s"]["max"]["value"] == pytest.approx(event["ready"] - back, abs=0.01)
    assert cold["rejected"]["value"] == 0.0 == cold["failed"]["value"]
    assert set(cold["checks"].values()) == {"ok"}


def test_who_waits_is_who_came_during_the_start(cold: dict[str, Any]) -> None:
    """Arrivals at a rate over the start: their mean wait is half of it, but for the first one, which begins it."""
    back = changes_of(cold)[1][0]
    start = next(e["at_s"] for e in cold["happened"]["events"] if e["what"] == "ready" and e["at_s"] > back) - back
    waited = cold["breakdown_s"]["queue"] * cold["requests"]
    expected = start + 20.0 * start * start / 2.0
    assert waited == pytest.approx(expected, rel=4 / math.sqrt(20.0 * start))


def test_a_full_buffer_rejects() -> None:
    """Of those that come during the start the buffer holds its first ones; all others are rejected."""
    found = _with_buffer(5)
    back = changes_of(found)[1][0]
    start = next(e["at_s"] for e in found["happened"]["events"] if e["what"] == "ready" and e["at_s"] > back) - back
    refused = found["rejected"]["value"] * found["requests"] / (1 - found["rejected"]["value"])
    assert refused == pytest.approx(20.0 * start - 4, abs=4 * math.sqrt(20.0 * start))
    assert set(found["checks"].values()) == {"ok"}


def _with_buffer(many: int) -> dict[str, Any]:
    """The run with a buffer of so many requests."""
    content = yaml.safe_load(COLD)
    content["services"]["web"]["autoscale"] |= {"by": "mine"}
    content["catalog"] = {"autoscalers": {"mine": {"like": "knative", "buffer": {"value": many, "source": "made up for a test"}}}}
    return dict(simvirt.run(simvirt.loads(yaml.safe_dump(content)), maximum=False).document()["platforms"]["docker"])


def test_keda_waits_for_its_cooldown() -> None:
    content = yaml.safe_load(COLD)
    content["services"]["web"]["autoscale"] |= {"by": "mine"}
    content["catalog"] = {"autoscalers": {"mine": {"like": "keda", "cooldown": {"value": "40s", "source": "made up for a test"}}}}
    found = dict(simvirt.run(simvirt.loads(yaml.safe_dump(content)), maximum=False).document()["platforms"]["docker"])
    (gone, none, why), (_, one, again) = changes_of(found)[:2]
    assert (none, why, one, again) == (0, "no request for 40 s", 1, "a request waits")
    assert 50.0 <= gone <= 50.0 + 2 * 15.0


def test_calls_between_services_wait_too() -> None:
    """A service behind another one that has no replica: the caller's thread waits, and its request counts the wait."""
    content = yaml.safe_load(COLD)
    content["services"]["db"] = content["services"].pop("web")
    content["services"]["web"] = {"threads": 64, "operations": {"get": [{"call": "db.get"}]}}
    found = dict(simvirt.run(simvirt.loads(yaml.safe_dump(content)), maximum=False).document()["platforms"]["docker"])
    assert found["rejected"]["value"] == 0.0
    assert found["latency_s"]["max"]["value"] > 3.0
    assert set(found["checks"].values()) == {"ok"}


def test_guarded_clients_give_up_waiting() -> None:
    content = yaml.safe_load(COLD)
    content["workload"] |= {"timeout": "1s"}
    found = dict(simvirt.run(simvirt.loads(yaml.safe_dump(content)), maximum=False).document()["platforms"]["docker"])
    assert found["failed"]["value"] > 0.0
    assert found["latency_s"]["max"]["value"] <= 1.0
    assert set(found["checks"].values()) == {"ok"}


# --- what services are asked -------------------------------------------------------------------------------------------------

STEADY = """
simvirt: 1
name: steady
host: {cores: 16, memory: 64GiB}
platforms: [docker]
services: {web: {cpus: 1, threads: 4, autoscale: {max: 12, target: {requests: 20/s}}, operations: {get: [{delay: 100ms}]}}}
workload: {open: {rate: 100/s}, mix: {web.get: 1}}
run: {duration: 2min, warmup: 0s, replications: 1, seed: 1}
"""


@pytest.mark.parametrize(("target", "wanted"), [
    ({"requests": "20/s"}, 5), ({"requests": "10/s"}, 10), ({"concurrency": 2}, 5), ({"cpu": "60%", "requests": "20/s"}, 5), ({"requests": "20/s", "concurrency": 1.25}, 8),
])
def test_replicas_are_demand_over_target_and_the_largest_counts(target: dict[str, Any], wanted: int) -> None:
    """100 requests/s of 100 ms each are ten in flight: AverageValue divides the sum, whatever the replicas are, within the tolerance."""
    content = yaml.safe_load(STEADY)
    content["services"]["web"]["autoscale"]["target"] = target
    content["services"]["web"] |= {"deploy": {"replicas": 4}, "threads": "unlimited"}
    found = simvirt.run(simvirt.loads(yaml.safe_dump(content)), maximum=False).document()["platforms"]["docker"]
    changes = found["scaling"]["services"]["web"]["changes"]
    last = changes[-1]["after"]
    assert abs(last - wanted) <= 1 + 0.1 * wanted
    assert changes[0]["usage"] is not None and changes[0]["window_s"] == 15.0


def test_a_line_brings_replicas() -> None:
    content = yaml.safe_load(STEADY)
    content["services"]["web"]["autoscale"]["target"] = {"queue": 5}
    found = simvirt.run(simvirt.loads(yaml.safe_dump(content)), maximum=False).document()["platforms"]["docker"]
    assert found["scaling"]["services"]["web"]["most"]["value"] >= 3  # ten in flight need three replicas of four threads
    assert "requests in line of 5 each" in found["scaling"]["services"]["web"]["changes"][0]["why"]


@pytest.mark.parametrize(("change", "said"), [
    ({"min": 0, "by": "hpa"}, "hpa has no buffer"), ({"target": {}}, "expected what replicas are kept at"), ({"target": {"cpu": "60%"}, "by": "knative"}, "one of requests and concurrency"),
    ({"target": {"requests": "1/s"}, "predict": {"window": "1min", "ahead": "1min"}}, "is of CPU usage"), ({"by": "knative", "tolerance": "5%"}, "rules of its own"),
])
def test_mistakes(change: dict[str, Any], said: str) -> None:
    content = yaml.safe_load(STEADY)
    content["services"]["web"]["autoscale"] |= change
    with pytest.raises(ScenarioError, match=said):
        catalog_of(simvirt.loads(yaml.safe_dump(content)))


@pytest.mark.skipif(kernel.MODE == "plain", reason="as the compiled kernel, whose bytes are the same")
def test_bytes_are_the_same_each_time(cold: dict[str, Any]) -> None:
    again = ran()
    assert {key: value for key, value in again.items() if key != "wall_s"} == {key: value for key, value in cold.items() if key != "wall_s"}

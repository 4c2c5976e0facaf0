"""Event loops come out at their closed forms: M/G/1, M/M/c and BCMP networks of a loop among delays."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import COMPILED, assert_agrees, assert_sound, means, quantiles, replications, scenario

from simvirt.analysis import formulas, theory
from simvirt.metrics.outcome import Outcome
from simvirt.scenario.spec.models import Scenario

pytestmark = pytest.mark.skipif(not COMPILED, reason="statistics take the compiled kernel; the plain one gives the same bytes")

EXPONENTIAL = {"cpu": {"exponential": "3ms"}}
LOGNORMAL = {"cpu": {"lognormal": {"mean": "6ms", "cv": 1.5}}}
PAUSE, OTHER = {"delay": "50ms"}, {"delay": {"lognormal": {"mean": "20ms", "cv": 2}}}
REPLICATIONS, REQUESTS = 16, 30_000


def looped(*steps: dict[str, Any], rate: float, loops: int = 1, **fields: Any) -> Scenario:
    """A service of event loops on four cores."""
    services = {"api": {"event_loops": loops, "operations": {"get": list(steps)}} | fields.pop("service", {})}
    workload = {"open": {"rate": f"{rate}/s"}, "mix": {"api.get": 1}}
    return scenario(services, workload, {"requests": REQUESTS, "warmup": f"{0.1 * REQUESTS / rate}s"}, host={"cores": 4} | fields.pop("host", {}), **fields)


def sound(spec: Scenario) -> list[Outcome]:
    outcomes = replications(spec, REPLICATIONS)
    assert_sound(outcomes)
    return outcomes


@pytest.mark.parametrize("policy", ["eevdf", "gps"])
@pytest.mark.parametrize("rate", [80, 150])
def test_segments_between_delays_are_a_product_form_network(rate: float, policy: str) -> None:
    spec = looped(EXPONENTIAL, PAUSE, EXPONENTIAL, OTHER, rate=rate, host={"scheduler": policy})
    expected = 2 * 0.003 / (1 - 2 * rate * 0.003) + 0.07
    told = theory.applicable(spec)
    assert told is not None and told.model == "BCMP network"
    assert told.latency_mean_s == pytest.approx(expected)
    outcomes = sound(spec)
    assert_agrees(means(outcomes), expected)
    assert_agrees([o.resources["api.event_loops"] for o in outcomes], 2 * rate * 0.003)


@pytest.mark.parametrize("steps", [(LOGNORMAL, PAUSE), (OTHER, LOGNORMAL), (PAUSE, LOGNORMAL, OTHER)])
def test_one_segment_among_delays_is_mg1(steps: tuple[dict[str, Any], ...]) -> None:
    spec = looped(*steps, rate=110)
    delay = sum({"50ms": 0.05}.get(str(step.get("delay")), 0.02) for step in steps if "delay" in step)
    expected = formulas.mg1(110, 0.006, 1.5).response_s + delay
    told = theory.applicable(spec)
    assert told is not None and told.model == "M/G/1" and told.latency_mean_s == pytest.approx(expected)
    assert_agrees(means(sound(spec)), expected)


def test_the_tail_moves_along_with_a_constant_delay() -> None:
    spec = looped({"cpu": {"exponential": "7ms"}}, PAUSE, rate=100)
    expected = formulas.mm1_quantile(100, 0.007, 0.95) + 0.05
    told = theory.applicable(spec)
    assert told is not None and told.latency_p95_s == pytest.approx(expected)
    assert_agrees(quantiles(sound(spec), 0.95), expected)


def test_several_loops_share_a_line() -> None:
    spec = looped(EXPONENTIAL, OTHER, EXPONENTIAL, rate=450, loops=3)
    expected = 2 * formulas.mmc(900, 0.003, 3).response_s + 0.02
    told = theory.applicable(spec)
    assert told is not None and told.latency_mean_s == pytest.approx(expected)
    assert_agrees(means(sound(spec)), expected)


def test_clients_of_a_loop_are_a_closed_network() -> None:
    spec = scenario(
        {"api": {"event_loops": 1, "operations": {"get": [EXPONENTIAL, OTHER, EXPONENTIAL]}}},
        {"closed": {"clients": 12, "think": {"exponential": "30ms"}}, "mix": {"api.get": 1}}, {"duration": "120s", "warmup": "5s"})
    expected = formulas.machine_repair(12, 0.05, 0.006).response_s + 0.02
    told = theory.applicable(spec)
    assert told is not None and told.latency_mean_s == pytest.approx(expected)
    assert_agrees(means(sound(spec)), expected)


def test_a_limit_that_cannot_bind_changes_no_closed_form() -> None:
    steps = (EXPONENTIAL, PAUSE)
    assert theory.applicable(looped(*steps, rate=80, service={"cpus": 1})) == theory.applicable(looped(*steps, rate=80))
    assert theory.applicable(looped(*steps, rate=80, service={"cpus": 0.5})) is None


@pytest.mark.parametrize("steps", [(LOGNORMAL, PAUSE, LOGNORMAL), (EXPONENTIAL, PAUSE, {"cpu": {"exponential": "1ms"}}), (EXPONENTIAL, {"disk": {"read": "4KiB"}})])
def test_what_no_formula_knows_has_none(steps: tuple[dict[str, Any], ...]) -> None:
    assert theory.applicable(looped(*steps, rate=20)) is None

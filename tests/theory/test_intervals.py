"""What intervals promise, against M/M/1: they cover theory as often as they say, and the means are not biased, at default settings."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from helpers.support import COMPILED

from simvirt import loads, run
from simvirt.result.document import Estimate
from simvirt.result.run_document import PlatformResult

SERVICE_S = 0.01
SEEDS = 200


MEASURES = {"mean": 1.0, "p50": math.log(2), "p90": math.log(10), "p95": math.log(20), "p99": math.log(100)}
"""What intervals are looked at, over the mean: latencies of M/M/1 are exponential."""


@dataclass(frozen=True)
class Found:
    """How often the interval of a measure held the theory's value, the bias of what was found over it, and its standard error."""

    coverage: float
    bias: float
    error: float


def mm1(load: int, **settings: object) -> str:
    """M/M/1 at a load in percent, with nothing said of its length."""
    written = ", ".join(f"{key}: {value}" for key, value in settings.items())
    return f"""
simvirt: 1
name: mm1
host: {{cores: 1, memory: 4GiB}}
platforms: [bare-metal]
services: {{server: {{threads: 1, operations: {{job: [{{cpu: {{exponential: {SERVICE_S}s}}}}]}}}}}}
workload: {{open: {{rate: {load / 100 / SERVICE_S:g}/s}}, mix: {{server.job: 1}}, local: true}}
run: {{{written}}}
"""


def of(load: int, **settings: object) -> tuple[PlatformResult, list[str]]:
    """What a run says, and its warnings."""
    result = run(loads(mm1(load, **settings)), maximum=False)
    return result.typed().platforms["bare-metal"], result.warnings()


def covered(load: int, seeds: int) -> dict[str, Found]:
    """The intervals of many runs at default settings against theory; a run that says that it is too short promises nothing."""
    mean = SERVICE_S / (1 - load / 100)
    found = [platform.latency_s for platform, said in (of(load, seed=seed + 1) for seed in range(seeds)) if not too_short(said)]
    assert len(found) >= 0.95 * seeds
    return {name: against([getattr(latency, name) for latency in found], part * mean) for name, part in MEASURES.items()}


def against(found: list[Estimate], theory: float) -> Found:
    """Estimates against theory."""
    values = np.array([e.value for e in found], dtype=float) / theory
    held = [e.low is not None and e.high is not None and e.low <= theory <= e.high for e in found]
    return Found(float(np.mean(held)), float(values.mean() - 1), float(values.std(ddof=1) / np.sqrt(len(found))))


def too_short(warnings: list[str]) -> bool:
    """Whether the run says that it is."""
    return any("too short for its intervals" in warning for warning in warnings)


@pytest.mark.skipif(not COMPILED, reason="some million requests")
def test_intervals_cover_theory_at_default_settings() -> None:
    for name, found in covered(80, 20).items():
        assert found.coverage >= 0.85, name
        assert abs(found.bias) < 0.01 + 3 * found.error, name


@pytest.mark.slow
@pytest.mark.verification
@pytest.mark.skipif(not COMPILED, reason="some hundred million requests")
@pytest.mark.parametrize("load", [50, 80, 90, 95])
def test_intervals_cover_theory_at_default_settings_over_many_seeds(load: int) -> None:
    """The bias of quantiles as far as so many runs show it: at 95 % that of p99 is known to 1 %."""
    found = covered(load, SEEDS)
    assert {name: one.coverage for name, one in found.items() if one.coverage < 0.93} == {}
    assert abs(found["mean"].bias) < 0.01
    assert {name: one.bias for name, one in found.items() if abs(one.bias) >= 0.01 + 2 * one.error} == {}


@pytest.mark.skipif(not COMPILED, reason="some hundred thousand requests")
def test_a_run_of_free_length_is_as_long_as_its_queue_needs_and_a_stated_length_is_kept() -> None:
    assert of(50)[0].simulated_s == 60
    assert (of(90)[0].simulated_s or 0) >= 150
    stated, said = of(95, duration="60s")
    assert stated.simulated_s == 60
    assert too_short(said)
    assert "run.duration: " in " ".join(said)


def test_a_run_that_is_too_short_decides_only_what_is_clear_by_far() -> None:
    value = of(95, duration="20s")[0].latency_s.mean
    assert value.value is not None and value.high is not None
    limit = f"{2 * value.high - value.value}s"
    spec = loads(mm1(95, duration="20s") + f"objective: {{latency_p99: 1000s, latency_mean: {limit}}}\n")
    verdicts = run(spec, maximum=False).typed().platforms["bare-metal"].objective
    assert {name: verdict.verdict for name, verdict in verdicts.items()} == {"latency_p99": "met", "latency_mean": "undecided"}
    assert (verdicts["latency_mean"].longer or 0) >= 4

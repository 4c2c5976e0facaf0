"""Knees of queues whose latency has a closed form: the range holds the rate at which it crosses the limit."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from scipy.optimize import brentq
from scipy.stats import binom

from simvirt import loads
from simvirt.analysis import formulas
from simvirt.knee import knee

SERVICE_S = 0.01


def queue(servers: int, objective: str, seed: int) -> Any:
    """An M/M/c queue at half of its load."""
    return loads(f"""\
simvirt: 1
name: mmc
host: {{cores: {servers}, memory: 4GiB}}
platforms: [bare-metal]
services: {{server: {{threads: {servers}, operations: {{job: [{{cpu: {{exponential: 10ms}}}}]}}}}}}
workload: {{open: {{rate: {50 * servers}/s}}, mix: {{server.job: 1}}}}
objective: {{{objective}}}
run: {{seed: {seed}}}
""")


def truth(servers: int, q: float | None, limit_s: float) -> float:
    """The rate at which the mean, or a quantile, of the time in an M/M/c queue is at a limit."""
    def at(rate: float) -> float:
        if q is None:
            return formulas.mmc(rate, SERVICE_S, servers).response_s
        return formulas.mmc_quantile(rate, SERVICE_S, servers, q)

    return float(brentq(lambda rate: at(rate) - limit_s, 1.0, 0.9999 * servers / SERVICE_S))


CASES = {
    "mm1-mean": (1, None, 0.03, "latency_mean: 30ms"), "mm1-p99": (1, 0.99, 0.15, "latency_p99: 150ms"),
    "mm3-mean": (3, None, 0.02, "latency_mean: 20ms"), "mm3-p99": (3, 0.99, 0.08, "latency_p99: 80ms"),
}


def found(case: str, seed: int, precision: float = 0.1) -> tuple[float, Any]:
    """The truth, and the answer for a seed."""
    servers, q, limit_s, objective = CASES[case]
    return truth(servers, q, limit_s), knee(queue(servers, objective, seed), precision=precision).typed().knees["bare-metal"]


@pytest.mark.parametrize("case", ["mm1-mean", "mm3-p99"])
def test_the_range_holds_the_knee(case: str) -> None:
    true, answer = found(case, 1, precision=0.2)
    assert answer.knee.low <= true <= answer.knee.high
    assert answer.knee.high - answer.knee.low <= 0.25 * true
    assert answer.saturation.rate.value == pytest.approx(CASES[case][0] / SERVICE_S, rel=0.05)
    assert answer.broken_by.resource == "host.cpu"


@pytest.mark.slow
@pytest.mark.verification
@pytest.mark.parametrize("case", list(CASES))
def test_ranges_hold_the_knee_as_often_as_they_say(case: str) -> None:
    answers = list(map(partial(found, case), range(1, 41)))
    held = sum(answer.knee.low <= true <= answer.knee.high for true, answer in answers)
    assert held >= binom.ppf(0.001, len(answers), 0.95)

"""Limits of single operations: decided by the latencies of the requests that enter there, with their intervals, in every command."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from helpers.mistakes import mistakes

import simvirt
from simvirt.density import density
from simvirt.density.length import requests_needed
from simvirt.plan import plan
from simvirt.report import density_report, limits, plan_report, run_report
from simvirt.runs.run import run
from simvirt.scenario.spec.models import Scenario

FAST, SLOW = "web.GET /", "web.checkout"


def of(objective: dict[str, Any], checkout: Any = "40ms", **more: Any) -> Scenario:
    """One request in ten takes ten times as long as the others, beside a database."""
    base = {
        "simvirt": 1, "name": "x", "host": {"cores": 4, "memory": "16GiB"}, "platforms": ["docker"],
        "services": {
            "web": {"threads": 16, "cpus": 2, "mem_limit": "1GiB", "operations": {
                "GET /": [{"cpu": "4ms"}], "checkout": [{"cpu": checkout}, {"call": "db.insert"}]}},
            "db": {"threads": 4, "cpus": 1, "mem_limit": "1GiB", "operations": {"insert": [{"cpu": "2ms"}]}},
        },
        "workload": {"open": {"rate": "50/s"}, "mix": {FAST: 9, SLOW: 1}}, "objective": objective,
        "run": {"duration": "40s", "replications": 4, "seed": 1},
    }
    return simvirt.loads(yaml.safe_dump(base | more))


def on(operation: str, **stated: str) -> dict[str, Any]:
    """Limits of one operation."""
    return {"operations": {operation: stated}}


def verdicts(objective: dict[str, Any], **more: Any) -> dict[str, str]:
    """What a run says of each limit."""
    found = run(of(objective, **more), maximum=False).typed().platforms["docker"].objective
    return {key: verdict.verdict for key, verdict in found.items()}


def test_each_operation_has_its_own_verdict() -> None:
    """What holds for all requests, and for the fast ones, does not hold for the slow ones."""
    objective = {"latency_p50": "20ms", "operations": {FAST: {"latency_p50": "20ms"}, SLOW: {"latency_p50": "20ms", "latency_mean": "1s"}}}
    assert verdicts(objective) == {
        "latency_p50": "met", f"latency_p50:{FAST}": "met", f"latency_p50:{SLOW}": "missed", f"latency_mean:{SLOW}": "met",
    }


def test_the_value_is_that_of_the_operation() -> None:
    scenario = of({"operations": {name: {"latency_p95": "1s", "latency_p999": "1s", "latency_mean": "1s"} for name in (FAST, SLOW)}})
    found = run(scenario, maximum=False).typed().platforms["docker"]
    for name in (FAST, SLOW):
        latency = found.operations[name].latency_s
        for measure in ("p95", "p999", "mean"):
            assert found.objective[f"latency_{measure}:{name}"].value == getattr(latency, measure).value


def test_a_verdict_is_undecided_where_the_interval_says_so() -> None:
    """A limit at the value itself, of a few requests whose time varies."""
    rare = {"workload": {"open": {"rate": "5/s"}, "mix": {FAST: 9, SLOW: 1}}, "checkout": {"exponential": "40ms"}}
    value = run(of(on(SLOW, latency_mean="1s"), **rare), maximum=False).typed().platforms["docker"].objective[f"latency_mean:{SLOW}"].value
    assert value is not None
    found = run(of(on(SLOW, latency_mean=f"{value * 1.02 * 1e6:.0f}us"), **rare), maximum=False).typed()
    verdict = found.platforms["docker"].objective[f"latency_mean:{SLOW}"]
    assert (verdict.verdict, verdict.met) == ("undecided", None)
    assert limits.undecided(found)[0].startswith(f"docker: mean of {SLOW} ≤ ")


def test_reports_and_answers_name_the_operation() -> None:
    found = run(of(on(SLOW, latency_p50="20ms")), maximum=False).typed()
    assert found.answer.startswith(f"docker misses p50 of {SLOW} ≤ 20 ms with ")
    sections = dict(run_report.sections(found))
    assert [row.label for row in sections["Objective"]] == [f"p50 of {SLOW} ≤ 20 ms"]
    rows = sections["Operations"]
    tail = rows[next(place for place, row in enumerate(rows) if row.label == SLOW) + 2]
    assert (tail.label.strip(), tail.cells[0].tone) == ("p50", "off")


def test_density_holds_it() -> None:
    """Few copies where the rare slow operation has a narrow limit, more where only the fast one has it."""
    narrow, wide = (density(of(on(name, latency_p95="60ms"))) for name in (SLOW, FAST))
    assert 0 < narrow.answers["docker"].n < wide.answers["docker"].n
    document = narrow.typed()
    assert document.density["docker"].objective[f"latency_p95:{SLOW}"].verdict == "holds"
    assert f"p95 of {SLOW}" in "".join(density_report.heading(document))


def test_a_rare_operation_needs_more_requests() -> None:
    scenario = of({"operations": {SLOW: {"latency_p99": "1s"}}})
    assert scenario.objective is not None
    assert requests_needed(scenario.objective, scenario.mix) == 100_000


def test_a_plan_holds_it() -> None:
    """The slow operation's limit takes what the fast one's does not; with several hosts its calls are delays and its latency the whole."""
    costs: dict[str, float] = {}
    for name in (SLOW, FAST):
        found = plan(of(on(name, latency_p50="60ms"), plan={"survive": 0}, run={"duration": "20s", "replications": 3, "seed": 1})).typed()
        best = found.alternatives[0]
        assert best.peak is not None
        costs[name] = best.peak.objective[f"latency_p50:{name}"].value or 0.0
        assert plan_report.report(found).blocks
    assert costs[SLOW] > 0.04 > costs[FAST] > 0.004


@pytest.mark.parametrize(("objective", "message"), [
    ({"operations": {"web.chekout": {"latency_p95": "1s"}}}, r'service "web" has no operation "chekout"; did you mean "web.checkout"'),
    ({"operations": {"db.insert": {"latency_p95": "1s"}}}, r"no request enters there; limits are those of operations in the mix: web.GET /, web.checkout"),
    ({"operations": {SLOW: {}}}, r"expected at least one of latency_mean"), ({"operations": {SLOW: {"p95": "1s"}}}, r'did you mean "latency_p95"'),
    ({"operations": {SLOW: {"throughput": "1/s"}}}, r"unknown key"), ({}, r"expected at least one of latency_mean.*operations"),
])
def test_mistakes_are_told(objective: dict[str, Any], message: str) -> None:
    plain = of({"latency_p50": "1s"}).model_dump(mode="json", by_alias=True, exclude_unset=True, include={"simvirt", "name"}) | {
        "host": {"cores": 4, "memory": "16GiB"}, "platforms": ["docker"],
        "services": {"web": {"operations": {"GET /": [{"cpu": "4ms"}], "checkout": [{"call": "db.insert"}]}}, "db": {"operations": {"insert": [{"cpu": "2ms"}]}}},
        "workload": {"open": {"rate": "50/s"}, "mix": {FAST: 9, SLOW: 1}}, "objective": objective,
    }
    assert re.search(message, "\n".join(mistakes(yaml.safe_dump(plain))))

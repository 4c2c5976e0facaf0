"""The load of guest kernels beside long jobs: gathered into fewer turns, it takes as much from them, for a fraction of the events."""

from __future__ import annotations

from typing import Any

import pytest
from helpers.support import COMPILED, replications, scenario, service

from simvirt.lowering import errands
from simvirt.lowering.errands import shortest_operation
from simvirt.metrics.outcome import Outcome
from simvirt.scenario.spec.models import Scenario


def jobs(step: dict[str, Any], rate: str, duration: str) -> Scenario:
    """Four VMs of one CPU each, to which jobs come."""
    services = {"worker": service(step, threads=1, scale=4, cpus=1, mem_limit="1GiB")}
    return scenario(services, {"open": {"rate": rate}}, {"duration": duration, "seed": 3}, platforms=["kvm"], host={"cores": 4})


def both_ways(spec: Scenario, monkeypatch: pytest.MonkeyPatch) -> tuple[Outcome, Outcome]:
    """As it is, and with every turn of the kernels' own load."""
    gathered, = replications(spec)
    with monkeypatch.context() as patch:
        patch.setattr(errands, "GATHERED", 10**12)
        every, = replications(spec)
    return gathered, every


@pytest.mark.skipif(not COMPILED, reason="some hundred thousand events")
def test_turns_are_fewer_and_take_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    gathered, every = both_ways(jobs({"cpu": {"exponential": "30s"}}, "4/min", "4h"), monkeypatch)
    assert 10 * gathered.events < every.events
    assert gathered.latency_mean_s == pytest.approx(every.latency_mean_s, rel=1e-3)
    assert gathered.utilisation == pytest.approx(every.utilisation, rel=1e-3)
    assert gathered.breakdown_s["virtualization"] == pytest.approx(every.breakdown_s["virtualization"], rel=0.05)


def test_where_requests_are_short_every_turn_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    gathered, every = both_ways(jobs({"cpu": {"exponential": "10ms"}}, "100/s", "2s"), monkeypatch)
    assert (gathered.events, gathered.latency_mean_s) == (every.events, every.latency_mean_s)


@pytest.mark.parametrize(("steps", "ns"), [
    ([{"cpu": {"gamma": {"mean": "3s", "cv": 0.5}}}, {"delay": "2s", "times": 2}], 7e9), ([{"lock": "log", "hold": [{"cpu": "2s"}]}], 2e9),
    ([{"parallel": [[{"cpu": "2s"}], [{"cpu": "5s"}]]}], 5e9), ([{"net": {"out": "1KiB"}}], 0.0), ([{"call": "other.job"}, {"cpu": "5s"}], 1e6),
])
def test_the_shortest_operation_that_requests_reach_counts(steps: list[dict[str, Any]], ns: float) -> None:
    services = {"worker": service(*steps), "other": service({"cpu": "1ms"})}
    spec = scenario(services, {"open": {"rate": "1/min"}, "mix": {"worker.job": 1}}, {"duration": "1min"})
    assert shortest_operation(spec) == pytest.approx(ns)

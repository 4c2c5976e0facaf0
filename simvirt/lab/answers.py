"""Answers that become more precise: a short run at once, then a longer one, each of the same scenario."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event
from typing import Final

from simvirt.metrics.steadiness import steady
from simvirt.result.run_document import RunDocument
from simvirt.runs.run import run
from simvirt.scenario import Scenario
from simvirt.scenario.rates import mean_rate
from simvirt.scenario.spec.experiment import RunSpec


@dataclass(frozen=True, slots=True)
class Rung:
    """How much is simulated for an answer: replications, and requests in each."""

    replications: int
    requests: int


RUNGS: Final = (Rung(3, 2_000), Rung(5, 20_000))
"""The first is meant for less than a second on two cores, the second for less than three, with four platforms."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A result, how long the question has been waiting for it [s], and whether no more precise one follows."""

    document: RunDocument
    after_s: float
    last: bool


def answers(scenario: Scenario, jobs: int, cancel: Event) -> Iterator[Answer]:
    """The answers to a scenario, from a quick one to a precise one; none after `cancel` is set, which stops what is under way.

    A load that varies is simulated as a whole, at once: a part of it would be another question.
    """
    started = time.perf_counter()
    lengths = _lengths(scenario)
    for n, length in enumerate(lengths):
        result = run(scenario.model_copy(update={"run": length}), jobs=jobs, maximum=False, cancel=cancel)
        if cancel.is_set():
            return
        yield Answer(result.typed(), time.perf_counter() - started, last=n == len(lengths) - 1)


def _lengths(scenario: Scenario) -> list[RunSpec]:
    """The lengths of the runs, each longer than the one before, none longer than the scenario's own."""
    if not steady(scenario) or scenario.workloads:
        return [scenario.run]
    return list(dict.fromkeys(_shortened(scenario, rung) for rung in RUNGS))


def _shortened(scenario: Scenario, rung: Rung) -> RunSpec:
    """A run with so many requests, if the scenario's own is not shorter."""
    own = scenario.run.model_copy(update={"precision": None, "replications": min(rung.replications, scenario.run.replications)})
    if own.requests is not None:
        return own.model_copy(update={"requests": min(own.requests, rung.requests)})
    if scenario.workload is None or scenario.workload.closed is not None:
        return own.model_copy(update={"duration": None, "requests": rung.requests, "warmup": None})
    wanted = int(rung.requests / mean_rate(scenario, 0.0) * 1e9)
    shorter = own.length_is_free or wanted < (own.duration or wanted)
    return own.lasting(wanted, warmup=None) if shorter else own

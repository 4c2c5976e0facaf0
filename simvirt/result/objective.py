"""The verdict on an objective: which limits it states, what a value says of one, and what an interval says of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simvirt.result.document import Estimate, Judgement, Verdict
from simvirt.scenario.spec.models import ObjectiveSpec

NS_PER_S: Final = 1e9
AT_LEAST: Final = ("throughput",)
"""Limits that hold above; all others hold below."""
HOLDS: Final = "holds"
MISSED: Final = "missed"
UNDECIDED: Final = "undecided"


def limits_of(objective: ObjectiveSpec | None) -> dict[str, float]:
    """The limits that an objective states, by name [s, per s, ratio]; none without an objective."""
    stated = objective.limits if objective is not None else {}
    return {name: limit / NS_PER_S if name.startswith("latency") else limit for name, limit in stated.items()}


def within(name: str, value: float, limit: float) -> bool:
    """Whether a value is within a limit."""
    return value >= limit if name in AT_LEAST else value <= limit


def verdicts(objective: ObjectiveSpec | None, value_of: Callable[[str], float | None]) -> dict[str, Verdict]:
    """Each limit, what came of it, and whether it is met; what nobody could measure is not."""
    values = {name: (limit, value_of(name)) for name, limit in limits_of(objective).items()}
    return {
        name: Verdict(limit=limit, value=value, met=value is not None and within(name, value, limit))
        for name, (limit, value) in values.items()
    }


def judged(name: str, estimate: Estimate, limit: float) -> Judgement:
    """What a 95 % interval says of a limit: held or missed by the whole interval, else undecided; no value is a miss."""
    if estimate.value is None:
        return MISSED
    if estimate.low is None or estimate.high is None:
        return UNDECIDED
    worse, better = (estimate.low, estimate.high) if name in AT_LEAST else (estimate.high, estimate.low)
    if within(name, worse, limit):
        return HOLDS
    return UNDECIDED if within(name, better, limit) else MISSED

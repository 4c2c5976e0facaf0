"""The verdict on an objective: which limits it states, what a value says of one, and what an interval says of one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from simvirt.result.document import Estimate, Judgement, Verdict
from simvirt.scenario.spec.experiment import MOST_REQUESTS
from simvirt.scenario.spec.models import ObjectiveSpec, RunSpec

NS_PER_S: Final = 1e9
AT_LEAST: Final = ("throughput",)
"""Limits that hold above; all others hold below."""
HOLDS: Final = "holds"
MET: Final = "met"
MISSED: Final = "missed"
UNDECIDED: Final = "undecided"
REPLICATIONS: Final = 5
"""Replications that a scenario has unless it says otherwise, enough for an interval."""
MOST_REPLICATIONS: Final = 1000
Setting = Callable[[float], str | None]
"""What to set in a scenario so that so many times as much is simulated."""
LOST: Final = Estimate(None, math.inf, math.inf)
"""What came of requests of which some ended and none was answered: no value, and beyond any limit."""
Unseen = Callable[[str], float | None]
"""How many times as much has to be simulated until enough requests come that a limit is about, of which none came; None if not known."""
MOST_LONGER: Final = 1000.0
"""A verdict that takes more than so many times as much is not worth a number."""


def limits_of(objective: ObjectiveSpec | None) -> dict[str, float]:
    """The limits that an objective states, by name [s, per s, ratio]; none without an objective."""
    stated = objective.limits if objective is not None else {}
    return {name: limit / NS_PER_S if name.startswith("latency") else limit for name, limit in stated.items()}


def within(name: str, value: float, limit: float) -> bool:
    """Whether a value is within a limit."""
    return value >= limit if name in AT_LEAST else value <= limit


def holds(name: str, verdict: Verdict) -> bool:
    """Whether the value of a limit is within it, be that sure or not; one that no request told anything about holds nothing up."""
    return verdict.met is None if verdict.value is None else within(name, verdict.value, verdict.limit)


def verdicts(
    objective: ObjectiveSpec | None, estimate_of: Callable[[str], Estimate], short_by: float = 1.0, setting: Setting = lambda factor: None,
    unseen: Unseen = lambda name: None,
) -> dict[str, Verdict]:
    """Each limit, what came of it, and what its interval says of it.

    `short_by` is the factor by which a run has to be longer for its intervals to be believed: they count as wider by its root.
    """
    return {name: _verdict(name, estimate_of(name), limit, short_by, setting, unseen) for name, limit in limits_of(objective).items()}


def _verdict(name: str, estimate: Estimate, limit: float, short_by: float, setting: Setting, unseen: Unseen) -> Verdict:
    """What came of one limit."""
    wide = widened(estimate, math.sqrt(short_by))
    found = judged(name, wide, limit)
    if found != UNDECIDED:
        return Verdict(limit=limit, value=estimate.value, met=found == HOLDS, verdict=MET if found == HOLDS else MISSED)
    longer = effort(estimate, limit, short_by)
    if estimate.value is None and (factor := unseen(name)) is not None:
        longer = _rounded(max(factor, short_by))
    more = {} if (option := _option(estimate, longer, setting)) is None else {"setting": option}
    return Verdict(limit=limit, value=estimate.value, met=None, verdict=UNDECIDED, longer=longer, **more)


def effort(estimate: Estimate, limit: float, short_by: float = 1.0) -> float | None:
    """How many times as much has to be simulated until a limit is likely to be decided, with two digits; None where that is not known."""
    longer = _longer(estimate, limit)
    return None if longer is None else _rounded(max(longer, short_by))


def _option(estimate: Estimate, longer: float | None, setting: Setting) -> str | None:
    """What to set for so much more; of one replication, which has no interval, that there are several."""
    if longer is not None:
        return setting(longer)
    return f"run.replications={REPLICATIONS}" if estimate.value is not None and estimate.low is None else None


def replicated(replications: int, factor: float) -> str | None:
    """What to set for so many times as many replications; None where there cannot be as many."""
    wanted = math.ceil(replications * factor)
    return f"run.replications={wanted}" if wanted <= MOST_REPLICATIONS else None


def extended(run: RunSpec, simulated_s: float, factor: float) -> str | None:
    """What to set for a run that lasts so many times as long as the one that simulated so much."""
    if run.requests is not None:
        wanted = math.ceil(run.requests * factor)
        return f"run.requests={wanted}" if wanted <= MOST_REQUESTS else None
    return f"run.duration={math.ceil(simulated_s * factor)}s"


def widened(estimate: Estimate, factor: float) -> Estimate:
    """An estimate whose interval is so many times as wide."""
    if factor == 1 or estimate.value is None or estimate.low is None or estimate.high is None:
        return estimate
    value = estimate.value
    return Estimate(value, value - factor * (value - estimate.low), value + factor * (estimate.high - value))


def _longer(estimate: Estimate, limit: float) -> float | None:
    """How many times as much has to be simulated until the interval is likely to end before the limit: its width falls with the root."""
    if estimate.value is None or estimate.low is None or estimate.high is None or estimate.value == limit:
        return None
    half = estimate.high - estimate.value if limit > estimate.value else estimate.value - estimate.low
    return (half / (estimate.value - limit)) ** 2


def _rounded(factor: float) -> float | None:
    """A factor with two digits, rounded up; None where it is of no use."""
    if factor > MOST_LONGER:
        return None
    unit = 10.0 ** (math.floor(math.log10(max(factor, 1.0))) - 1)
    return round(math.ceil(max(factor, 1.1) / unit - 1e-9) * unit, 6)


def judged(name: str, estimate: Estimate, limit: float) -> Judgement:
    """What a 95 % interval says of a limit: held or missed by the whole interval, else undecided; what is lost is a miss."""
    if estimate.value is None:
        return MISSED if estimate == LOST else UNDECIDED
    if estimate.low is None or estimate.high is None:
        return UNDECIDED
    worse, better = (estimate.low, estimate.high) if name in AT_LEAST else (estimate.high, estimate.low)
    if within(name, worse, limit):
        return HOLDS
    return UNDECIDED if within(name, better, limit) else MISSED

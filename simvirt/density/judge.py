"""Whether n instances hold the objective: each limit against the 95 % interval of its estimate over replications.

*Model*: a limit holds when the interval lies within it as a whole, is missed when the interval lies beyond it as a whole, and is undecided
    otherwise, unless each replication misses it by far: few replications have wide intervals.
    A replication that was given up, a backlog that grows in most of them, and whatever an OOM killer kills miss the objective.
*Ignores*: that looking several times, while replications are added, makes a wrong verdict somewhat likelier than 5 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from simvirt.metrics.outcome import Outcome
from simvirt.metrics.statistics import student
from simvirt.metrics.steadiness import overloaded as piles_up
from simvirt.metrics.summary import estimate_of
from simvirt.result.document import Estimate, Judgement
from simvirt.result.objective import AT_LEAST, HOLDS, MISSED, UNDECIDED, judged, limits_of, widened
from simvirt.runs.replicate import Measured
from simvirt.scenario.spec.models import ObjectiveSpec

FAR = 2.0
"""A limit that each replication misses by this factor is missed: each has a hundred requests beyond the quantile."""
OVERLOAD = "overload"
"""The check that fails where requests come faster than they are answered."""
ANSWERED = 0.9
"""Share of the requests so far that is answered at least where they do not pile up."""
OOM = "oom"
"""The check that fails where memory runs out and something is killed."""


@dataclass(frozen=True)
class Check:
    """One limit and what came; times in seconds."""

    name: str
    limit: float
    estimate: Estimate
    verdict: Judgement

    @property
    def excess(self) -> float:
        """By what factor the value misses the limit; below 1 where it does not."""
        return self._over(self.estimate.value)

    @property
    def bound_excess(self) -> float:
        """The same of the end of the interval that the verdict looks at; of a missed limit of the value, as its interval may be wide."""
        if self.verdict == MISSED:
            return max(self.excess, 1.0)
        return self._over(self._worse_end)

    def bound_after(self, replications: int, most: int) -> float:
        """What `bound_excess` would be after `most` replications with the mean and spread of these."""
        value, end = self.estimate.value, self._worse_end
        if value is None or end is None:
            return 0.0
        narrower = student(most - 1) / student(replications - 1) * math.sqrt(replications / most)
        return self._over(value + narrower * (end - value))

    @property
    def _worse_end(self) -> float | None:
        """The end of the interval that lies nearer to the limit, or beyond it."""
        return self.estimate.low if self.name in AT_LEAST else self.estimate.high

    def _over(self, value: float | None) -> float:
        """The factor by which a value misses the limit."""
        if value is None:
            return float("inf")
        worse, limit = (self.limit, value) if self.name in AT_LEAST else (value, self.limit)
        return worse / limit if limit > 0 else float("inf") if worse > 0 else 0.0


def checks_of(objective: ObjectiveSpec, outcomes: Sequence[Outcome], wider: float = 1.0) -> list[Check]:
    """Each limit of the objective; verdicts count intervals as so many times as wide."""
    return [_check(name, limit, outcomes, wider) for name, limit in limits_of(objective).items()]


def _check(name: str, limit: float, outcomes: Sequence[Outcome], wider: float) -> Check:
    """A limit against its interval; missed too where each of several replications misses it by `FAR`, however wide the interval is."""
    estimate = estimate_of(name, outcomes)
    found = Check(name, limit, estimate, judged(name, widened(estimate, wider), limit))
    alone = (replace(found, estimate=estimate_of(name, [outcome])) for outcome in outcomes)
    unsure = len(outcomes) > 1 and found.verdict == UNDECIDED and estimate.value is not None
    far = unsure and all(one.excess >= FAR for one in alone)
    return replace(found, verdict=MISSED) if far else found


def overloaded(measured: Sequence[Measured]) -> bool:
    """Whether a replication was given up or filled its tables, or the backlog grows in most of them."""
    return any(m.given_up for m in measured) or piles_up([m.outcome for m in measured])


def piling_up(measured: Sequence[Measured]) -> bool:
    """Whether requests come faster than they are answered, which a replication may be given up for, or for a limit that is far away."""
    cut = [m.outcome for m in measured if m.given_up]
    behind = any(o.throughput_per_s < ANSWERED * o.offered_per_s or o.unstable is not None for o in cut)
    return behind or overloaded([m for m in measured if not m.given_up])


def kills_of(measured: Sequence[Measured]) -> list[str]:
    """What OOM killers did, in words."""
    return [kill for m in measured if m.outcome.reclaim is not None for kill in m.outcome.reclaim[1]]


def verdict(objective: ObjectiveSpec, measured: Sequence[Measured], wider: float = 1.0) -> Judgement:
    """Whether the objective holds, is missed, or is not decided yet; intervals count as so many times as wide."""
    if overloaded(measured) or kills_of(measured):
        return MISSED
    found = [check.verdict for check in checks_of(objective, [m.outcome for m in measured], wider)]
    return MISSED if MISSED in found else UNDECIDED if UNDECIDED in found else HOLDS


def failing(objective: ObjectiveSpec, measured: Sequence[Measured]) -> str:
    """The name of the limit that is missed by most; `oom` where something was killed, `overload` where requests pile up."""
    if kills_of(measured):
        return OOM
    found = [c for c in checks_of(objective, [m.outcome for m in measured]) if c.verdict != HOLDS]
    return max(found, key=lambda c: c.excess).name if found else OVERLOAD

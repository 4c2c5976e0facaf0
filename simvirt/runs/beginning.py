"""What a search for the maximum throughput takes from replications that are known: a first guess, sustained rates, times to hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from simvirt.metrics.outcome import Outcome
from simvirt.metrics.summary import average, averages
from simvirt.runs.probe import LONG_RUN, TRIAL, Case, of_raised
from simvirt.scenario.spec.models import Scenario

AWAY: Final = 0.02
"""How far above what is likely to be the maximum rates are looked at."""

TRIALS: Final = 3
"""Trials of a rate, with other draws, where it is a matter of chance: it is kept up with in all of them, in none, or by chance."""


@dataclass(frozen=True)
class Sustained:
    """A rate that is sustained [per second], utilisations and the share lost there, whether a long run and how many with chance say so.

    And whether OOM killers ended replicas meanwhile, and whether a backlog was worked off.
    """

    rate: float = 0.0
    used: Mapping[str, float] = field(default_factory=dict)
    lost: float = 0.0
    long: bool = False
    trials: int = 0
    killed: bool = False
    worked_off: bool = False


NONE: Final = Sustained()


def longest_ns(scenario: Scenario, case: Case) -> float:
    """The longest of what repeats, and of the time that a request takes where nothing contends [ns]."""
    backgrounds = [spec.background for spec in scenario.services.values() if spec.background is not None]
    return max([float(case.period_ns), 1e9 * case.alone_s, *(float(b.period) for b in backgrounds if b.duty < 1)])


def alone_s(outcomes: Sequence[Outcome]) -> float:
    """The time that a request takes where nothing contends [s]."""
    return sum(average([o.breakdown_s.get(part) for o in outcomes]) or 0.0 for part in ("cpu", "virtualization", "network", "delay"))


def proven(scenario: Scenario, outcomes: Sequence[Outcome]) -> Iterator[Sustained]:
    """The rate that replications no shorter than a trial kept up with."""
    if sum(o.requests for o in of_raised(scenario, outcomes)) >= TRIAL.arrivals:
        yield from kept_up_with(scenario, outcomes)


def kept_up_with(scenario: Scenario, outcomes: Sequence[Outcome]) -> Iterator[Sustained]:
    """The rate that replications kept up with; none where one did not, or the rate was not steady."""
    workload = next(iter(scenario.alone.values())).workload
    rate = workload.open.rate if workload is not None and workload.open is not None else None
    kept_up = all(o.unstable is None and o.full_at_s is None and o.rejected + o.failed == 0 for o in outcomes)
    if rate is not None and not scenario.changes and kept_up:
        yield Sustained(rate, used(outcomes), 0.0, True, TRIALS)


def carried(scenario: Scenario, outcomes: Sequence[Outcome]) -> float:
    """The rate that replications kept up with, of which there are enough for an end of a range [per second]; 0 where none is known."""
    enough = sum(o.requests for o in of_raised(scenario, outcomes)) >= LONG_RUN.least
    return max((one.rate for one in kept_up_with(scenario, outcomes)), default=0.0) if enough else 0.0


def used(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Utilisation of each resource, averaged over replications."""
    return {name: value or 0.0 for name, value in averages([o.resources for o in outcomes]).items()}


def guessed(scenario: Scenario, outcomes: Sequence[Outcome]) -> float:
    """What is likely not to be sustained [per second]: above what an overloaded run answered, or what the utilisation law says."""
    raised = of_raised(scenario, outcomes)
    answered = average([o.throughput_per_s for o in raised]) or 0.0
    offered = average([o.offered_per_s for o in raised]) or 0.0
    if any(o.unstable is not None or o.full_at_s is not None for o in outcomes):
        return (1 + AWAY) * (answered or offered)
    return (1 + AWAY) * (answered or offered) / min(max(*used(outcomes).values(), 1e-6), 1.0)

"""One scenario, the knee of each of its platforms: searches side by side, their simulations on common workers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from threading import Event
from typing import Final

from simvirt.density.answer import Binding
from simvirt.density.binding import binding_at
from simvirt.density.platforms import Step
from simvirt.density.relief import REQUEST
from simvirt.density.trials import TIMES, Point
from simvirt.errors import UsageError
from simvirt.knee import load
from simvirt.knee.answer import Answer, KneeResult
from simvirt.knee.search import Range, guessed, range_of
from simvirt.knee.trials import RateTrials
from simvirt.metrics.saturated import Saturation, saturated_resource
from simvirt.metrics.summary import averages
from simvirt.result import figures
from simvirt.result.objective import MOST_REPLICATIONS
from simvirt.runs.admission import assumptions, catalog_of
from simvirt.runs.saturation import saturation
from simvirt.runs.side_by_side import side_by_side
from simvirt.scenario.spec.models import PlatformSpec, Scenario
from simvirt.workload.processors import on_host

PRECISION: Final = 0.05
BUSY: Final = 0.5
"""Utilisation from which a resource, and not the work of a request alone, breaks the objective."""
WIDE: Final = 1.2
"""A range that is so many times as wide as was asked for is worth a warning."""
NO_OBJECTIVE_MET: Final = "the objective is met at no load"
Progress = Callable[[Step], None]


def knee(scenario: Scenario, precision: float = PRECISION, jobs: int = 1, progress: Progress | None = None) -> KneeResult:
    """The rate at which the scenario's objective breaks on each platform: where it is surely met, and where it is surely missed.

    `precision` is how wide the range between the two may be, over its upper end; it is wider where replications do not decide more.
    `jobs` simulations run at a time, 0 for one per CPU; it changes no number. ScenarioError where the scenario does not fit the
    catalogue, UsageError where it has no objective or a load that cannot be raised. A platform that fails leaves the others their
    answers and its reason in `failed`. Ctrl-C keeps the platforms that are answered; KeyboardInterrupt when there are none.
    """
    started = time.perf_counter()
    load.check(scenario)
    if not 0 < precision < 1:
        raise UsageError(f"precision: expected a ratio between 0 and 1, for example 0.02, which is 2 %; got {precision}")
    catalog, result = catalog_of(scenario), KneeResult(scenario, precision, load.is_of_clients(scenario), {})
    result.assumptions = assumptions(scenario, catalog)
    if scenario.timeline:
        result.notes.append("the timeline takes no part in a search for the knee")
    if scenario.adapts:
        result.notes.append("autoscalers take no part in a search for the knee: replicas, CPUs and hosts are as many as at first")
    scenario = on_host(scenario.fixed, catalog, scenario.first_host)

    def answer(spec: PlatformSpec, pool: Executor, halt: Event) -> Answer:
        platform = catalog.platform(spec)
        trials = RateTrials(scenario, catalog, platform, load.unit_of(scenario, catalog, platform), pool, halt)
        return _answer(trials, precision, progress)

    found = side_by_side(scenario.platforms, jobs, answer)
    result.answers, result.failed, result.interrupted = found.answers, found.failed, found.interrupted
    result.notes += [note for name, answer in found.answers.items() for note in _wide(name, answer, precision)]
    result.wall_s = time.perf_counter() - started
    return result


def _wide(name: str, answer: Answer, precision: float) -> Iterator[str]:
    """That a range is wider than was asked for, and what narrows it."""
    low, high = answer.range.low, answer.range.high
    if low and high is not None and high - low > max(WIDE * precision * high, 1.0):
        wide = (high - low) / high
        more = math.ceil(answer.most / TIMES * (wide / precision) ** 2)
        setting = f" (--set run.replications={more})" if more <= MOST_REPLICATIONS else ""
        yield f"{name}: what lies between is undecided, so that the range is {wide:.1%} wide; more replications narrow it{setting}"


def _answer(trials: RateTrials, precision: float, progress: Progress | None) -> Answer:
    """The answer of one platform."""
    started, course = time.perf_counter(), Course(trials, precision, progress)
    trials.told = lambda point: course.tell()
    first = load.first_of(trials.scenario, trials.catalog, trials.platform, trials.unit)
    found = range_of(trials, first, precision, course.narrowed)
    missed = trials.points[found.high] if found.high is not None else None
    binding = _binding(trials, missed) if missed is not None else None
    likely = guessed(trials, found.low, found.high) if found.low and found.high is not None else None
    points = [trials.points[n] for n in sorted(trials.points)]
    saturated = _saturation(trials, found)
    if likely is not None and saturated.per_s is not None and trials.unit.rate_per_s is not None:
        most = saturated.per_s / trials.unit.rate_per_s  # beyond which nothing holds in the long run
        likely = max(min(likely, most), float(found.low))
    return Answer(
        trials.platform.name, trials.unit, found, likely, points, saturated, binding, trials.simulations, time.perf_counter() - started,
        trials.most,
    )


def _binding(trials: RateTrials, missed: Point) -> Binding:
    """What breaks the objective; the resource that is used most where several are needed together, so that none helps alone."""
    found = binding_at(trials, missed)
    used = averages([outcome.resources for outcome in missed.outcomes])
    busiest = saturated_resource(missed.scenario, used)
    if found.reliefs and found.resource == found.reliefs[0].resource:
        helps = "with twice as much of it the objective holds there" if found.reliefs[0].holds else "twice as much of it helps most"
        return replace(found, why=helps)
    if found.resource != REQUEST or busiest is None or used[busiest] < BUSY:
        return found
    why = f"{figures.percent(used[busiest])} of it is used, and no resource, doubled alone, helps"
    return Binding(busiest, found.check, why, found.reliefs)


def _saturation(trials: RateTrials, found: Range) -> Saturation:
    """The saturation rate, searched from the highest rate at which the objective is met."""
    at = trials.points.get(found.low) or _lightest(trials)
    outcomes = [measured.outcome for measured in at.measured if not measured.given_up]
    if not outcomes:
        return Saturation(reason=NO_OBJECTIVE_MET)
    return saturation(at.scenario, trials.catalog, trials.platform, trials.scenario.run.seed, outcomes, trials.halt)


def _lightest(trials: RateTrials) -> Point:
    return trials.points[min(trials.points)]


@dataclass
class Course:
    """What is reported of a search while it goes on."""

    trials: RateTrials
    precision: float
    progress: Progress | None
    low: int = 0
    high: int = 0
    widest: float = 1.0

    def narrowed(self, low: int, high: int) -> None:
        """Takes a new range in."""
        self.low, self.high = low, high
        self.widest = max(self.widest, self._steps)
        self.tell()

    @property
    def _steps(self) -> float:
        """Halvings that are left."""
        return math.log2(max((self.high - self.low) / (self.precision * self.high), 1.0)) if self.high else 0.0

    def tell(self) -> None:
        """How far the search is."""
        if self.progress is None:
            return
        per = self.trials.unit.rate_per_s or 1.0
        done = 0.9 * (1 - self._steps / self.widest) if self.high else 0.0
        name, simulations = self.trials.platform.name, self.trials.simulations
        self.progress(Step(name, 0, round(self.low * per), round(self.high * per), simulations, done))

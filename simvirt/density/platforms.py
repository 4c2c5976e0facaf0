"""One scenario, the density of each of its platforms: searches side by side, their simulations on common workers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from threading import Event

from simvirt.density.answer import Answer, Binding, DensityResult
from simvirt.density.binding import binding_at
from simvirt.density.bounds import END, Bound, end_of_search, lowest
from simvirt.density.copies import unit_of
from simvirt.density.each_host import each_host
from simvirt.density.hosts import carriers
from simvirt.density.ledger import ledger, ledgers, limits
from simvirt.density.search import Edge, edge_of, fill_curve, soft_bounds
from simvirt.density.trials import Point, Trials
from simvirt.lowering.memory_needs import follows
from simvirt.result.density_document import HostAnswer
from simvirt.runs.admission import assumptions, catalog_of
from simvirt.runs.side_by_side import side_by_side
from simvirt.scenario.spec.models import PlatformSpec, Scenario
from simvirt.workload.processors import on_host

SPENT = "work"
"""What binds where the search ended before its edge."""
CROWDED = 0.01
"""Share of rejected requests at the answer that is worth a warning."""


@dataclass(frozen=True)
class Step:
    """How far the search of a platform is."""

    platform: str
    n: int
    low: int
    high: int
    simulations: int
    done_ratio: float


Progress = Callable[[Step], None]


def density(scenario: Scenario, jobs: int = 1, progress: Progress | None = None) -> DensityResult:
    """The largest n on each platform that holds the scenario's objective with 95 % confidence.

    `jobs` simulations run at a time, 0 for one per CPU; it changes no number. ScenarioError where the scenario does not fit the
    catalogue, UsageError where it has no objective or a load that does not grow. A platform that fails leaves the others their answers
    and its reason in `failed`; where all fail, the first mistake of the user is raised, else a SimulationError that says what failed on
    each. Ctrl-C keeps the platforms that are answered; KeyboardInterrupt when there are none.
    """
    started = time.perf_counter()
    catalog, result = catalog_of(scenario), DensityResult(scenario, unit_of(scenario), {})
    result.assumptions = assumptions(scenario, catalog)
    if scenario.timeline:
        result.notes.append("the timeline takes no part in a search for the density")
    if scenario.adapts:
        result.notes.append("autoscalers take no part in a search for the density: replicas, CPUs and hosts are as many as at first")
    scenario = on_host(scenario.fixed, catalog, scenario.first_host)

    def answer(spec: PlatformSpec, pool: Executor, halt: Event) -> Answer:
        return _answer(Trials(scenario, catalog, catalog.platform(spec), result.unit, pool, halt), progress)

    found = side_by_side(scenario.platforms, jobs, answer)
    result.answers, result.failed, result.interrupted = found.answers, found.failed, found.interrupted
    result.wall_s = time.perf_counter() - started
    return result


def _answer(trials: Trials, progress: Progress | None) -> Answer:
    """The answer of one platform."""
    started = time.perf_counter()
    bracket = Bracket(trials, progress)
    trials.told = lambda point: bracket.tell()
    bracket.tell()
    scenario, unit, platform = trials.scenario, trials.unit, trials.platform
    hard = [*limits(scenario, trials.catalog, platform, unit), end_of_search(unit)]
    edge = edge_of(trials, lowest(hard), bracket.narrowed)
    fill_curve(trials, edge.n)
    binding = _binding(trials, edge, lowest(hard))
    points = [trials.points[n] for n in sorted(trials.points)]
    bounds = [*hard, *_soft(trials, edge.n)]
    rest = [bound for bound in bounds if bound.resource not in (binding.resource, END) and bound.most >= edge.n]
    bracket.end(edge.n)
    return Answer(
        platform.name, edge.n, binding, lowest(rest) if rest else None, bounds, points,
        {n: ledger(scenario, trials.catalog, platform, unit, n) for n in {edge.n, *trials.points}},
        trials.simulations, time.perf_counter() - started,
        [*edge.remarks, *_remarks(trials.points.get(edge.n)), *_effort(trials)], _hosts(trials, trials.points.get(edge.n)), edge.open_to,
    )


def _hosts(trials: Trials, point: Point | None) -> dict[str, HostAnswer]:
    """Each of several hosts at a point, by its name."""
    scenario = trials.scenario
    if point is None or not point.outcomes or not scenario.several_hosts:
        return {}
    hosts = carriers(scenario, trials.catalog, trials.platform, trials.unit, point.n)
    return each_host(hosts, ledgers(hosts, follows(scenario, trials.platform)), point, trials.unit, trials.catalog)


def _soft(trials: Trials, n: int) -> list[Bound]:
    """Soft bounds, those of shared services from the largest point that holds, else from the smallest."""
    point = trials.points.get(n) or trials.points.get(1)
    return soft_bounds(trials, point) if point is not None else []


def _binding(trials: Trials, edge: Edge, hard: Bound) -> Binding:
    """What n + 1 fails: a hard bound, or a limit of the objective, with the resource whose doubling helps most."""
    point = edge.beyond
    if point is None and edge.open_to is not None:
        return Binding(SPENT, SPENT, f"the work of a search is spent; {edge.n:,} hold, {edge.open_to:,} do not fit")
    if point is None:
        return Binding(hard.resource, hard.resource, hard.why)
    return binding_at(trials, point)


def _remarks(point: Point | None) -> list[str]:
    """What makes an answer misleading."""
    if point is None or not point.outcomes:
        return []
    rejected = sum(o.rejected for o in point.outcomes) / len(point.outcomes)
    stated = point.scenario.objective is not None and point.scenario.objective.rejected is not None
    if rejected > CROWDED and not stated:
        return [f"{rejected:.1%} of the requests are rejected at {point.n}; objective.rejected limits that"]
    return []


def _effort(trials: Trials) -> list[str]:
    """What was done to simulate rare requests."""
    points = trials.points.values()
    faster, cut = max((p.times for p in points), default=1.0), sorted(p.n for p in points if p.cut)
    found = []
    if faster > 1:
        found.append(f"rare requests were simulated up to {faster:,.3g} times as often as stated, where they hardly ever meet")
    if cut:
        found.append(f"simulations of {len(cut)} n, such as {cut[0]:,}, are shorter than the objective asks for: idle instances take work")
    return found


@dataclass
class Bracket:
    """What is reported of a search while it goes on: it is done when high - low is 1."""

    trials: Trials
    progress: Progress | None
    low: int = 0
    high: int = 0
    widest: float = 1.0

    def narrowed(self, low: int, high: int) -> None:
        """Takes a new bracket in."""
        self.low, self.high, self.widest = low, high, max(self.widest, math.log2(max(high - low, 1)))
        self.tell()

    def end(self, n: int) -> None:
        """The search is over."""
        self.low = self.high = n
        self._say(1.0)

    def tell(self) -> None:
        """How far the search is."""
        self._say(0.9 * (1 - math.log2(max(self.high - self.low, 1)) / self.widest) if self.high else 0.0)

    def _say(self, done: float) -> None:
        if self.progress is not None:
            n = max(self.trials.points, default=0)
            self.progress(Step(self.trials.platform.name, n, self.low, self.high, self.trials.simulations, done))

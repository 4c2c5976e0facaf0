"""One scenario, the density of each of its platforms: searches side by side, their simulations on common workers."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event

from simvirt.catalog import Catalog
from simvirt.density.answer import Answer, Binding, DensityResult
from simvirt.density.bounds import END, Bound, end_of_search, lowest
from simvirt.density.copies import unit_of
from simvirt.density.judge import OOM, failing, kills_of
from simvirt.density.ledger import MEMORY, ledger, limits
from simvirt.density.relief import HELPS, REQUEST, excess_of, reliefs
from simvirt.density.search import Edge, edge_of, fill_curve, soft_bounds
from simvirt.density.trials import Point, Trials
from simvirt.errors import ScenarioError, SimulationError, UsageError
from simvirt.plane import Stopped
from simvirt.runs.admission import catalog_of
from simvirt.runs.pool import workers
from simvirt.scenario.spec.models import Scenario

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

    `jobs` simulations run at a time; their number changes nothing in the result. ScenarioError where the scenario does not fit the
    catalogue, UsageError where it has no objective or a load that does not grow, SimulationError where no platform could be simulated,
    while one that could not be leaves the others as they are. Ctrl-C keeps the platforms that are answered;
    KeyboardInterrupt when there are none.
    """
    started = time.perf_counter()
    catalog, result = catalog_of(scenario), DensityResult(scenario, unit_of(scenario), {})
    if scenario.timeline:
        result.notes.append("the timeline takes no part in a search for the density")
    found: list[Future[Answer]] = []
    try:
        _search(result, catalog, jobs, progress, found)
    except KeyboardInterrupt:
        result.interrupted = True
    result.answers = {answer.platform: answer for answer in _complete(found)}
    if not result.answers and result.failed and not result.interrupted:
        raise SimulationError("; ".join(f"{name}: {reason}" for name, reason in result.failed.items()))
    if not result.answers:
        raise KeyboardInterrupt
    result.wall_s = time.perf_counter() - started
    return result


def _search(result: DensityResult, catalog: Catalog, jobs: int, progress: Progress | None, found: list[Future[Answer]]) -> None:
    """Search on every platform side by side; `found` holds what there is, also of an interrupted search."""
    scenario, halt = result.scenario, Event()
    with workers(len(scenario.platforms), halt) as searches, workers(jobs, halt) as pool:
        for spec in scenario.platforms:
            trials = Trials(scenario, catalog, catalog.platform(spec), result.unit, pool, halt)
            found.append(searches.submit(_answer, trials, progress))
        for spec, future in zip(scenario.platforms, found, strict=True):
            _await(result, spec.name, future)


def _await(result: DensityResult, name: str, future: Future[Answer]) -> None:
    """Wait for a platform's answer; that it could not be found leaves the others as they are."""
    try:
        future.result()
    except (ScenarioError, UsageError, Stopped):
        raise
    except Exception as error:
        result.failed[name] = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _complete(found: Sequence[Future[Answer]]) -> list[Answer]:
    """The answers that are complete; all of them unless interrupted."""
    return [future.result() for future in found if future.done() and not future.cancelled() and future.exception() is None]


def _answer(trials: Trials, progress: Progress | None) -> Answer:
    """The answer of one platform."""
    started = time.perf_counter()
    scenario, unit, platform = trials.scenario, trials.unit, trials.platform
    hard = [*limits(scenario, trials.catalog, platform, unit), end_of_search(unit)]
    edge = edge_of(trials, lowest(hard), _narrowing(trials, progress))
    fill_curve(trials, edge.n)
    binding = _binding(trials, edge, lowest(hard))
    points = [trials.points[n] for n in sorted(trials.points)]
    bounds = [*hard, *_soft(trials, edge.n)]
    rest = [bound for bound in bounds if bound.resource not in (binding.resource, END) and bound.most >= edge.n]
    _tell(trials, progress, edge.n, edge.n, 1.0)
    return Answer(
        platform.name, edge.n, binding, lowest(rest) if rest else None, bounds, points,
        {n: ledger(scenario, trials.catalog, platform, unit, n) for n in {edge.n, *trials.points}},
        trials.simulations, time.perf_counter() - started,
        [*edge.remarks, *_remarks(trials.points.get(edge.n))],
    )


def _soft(trials: Trials, n: int) -> list[Bound]:
    """Soft bounds, those of shared services from the largest point that holds, else from the smallest."""
    point = trials.points.get(n) or trials.points.get(1)
    return soft_bounds(trials, point) if point is not None else []


def _binding(trials: Trials, edge: Edge, hard: Bound) -> Binding:
    """What n + 1 fails: a hard bound, or a limit of the objective, with the resource whose doubling helps most."""
    point = edge.beyond
    if point is None:
        return Binding(hard.resource, hard.resource, hard.why)
    assert point.scenario.objective is not None
    check = failing(point.scenario.objective, point.measured)
    if check == OOM:
        return Binding(MEMORY, OOM, kills_of(point.measured)[0])
    found = reliefs(trials, point)
    before, _ = excess_of(point)
    if not found or found[0].excess > HELPS * before:
        return Binding(REQUEST, check, "no resource of the host, doubled, brings it nearer to the objective", tuple(found))
    best = found[0]
    if best.holds:
        return Binding(best.resource, check, f"twice as much of it, and {point.n} hold the objective", tuple(found))
    return Binding(best.resource, check, f"twice as much of it brings {point.n} nearest to the objective", tuple(found))


def _remarks(point: Point | None) -> list[str]:
    """What makes an answer misleading."""
    if point is None or not point.outcomes:
        return []
    rejected = sum(o.rejected for o in point.outcomes) / len(point.outcomes)
    stated = point.scenario.objective is not None and point.scenario.objective.rejected is not None
    if rejected > CROWDED and not stated:
        return [f"{rejected:.1%} of the requests are rejected at {point.n}; objective.rejected limits that"]
    return []


def _narrowing(trials: Trials, progress: Progress | None) -> Callable[[int, int], None]:
    """What follows the bracket of a search: it is done when high - low is 1."""
    widest = [1.0]

    def narrowed(low: int, high: int) -> None:
        width = math.log2(max(high - low, 1))
        widest[0] = max(widest[0], width)
        _tell(trials, progress, low, high, 0.9 * (1 - width / widest[0]))

    return narrowed


def _tell(trials: Trials, progress: Progress | None, low: int, high: int, done: float) -> None:
    if progress is not None:
        n = max(trials.points, default=0)
        progress(Step(trials.platform.name, n, low, high, trials.simulations, done))

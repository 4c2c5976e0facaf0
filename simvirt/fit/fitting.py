"""Demands from points: regressions of what was used on what was executed, then the demands that use as much on the simulated platform.

*Model*: what the platform adds is no factor that is assumed: the simulator runs the measured load on the platform where it was measured,
    the same regression is made of what it used, and demands are moved until both agree (indirect inference), one secant for each group of
    operations. Demands of a run that counts CPU time always have their means, so that no noise of draws stands between.
*Ignores*: what a service does beside requests, which the constant of the regression takes up and which is told.
*Source*: Denning and Buzen 1978 (the utilisation law); Gourieroux, Monfort and Renault, Indirect Inference, Journal of Applied
    Econometrics 8 (1993).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simvirt.errors import UsageError
from simvirt.fit.answer import FitResult, Group
from simvirt.fit.latency import by_latency
from simvirt.fit.observed import observed
from simvirt.fit.regression import Fitted
from simvirt.fit.scaling import work_s
from simvirt.fit.simulating import Laboratory
from simvirt.fit.targets import Target, targets
from simvirt.measurements.points import Point
from simvirt.measurements.reading import points as read
from simvirt.scenario.graph import Name
from simvirt.scenario.spec.models import Scenario

CLOSE: Final = 2e-3
"""Relative difference at which a simulated use is the measured one."""
MOST_STEPS: Final = 10
APART: Final = 0.05
"""Relative difference of two demands from which they tell how use grows; a platform adds at least nothing to it."""
LEAST: Final = 1e-3
"""A demand below so much of the measured use is none: the platform alone takes as much."""


@dataclass
class Search:
    """A group whose demand is looked for: the measured use of an execution, and pairs of demands and simulated uses so far [s]."""

    target: Target
    index: int
    wanted: float
    tried: list[tuple[float, float]]
    demand: float

    @property
    def solved(self) -> bool:
        """Whether the last simulated use is the measured one."""
        return bool(self.tried) and abs(self.tried[-1][1] / self.wanted - 1) <= CLOSE

    @property
    def known_slope(self) -> float | None:
        """How much more is used with a longer demand, by the last two that were tried; None where they are too near to tell."""
        (d, u), *before = self.tried[::-1]
        if not before or abs(d - before[0][0]) < APART * d:
            return None
        return min(max((u - before[0][1]) / (d - before[0][0]), 1.0), u / d)

    @property
    def slope(self) -> float:
        """The same, else as if all that is used were in proportion to the demand."""
        d, u = self.tried[-1]
        return self.known_slope or max(u / d, 1.0)

    @property
    def hopeless(self) -> bool:
        """Whether hardly any demand uses more than was measured."""
        return self.tried[-1][0] <= LEAST * self.wanted and self.tried[-1][1] > self.wanted

    def move(self) -> None:
        """The next demand; halved where the step would end below zero."""
        d, u = self.tried[-1]
        self.demand = max(d + (self.wanted - u) / self.slope, d / 10)

    def why_not(self) -> str:
        """Why there is no solution."""
        u = self.tried[-1][1]
        if self.hopeless:
            return (f"the simulated platform alone takes {u * 1e6:.3g} us for an execution, more than the {self.wanted * 1e6:.3g} us "
                    "that were measured: check the platform, the host and the throughput")
        return (f"no demand was found whose simulated use is the measured one: {u * 1e6:.4g} us against {self.wanted * 1e6:.4g} us after "
                f"{len(self.tried)} steps")


def fit(
    scenario: Scenario, points: Sequence[Point] | Sequence[str], check: bool = False, jobs: int = 1,
    said: Callable[[int], None] = lambda number: None,
) -> FitResult:
    """Demands of a scenario of one platform from points, or from files and folders that have them.

    With `check` none are fitted, and only predictions stand beside what was measured. UsageError where nothing that was measured tells
    any demand, ScenarioError where a file is in no form that is known.
    """
    started = time.perf_counter()
    if len(scenario.platforms) != 1:
        names = ", ".join(platform.name for platform in scenario.platforms)
        example = f"--platform {scenario.platforms[0].name}"
        raise UsageError(f"expected the platform on which it was measured, for example {example}; there is {names}")
    files = [one for one in points if isinstance(one, str)]
    seen, work = observed(scenario, read(files) if files else [one for one in points if isinstance(one, Point)]), work_s(scenario)
    laboratory = Laboratory(scenario, seen, jobs, said)
    result = FitResult(scenario, seen, work)
    if not check:
        _fit(laboratory, result)
    result.compared = tuple(laboratory.predictions(result.factors))
    result.simulations, result.wall_s = laboratory.simulations, time.perf_counter() - started
    return result


def _fit(laboratory: Laboratory, result: FitResult) -> None:
    """Fills a result with groups of operations and their demands."""
    threads = laboratory.threads()
    found = targets(laboratory.seen, result.work, threads)
    _possible(laboratory, threads)
    if not found:
        result.groups = [by_latency(laboratory, result)]
        return
    fits = {target.name: target.fitted(laboratory.seen, result.work) for target in found}
    searches = [Search(target, index, float(fits[target.name].value[index]), [], float(fits[target.name].value[index]))
                for target in found for index in range(len(target.groups)) if fits[target.name].value[index] > 0]
    constants = _solve(laboratory, searches, found, result.work, threads)
    result.targets = [(target, fits[target.name]) for target in found]
    for search in searches:
        _settle(result, search, fits[search.target.name])
    for target in found:
        fitted = fits[target.name]
        for index, group in enumerate(target.groups):
            if fitted.value[index] <= 0:
                result.failed[".".join(group[0])] = "no CPU time of it shows in the measurements"
        if target.constant:
            result.idle[target.name] = (float(fitted.value[-1] - constants.get(target.name, 0.0)), float(fitted.half[-1]))


def _possible(laboratory: Laboratory, threads: int) -> None:
    """UsageError where more CPUs were used than the host has."""
    for name, column in laboratory.seen.cores.items():
        most = float(np.nanmax(column))
        if most > threads:
            raise UsageError(f"{name} used {most:.3g} CPUs, and the scenario's host has {threads}; expected the host where it was measured")


def _solve(
    laboratory: Laboratory, searches: list[Search], found: list[Target], work: Mapping[Name, float], threads: int,
) -> dict[str, float]:
    """Moves demands until simulated use is the measured one; what the platform uses whatever the load, by target."""
    constants: dict[str, float] = {}
    for _ in range(MOST_STEPS):
        used = laboratory.used(factors(searches, work), found, work, threads)
        for search in searches:
            search.tried.append((search.demand, float(used[search.target.name][search.index])))
        constants = {target.name: float(used[target.name][-1]) for target in found if len(used[target.name]) > len(target.groups)}
        if all(search.solved or search.hopeless for search in searches):
            break
        for search in searches:
            search.move()
    return constants


def factors(searches: Sequence[Search], work: Mapping[Name, float]) -> dict[Name, float]:
    """Demands over those stated."""
    return {name: search.demand / work[group[0]] for search in searches for group in [search.target.groups[search.index]] for name in group}


def _settle(result: FitResult, search: Search, fitted: Fitted) -> None:
    """The group of a search that ended; a failure where it found nothing."""
    group = search.target.groups[search.index]
    if not search.solved:
        result.failed[".".join(group[0])] = search.why_not()
        return
    demand, half = search.tried[-1][0], float(fitted.half[search.index])
    own = half / (search.known_slope or 1.0)
    result.groups.append(Group(group, demand, own, search.wanted, half))


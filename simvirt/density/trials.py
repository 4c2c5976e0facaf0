"""Simulations of n instances: as many replications as a verdict takes, each with the same seed at every n; none is run twice.

*Model*: replication k has the same seed whatever n is: the i-th request of a class meets the same demands, only faster on the heels of
    the one before. So the estimates at two n differ by the effect of n and hardly by chance (common random numbers).
*Source*: Law, Simulation Modeling and Analysis, 5th ed. 2015, section 11.2 (common random numbers).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Event
from typing import Final

from simvirt.analysis.demands import analyse
from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.density.copies import Unit, scaled
from simvirt.density.effort import SEARCH_EVENTS, affordable, idle_per_s, tells
from simvirt.density.hopeless import watch_of
from simvirt.density.judge import checks_of, overloaded, verdict
from simvirt.density.length import WARMUP, Pressure, duration_ns, offered_per_s
from simvirt.metrics.outcome import Outcome
from simvirt.result.document import Judgement
from simvirt.result.objective import HOLDS, UNDECIDED
from simvirt.runs.replicate import Measured, replicate
from simvirt.scenario.spec.models import Scenario

FIRST = 2
GROWTH = 2.0
"""Replications at first; how many times as many at the next look."""
TIMES = 4
"""Replications at most, over those that the scenario states."""
ENOUGH = 4
"""Replications from which their spread says whether more of them could let the objective hold."""


@dataclass
class Point:
    """What was simulated at one n; `times` is how many times as often as stated requests came, `cut` whether there was no time for more."""

    n: int
    scenario: Scenario
    duration_ns: int
    times: float = 1.0
    cut: bool = False
    measured: list[Measured] = field(default_factory=list)
    verdict: Judgement = UNDECIDED

    @property
    def outcomes(self) -> list[Outcome]:
        """The outcomes of its replications."""
        return [m.outcome for m in self.measured]

    @property
    def excess(self) -> float | None:
        """By what factor the worst bound misses its limit, below 1 where all hold; None where requests pile up."""
        assert self.scenario.objective is not None
        if overloaded(self.measured):
            return None
        return max((check.bound_excess for check in checks_of(self.scenario.objective, self.outcomes)), default=None)

    @property
    def holds(self) -> bool:
        """Whether the objective holds with confidence; what is undecided does not."""
        return self.verdict == HOLDS


SOONER: Final = 4
PILOT: Final = 2000
"""Where clients that are answered at once would make so many times as many requests as those who wait as long as the objective lets
them, so many of them are simulated first, as long runs of such clients take hours."""


@dataclass
class Trials:
    """The simulations of one platform."""

    scenario: Scenario
    catalog: Catalog
    platform: Platform
    unit: Unit
    pool: Executor
    halt: Event
    told: Callable[[Point], None] = lambda point: None
    points: dict[int, Point] = field(default_factory=dict)
    simulations: int = 0
    events: float = 0.0

    @property
    def spent(self) -> bool:
        """Whether the search has taken all the work that it may."""
        return self.events > SEARCH_EVENTS

    @property
    def first(self) -> int:
        """Replications at first."""
        return FIRST

    @property
    def most(self) -> int:
        """Replications at most."""
        return max(FIRST, TIMES * self.scenario.run.replications)

    def at(self, n: int) -> Point:
        """The verdict at n, simulated where it is not known yet."""
        if n not in self.points:
            point = self.points[n] = self.prepared(n)
            self._decide(point)
        return self.points[n]

    def sketched(self, n: int) -> Point:
        """A point of the curve: a verdict if one is there, else the first replications."""
        if n not in self.points:
            point = self.points[n] = self.prepared(n)
            self.add(point, FIRST)
            self.judge(point)
        return self.points[n]

    def prepared(self, n: int) -> Point:
        """A point before its first replication."""
        return self.prepared_as(scaled(self.scenario, self.unit, n), n)

    def prepared_as(self, at_n: Scenario, n: int) -> Point:
        """The same with a scenario that is already at n."""
        rate = self._asked_per_s(at_n)
        found = affordable(at_n, self.platform, duration_ns(at_n, rate, self.pressure(n)), rate * self._alone_s)
        run = at_n.run.model_copy(update={
            "duration": found.duration_ns, "requests": None, "warmup": found.duration_ns // WARMUP, "precision": None, "observe": None})
        return Point(n, found.scenario.model_copy(update={"run": run}), found.duration_ns, found.times, found.cut)

    def _asked_per_s(self, at_n: Scenario) -> float:
        """Requests per second; of clients who may be answered far sooner than the objective asks for, what a short simulation says."""
        rate = offered_per_s(at_n)
        closed = at_n.workload.closed if at_n.workload is not None else None
        if closed is None:
            return rate
        most = closed.clients / max(closed.think.mean / 1e9 + self._alone_s, 1e-6)
        if most < SOONER * rate:
            return rate
        run = at_n.run.lasting(math.ceil(PILOT / most * 1e9), warmup=0, precision=None, observe=None)
        short = at_n.model_copy(update={"run": run})
        found = self.pool.submit(replicate, short, self.catalog, self.platform, run.seed, 0, None, self.halt).result()
        return max(rate, found.outcome.throughput_per_s)

    @cached_property
    def _alone_s(self) -> float:
        """Time of a request that meets no other."""
        one = scaled(self.scenario, self.unit, 1)
        return analyse(one, self.catalog, self.platform, self.catalog.resolve_host(one.first_host)).response_s

    def pressure(self, n: int) -> Pressure | None:
        """How near to saturation n is likely to be, between its nearest neighbours that were simulated; None for clients, which wait."""
        if self.scenario.workload is not None and self.scenario.workload.closed is not None:
            return None
        known = {m: used(p) for m, p in self.points.items() if m != n and p.measured and not any(x.given_up for x in p.measured)}
        low = max((m for m in known if m < n), default=None)
        if low is None or known[low] <= 0:
            return None
        high = min((m for m in known if m > n), default=None)
        use = known[low] * n / low
        if high is not None:
            use = known[low] + (known[high] - known[low]) * (n - low) / (high - low)
        return Pressure(offered_per_s(self.points[low].scenario) * n / low / use, use)

    def _decide(self, point: Point) -> None:
        """Add replications until the objective holds or is missed, or there are enough of them."""
        wanted = self.first
        while True:
            self.add(point, wanted)
            self.judge(point)
            if point.verdict != UNDECIDED or wanted >= self.most or self.in_vain(point):
                return
            wanted = min(self.most, max(wanted + 1, math.ceil(wanted * GROWTH)))

    def in_vain(self, point: Point) -> bool:
        """Whether more replications are not likely to change anything."""
        return futile(point.scenario, point.outcomes, self.most)

    def wider(self, replications: int) -> float:
        """So many times as wide an interval counts in a verdict on so many replications."""
        return 1.0

    def judge(self, point: Point) -> None:
        """The verdict on what there is."""
        assert point.scenario.objective is not None
        point.verdict = verdict(point.scenario.objective, point.measured, self.wider(len(point.measured)))
        if point.cut and point.holds and not tells(point.scenario.objective, point.scenario.mix, sum(o.requests for o in point.outcomes)):
            point.verdict = UNDECIDED
        self.told(point)

    def add(self, point: Point, total: int) -> None:
        """Simulate the replications that are missing to a total."""
        watch = watch_of(point.scenario, offered_per_s(point.scenario), point.duration_ns)
        futures: Sequence[Future[Measured]] = [
            self.pool.submit(replicate, point.scenario, self.catalog, self.platform, point.scenario.run.seed, k, None, self.halt, watch)
            for k in range(len(point.measured), total)
        ]
        found = [future.result() for future in futures]
        idle = idle_per_s(point.scenario, self.platform)
        self.events += sum(max(m.outcome.events, idle * m.outcome.simulated_s) for m in found)
        point.measured += [as_stated(m, point.times) for m in found]
        self.simulations += len(futures)


def as_stated(measured: Measured, times: float) -> Measured:
    """A replication in which requests came so many times as often as stated, with the rates that are stated."""
    if times == 1.0:
        return measured
    found = measured.outcome
    return replace(measured, outcome=replace(
        found, throughput_per_s=found.throughput_per_s / times, offered_per_s=found.offered_per_s / times))


def futile(scenario: Scenario, outcomes: Sequence[Outcome], most: int) -> bool:
    """Whether the objective would not hold after `most` replications either, if their mean and spread stayed what they are."""
    assert scenario.objective is not None
    if len(outcomes) < ENOUGH:
        return False
    return any(check.bound_after(len(outcomes), most) > 1 for check in checks_of(scenario.objective, outcomes))


def used(point: Point) -> float:
    """Utilisation of the busiest resource."""
    return mean_of(point.outcomes, lambda o: max(o.resources.values(), default=0.0))


def mean_of(outcomes: Sequence[Outcome], read: Callable[[Outcome], float]) -> float:
    """The mean of a number over replications, 0 where there are none."""
    return sum(map(read, outcomes)) / len(outcomes) if outcomes else 0.0

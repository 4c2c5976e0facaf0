"""The maximum throughput of a platform, searched by short runs at steady rates, and the resource that saturates just above it.

*Model*: the maximum is the rate, at the present mix, above which the platform does not keep up (see `simvirt.runs.probe`). The first
    guess is the utilisation law's, or what an overloaded run answered. A run beyond the maximum says what is sustained there; the next
    one is a little above that, until a rate that is not sustained and one that is lie within `NEAR` of each other. A maximum is stated
    where that is reached within the bounds on events, else a range. The resource is what is used up in the run just above it.
*Ignores*: the shape of arrivals over time (bursts, days, files of rates, traces): the maximum is that of the same requests at a
    steady rate; clients that wait are replaced by arrivals at a rate, as of so many clients that they never all wait. Timelines, start-up.
*Source*: Loynes 1962 (a queue is stable below the rate that its servers sustain in saturation); Baccelli, Foss, On the saturation
    rule for the stability of queues, Journal of Applied Probability 32 (1995).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.metrics.outcome import Outcome
from simvirt.metrics.saturated import THREADS, USED_UP, Saturation, saturated_resource
from simvirt.metrics.summary import average, averages
from simvirt.runs.probe import LONG_RUN, SHORT_RUN, TRIAL, Case, Kind, Probe, probe, steady
from simvirt.scenario.spec.models import Scenario

NEAR: Final = 1.045
"""A rate that is not sustained over one that is, or over what is sustained at it, where the search ends."""
AWAY: Final = 0.02
"""How far above and below what is likely to be the maximum rates are looked at."""
STEP: Final = 0.03
"""How far below one that was not sustained the next rate is, where nothing says what is."""
GROWTH: Final = 1.2
"""Factor of the second rate over the first where that is sustained; squared with every further one."""
LEAST_RUN: Final = 400
SURE_RUN: Final = 3_000
"""Arrivals of the least run that is worth it, and of the least that counts as sure."""
AGAIN: Final = 0.9
"""Down to such a part of a rate that a short run kept up with, what is answered beyond is what is sustained; below, a backlog lowers it."""
TRIES: Final = 4
"""Runs in which OOM killers end replicas, until memory is taken to be too small for any load."""
SPARED: Final = 3
"""A run takes such a part of what is left."""
SHARE: Final = 0.05
"""Events of a search over those of the replications of its platform ..."""
FLOOR: Final = 800_000
"""... and at least."""
MOST: Final = 24
"""Runs of a search."""
PERIODS: Final = 8
"""Periods of a quota, cycles of background threads and times that a request takes in a long run, at least; half of that in a short one."""
WIDE: Final = 1.1
"""A range whose ends are no further apart is for trials to narrow."""
NO_LOAD: Final = "there are no requests"
NOT_REACHED: Final = "no rate was found that is not sustained, within the work that the search may take"
NOT_NARROWED: Final = "the range was not narrowed further within the work that the search may take"
KILLED: Final = "OOM killers end replicas"
INTERRUPTED: Final = "interrupted"


@dataclass(frozen=True)
class Sustained:
    """A rate that is sustained [per second], the utilisation of each resource there, and whether a long run and whether a trial says so."""

    rate: float = 0.0
    used: Mapping[str, float] = field(default_factory=dict)
    long: bool = False
    surely: bool = False


@dataclass
class Search:
    """What is known of the maximum so far, and what may still be spent."""

    case: Case
    least_ns: float
    """Least length of a long run [ns]."""
    events: float
    """That may still be spent on looking for the range ..."""
    trial_events: float
    """... and on trials."""
    per_arrival: float
    """Events that an arrival takes."""
    proven: Sustained
    """The replications, where they kept up with a steady rate."""
    low: Sustained
    """The highest rate that is sustained, below all that are not."""
    beyond: Probe | None = None
    """The run at the lowest rate that is not sustained."""
    surely: bool = False
    """Whether that was a long one."""
    confirming: bool = False
    """Whether the range has been found to be small, so that trials are to confirm it."""
    runs: int = 0
    spent: int = 0

    @property
    def high(self) -> float:
        """The lowest rate that is not sustained [per second]."""
        return math.inf if self.beyond is None else self.beyond.rate

    @property
    def floor(self) -> float:
        """What is sustained as far as is known [per second]: seen to be, or answered beyond the maximum where nothing is rejected."""
        return max(self.low.rate, 0.0 if self.beyond is None or self.beyond.lossy else self.beyond.sustained)

    @property
    def hopeless(self) -> bool:
        """Whether OOM killers have ended replicas in every run, at ever lower rates."""
        return self.runs >= TRIES and self.low.rate == 0 and self.beyond is not None and self.beyond.killed

    @property
    def near(self) -> bool:
        """Whether a rate that is surely not sustained is near what is."""
        return self.surely and self.high <= NEAR * self.floor

    @property
    def done(self) -> bool:
        """Whether rates that are surely sustained and surely not are near each other."""
        return self.near and self.low.surely and self.floor <= NEAR * self.low.rate

    @property
    def likely(self) -> float:
        """The maximum, as far as can be said [per second], else the middle of the range."""
        return self._told or self._middle

    @property
    def _middle(self) -> float:
        """The middle of the range."""
        return math.sqrt(self.low.rate * self.high) if self.low.rate > 0 else self.high / 2

    @property
    def _told(self) -> float:
        """The maximum as two estimates within the range tell it, else 0: what was answered beyond it, and the utilisation law.

        Where threads share a CPU, many requests are begun beyond the maximum and the first is too low; where hardware threads share a
        core, utilisation below the maximum is too low and the second too high. Their mean is used.
        """
        assert self.beyond is not None
        answered = 0.0 if self.beyond.lossy else self.beyond.sustained
        found = [rate for rate in (answered, self._law(self.beyond)) if self.low.rate <= NEAR * rate and 0 < rate < self.high]
        return sum(found) / len(found) if found else 0.0

    def _law(self, beyond: Probe) -> float:
        """The rate at which the resource that is used up beyond the maximum is as much used; 0 where that cannot be said."""
        if beyond.lossy or not beyond.resources:
            return 0.0
        name = max(beyond.resources, key=lambda n: (not n.endswith(THREADS), beyond.resources[n]))
        used = self.low.used.get(name, 0.0)
        return self.low.rate * beyond.resources[name] / used if used > 0 and beyond.resources[name] >= USED_UP else 0.0

    def look(self, rate: float, kind: Kind) -> bool:
        """Run at a rate and learn from it; false where too little may be spent on that."""
        least_ns = self.least_ns * kind.pieces / PERIODS
        events = self.events if kind.even else self.trial_events
        affordable = events / self.per_arrival
        if self.hopeless or self.runs == MOST or affordable < max(LEAST_RUN if kind is SHORT_RUN else SURE_RUN, rate * least_ns / 1e9):
            return False
        arrivals = min(kind.arrivals, max(affordable / (SPARED if kind.even else 2), LEAST_RUN))
        self._learn(probe(self.case, kind, rate, arrivals, least_ns, int(events)), kind)
        return True

    def _learn(self, found: Probe, kind: Kind) -> None:
        """Book the cost of a run, and narrow the range by what it showed."""
        self._book(found, kind)
        long = kind is not SHORT_RUN and found.arrivals >= SURE_RUN
        if not found.keeps_up:
            self.beyond, self.surely = found, long or (kind is TRIAL and not found.complete)
            misled = long and not (self.low.long or found.lossy) and AGAIN * self.low.rate < found.sustained < self.low.rate
            if misled or self.low.rate >= found.rate:
                self.low = self.proven if self.proven.rate < found.rate else Sustained()
        elif found.complete:
            self.low = Sustained(found.rate, found.resources, long, long and kind is TRIAL)
        self.confirming = self.confirming or self.near or (self.surely and self.low.long and self.high <= WIDE * self.low.rate)

    def _book(self, found: Probe, kind: Kind) -> None:
        """Book the cost of a run."""
        self.runs += 1
        self.spent += found.events
        self.per_arrival = max(found.events / max(found.arrivals, 1), 0.1)
        if kind.even:
            self.events -= found.events
        else:
            self.trial_events -= found.events

    def next_rate(self, guess: float) -> tuple[float, Kind]:
        """The next rate to look at [per second], and in what kind of run."""
        low, high, told = self.low.rate, self.high, self._told if self.beyond is not None else 0.0
        if self.beyond is None:
            wanted = guess if low < guess else low * GROWTH ** (2 ** min(self.runs - 1, 4))
            most = self.events / self.per_arrival / max(self.least_ns / 1e9, 1e-9) / SPARED
            return (min(wanted, most) if most > low else wanted), SHORT_RUN
        if self.confirming:
            return self._trial_rate(told), TRIAL
        above = min((1 + AWAY) * told, high)
        kind = LONG_RUN if high <= 2 * max(told, low) else SHORT_RUN
        fresh = above > (1 + AWAY / 2) * low or (kind is LONG_RUN and not self.low.long)
        if told and fresh and (above < high or not self.surely):
            return above, kind
        return self._middle, kind

    def _trial_rate(self, told: float) -> float:
        """Just below the maximum, as long as none is sustained there; then in the middle of the range."""
        if self.low.surely and self.low.rate > self.proven.rate:
            return math.sqrt(self.low.rate * self.high)
        return (1 - AWAY) * told if told and self.near else (1 - STEP) * self.high


def saturation(
    scenario: Scenario, catalog: Catalog, platform: Platform, seed: int, outcomes: Sequence[Outcome], halt: Event | None = None
) -> Saturation:
    """The maximum throughput of a platform whose replications are known."""
    if scenario.workload is None or not any(o.events and o.offered_per_s > 0 for o in outcomes):
        return Saturation(reason=NO_LOAD)
    if any(o.reclaim is not None and o.reclaim[1] for o in outcomes):
        return Saturation(reason=KILLED)
    search = _begun(scenario, Case(steady(scenario), catalog, platform, seed, _alone_s(outcomes), halt), outcomes)
    guess = _guess(outcomes)
    while not search.done and search.look(*search.next_rate(guess)):
        pass
    return _found(scenario, search)


def _begun(scenario: Scenario, case: Case, outcomes: Sequence[Outcome]) -> Search:
    """A search before its first run."""
    events = sum(o.events for o in outcomes)
    arrivals = sum(o.offered_per_s * o.simulated_s for o in outcomes if o.offered_per_s > 0)
    proven = _proven(scenario, outcomes)
    return Search(
        case, PERIODS * _longest_ns(scenario, case), max(SHARE * events, FLOOR) / 2, max(SHARE * events, FLOOR) / 2,
        max(events / max(arrivals, 1.0), 0.1), proven, proven,
    )


def _longest_ns(scenario: Scenario, case: Case) -> float:
    """The longest of what repeats, and of the time that a request takes where nothing contends [ns]."""
    backgrounds = [spec.background for spec in scenario.services.values() if spec.background is not None]
    return max([float(case.period_ns), 1e9 * case.alone_s, *(float(b.period) for b in backgrounds if b.duty < 1)])


def _alone_s(outcomes: Sequence[Outcome]) -> float:
    """The time that a request takes where nothing contends [s]."""
    return sum(average([o.breakdown_s.get(part) for o in outcomes]) or 0.0 for part in ("cpu", "virtualization", "network", "delay"))


def _proven(scenario: Scenario, outcomes: Sequence[Outcome]) -> Sustained:
    """The rate that replications no shorter than a trial kept up with; 0 where one did not, or the rate was not steady."""
    assert scenario.workload is not None
    rate = scenario.workload.open.rate if scenario.workload.open is not None else None
    kept_up = all(o.unstable is None and o.full_at_s is None and o.rejected + o.failed == 0 for o in outcomes)
    if rate is None or scenario.timeline or not kept_up or sum(o.requests for o in outcomes) < TRIAL.arrivals:
        return Sustained()
    return Sustained(rate, _used(outcomes), True, True)


def _used(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Utilisation of each resource, averaged over replications."""
    return {name: value or 0.0 for name, value in averages([o.resources for o in outcomes]).items()}


def _guess(outcomes: Sequence[Outcome]) -> float:
    """What is likely not to be sustained [per second]: above what an overloaded run answered, or what the utilisation law says."""
    answered = average([o.throughput_per_s for o in outcomes]) or 0.0
    offered = average([o.offered_per_s for o in outcomes]) or 0.0
    if any(o.unstable is not None or o.full_at_s is not None for o in outcomes):
        return (1 + AWAY) * (answered or offered)
    return (1 + AWAY) * (answered or offered) / min(max(*_used(outcomes).values(), 1e-6), 1.0)


def _found(scenario: Scenario, search: Search) -> Saturation:
    """What a search has found."""
    beyond, low = search.beyond, search.low.rate
    if beyond is None:
        return Saturation(low_per_s=low or None, reason=NOT_REACHED, events=search.spent)
    stated = search.done or (search.surely and search.low.long and beyond.rate <= NEAR * low)
    return Saturation(
        search.likely if stated else None, low or None, beyond.rate, saturated_resource(scenario, beyond.resources),
        "" if stated else KILLED if search.hopeless else NOT_NARROWED, search.spent,
    )

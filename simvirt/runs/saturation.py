"""The maximum throughput of a platform, searched by short runs at steady rates, and the resource that saturates just above it.

*Model*: the maximum is the rate, at the present mix, above which the platform does not keep up (see `simvirt.runs.probe`). The first
    guess is the utilisation law's, or what an overloaded run answered. A run beyond the maximum says what is sustained there; the next
    one is a little above that, until a rate that is not sustained is near what is likely to be the maximum. Trials, with chance as in
    any run, then confirm a rate just below. Where requests are lost the next rate is the one at which, between the shares lost at two
    others, as many are as may be. A maximum is stated where a rate that is not sustained and one that surely is lie within `NEAR` of
    each other, so that it is within a few percent of both; else a range. The resource is what is used up in the run just above it.
    Where a backlog lowers what is sustained (threads then share cores, or throttled ones wait for each other), a rate above that lasts
    until chance brings a backlog, which then stays: such a rate needs several trials, and the range may remain one.
*Ignores*: the shape of arrivals over time (bursts, days, files of rates, traces): the maximum is that of the same requests at a
    steady rate; clients that wait are replaced by arrivals at a rate, as of so many clients that they never all wait. Timelines, start-up.
*Source*: Loynes 1962 (a queue is stable below the rate that its servers sustain in saturation); Baccelli, Foss, On the saturation
    rule for the stability of queues, Journal of Applied Probability 32 (1995).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Final

import numpy as np

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.lowering.locks import is_lock
from simvirt.metrics.outcome import Outcome
from simvirt.metrics.saturated import Saturation, saturated_resource
from simvirt.metrics.statistics import mean_interval
from simvirt.metrics.steadiness import overloaded
from simvirt.metrics.summary import average, averages
from simvirt.runs.probe import BY_LOSSES, LONG_RUN, PIECES, SHORT, SHORT_RUN, TRIAL, Case, Kind, Probe, of_raised, probe, steady
from simvirt.scenario.spec.models import Scenario

NEAR: Final = 1.06
"""A rate that is not sustained over one that surely is, where the search ends."""
AWAY: Final = 0.02
"""How far above what is likely to be the maximum rates are looked at ..."""
BELOW: Final = 0.97
"""... and the part of it that trials are to confirm. What is stated is no further from either end of the range."""
FRESH: Final = 1.005
"""A rate is another one from this factor on."""
ALSO_IDLE: Final = 0.995
"""Of a resource that is used more than this below the maximum, by something else than requests, the utilisation law tells nothing."""
GROWTH: Final = (1.2, 2.5)
"""Least and most factor of the next rate over one that is sustained, as long as none is known that is not."""
AGAIN: Final = 0.96
"""Down to such a part of a rate that a run kept up with, what is answered beyond is what is sustained; below, a backlog lowers it."""
FAR: Final = 4.0
"""Factor of the share lost within which it grows with a power of the rate."""
TRIES: Final = 4
"""Runs in which OOM killers end replicas, until memory is taken to be too small for any load."""
TRIALS: Final = 3
"""Trials of a rate, with other draws, where it is a matter of chance; most of them decide, but any that ends in a backlog that stays."""
FLOOR: Final = 1_600_000
"""Events of a search, at least ..."""
SHARE: Final = 0.4
"""... and over those of the replications of its platform."""
MOST: Final = 30
"""Runs of a search."""
HELD: Final = (".threads", ".event_loops")
"""How the names of threads end, which requests hold one by one, as they do locks."""
NO_LOAD: Final = "no requests"
NOT_REACHED: Final = "no limit within the work"
NOT_NARROWED: Final = "no more within the work"
BY_CHANCE: Final = "chance: backlogs stay"
KILLED: Final = "OOM killers end replicas"
INTERRUPTED: Final = "interrupted"
"""Why a maximum is not known, or only as a range; what each means is said in docs/models/statistics.md."""


@dataclass(frozen=True)
class Sustained:
    """A rate that is sustained [per second], utilisations and the share lost there, whether a long run and whether a trial says so.

    And whether OOM killers ended replicas meanwhile.
    """

    rate: float = 0.0
    used: Mapping[str, float] = field(default_factory=dict)
    lost: float = 0.0
    long: bool = False
    surely: bool = False
    killed: bool = False


NONE: Final = Sustained()


@dataclass
class Search:
    """What is known of the maximum so far, and what may still be spent."""

    case: Case
    least_ns: float
    """Least length of a run [ns]: of each piece what repeats, and what a request takes."""
    events: float
    """That may still be spent."""
    per_arrival: float
    """Events that an arrival takes."""
    kept: list[Sustained]
    """Rates that are sustained, all below those that are not."""
    beyond: Probe | None = None
    """The run at the lowest rate that is not sustained."""
    surely: bool = False
    """Whether that was a long one."""
    confirming: bool = False
    """Whether trials are to confirm what has been found."""
    chancy: bool = False
    """Whether less has been answered beyond the maximum than is sustained: whether a rate lasts is then a matter of chance."""
    losses: dict[float, float] = field(default_factory=dict)
    """Shares lost at rates that long runs with chance have looked at."""
    hear: Callable[[int, int], None] | None = None
    """What hears of the number of runs so far, and of their events."""
    runs: int = 0
    spent: int = 0

    @property
    def low(self) -> Sustained:
        """The highest rate that is sustained."""
        return max(self.kept, key=lambda one: one.rate, default=NONE)

    @property
    def proven(self) -> Sustained:
        """The highest rate that surely is."""
        return max((one for one in self.kept if one.surely), key=lambda one: one.rate, default=NONE)

    @property
    def high(self) -> float:
        """The lowest rate that is not sustained [per second]."""
        return math.inf if self.beyond is None else self.beyond.rate

    @property
    def hopeless(self) -> bool:
        """Whether OOM killers have ended replicas in every run, at ever lower rates."""
        return self.runs >= TRIES and not self.kept and self.beyond is not None and self.beyond.killed

    @property
    def done(self) -> bool:
        """Whether rates that are surely sustained and surely not are near each other."""
        return self.surely and self.high <= NEAR * self.proven.rate

    @property
    def nearly_done(self) -> bool:
        """Whether long runs say so, if no trial does: one that is sustained, or what is answered just above."""
        return self.surely and (self.just_above or (self.low.long and self.high <= NEAR * self.low.rate))

    @property
    def just_above(self) -> bool:
        """Whether the lowest rate that is not sustained is just above what is answered there."""
        return self.high <= (1 + 1.5 * AWAY) * self.told

    @property
    def stated(self) -> float:
        """The maximum [per second], as far from the ends of its range as it has to be; where it is a matter of chance as low as that."""
        if self.by_losses and not self.chancy and self.low.lost > 0:
            return min(max(self._fitted(), BELOW * self.high), self.low.rate / BELOW, self.high)
        low = self.proven.rate if self.done else max(self.low.rate, self.told)
        likely = low if self.chancy else self.told or math.sqrt(low * self.high)
        return min(max(likely, BELOW * self.high), low / BELOW)

    @property
    def told(self) -> float:
        """The maximum as what is answered beyond it tells it [per second]; 0 where a backlog lowers that, or requests are lost."""
        found = 0.0 if self.beyond is None or self.beyond.lossy or self.chancy else self.beyond.sustained
        return found if AGAIN * self.low.rate <= found < self.high else 0.0

    def look(self, rate: float, kind: Kind) -> bool:
        """Run at a rate and learn from it; false where too little may be spent on that."""
        affordable = self.events / self.per_arrival
        if self.hopeless or self.runs >= MOST or affordable < max(kind.least, rate * self.least_ns / 1e9):
            return False
        wanted = kind.arrivals * (2 if kind is TRIAL and self.chancy else 1)
        arrivals = min(wanted, max(affordable / 3, kind.least))
        self._learn(list(self._trials(rate, arrivals)) if kind is TRIAL else [self._run(rate, kind, arrivals)], kind)
        return True

    def _trials(self, rate: float, arrivals: float) -> Iterator[Probe]:
        """As many trials as it takes: one that keeps up will do where a backlog lowers nothing, and one that surely does not."""
        for number in range(TRIALS):
            found = self._run(rate, TRIAL, arrivals, number)
            yield found
            if self.events <= 0 or found.sustained < AGAIN * rate or (number == 0 and found.keeps_up and not self.chancy):
                return

    def _run(self, rate: float, kind: Kind, arrivals: float, number: int = 0) -> Probe:
        """One run, with its cost booked."""
        found = probe(self.case, kind, rate, arrivals, self.least_ns, int(self.events), number)
        self.runs += 1
        self.spent += found.events
        self.events -= found.events
        self.per_arrival = max(found.events / max(found.arrivals, 1), 0.1)
        if self.hear is not None:
            self.hear(self.runs, self.spent)
        return found

    def _learn(self, found: Sequence[Probe], kind: Kind) -> None:
        """Narrow the range by what runs at a rate showed."""
        self.losses |= {one.rate: one.lost for one in found if kind is BY_LOSSES and one.complete and one.lost > 0}
        failed = [one for one in found if not one.keeps_up]
        worst = min(found, key=lambda one: one.sustained)
        if 2 * len(failed) > len(found) or worst.sustained < AGAIN * worst.rate:
            self.beyond, self.surely = worst, kind is not SHORT_RUN
            most = worst.rate if kind is SHORT_RUN else max(worst.sustained, FRESH * self.proven.rate)
            self.kept = [one for one in self.kept if one.rate < (worst.rate if one.long else most)]
        elif all(one.complete for one in found):
            of_kind = [one for one in self.kept if one.long or kind is SHORT_RUN]
            self.kept = [*of_kind, Sustained(worst.rate, worst.resources, worst.lost, kind is not SHORT_RUN, not kind.even, worst.killed)]
            self.beyond = self.beyond if worst.rate < self.high else None
        self._look_for_chance()
        self.confirming = self.confirming or self.nearly_done

    def _look_for_chance(self) -> None:
        """Where a backlog lowers what is sustained, or OOM killers may come, more may be spent."""
        beyond = self.beyond
        if beyond is None or self.chancy or self.by_losses or not self.low.long:
            return
        if self.by_kills or beyond.sustained < AGAIN * self.low.rate:
            self.chancy, self.events = True, self.events + FLOOR

    @property
    def by_kills(self) -> bool:
        """Whether OOM killers end replicas just beyond the maximum, and not below."""
        return self.beyond is not None and self.beyond.killed and not self.low.killed

    @property
    def by_losses(self) -> bool:
        """Whether more and more requests are lost, and that is all that limits the rate."""
        return self.beyond is not None and self.beyond.lossy and not self.by_kills

    def next_rate(self, guess: float) -> tuple[float, Kind]:
        """The next rate to look at [per second], and in what kind of run."""
        if self.beyond is None:
            return self._affordable(self._further() if self.kept else guess), SHORT_RUN
        above = (1 + AWAY) * self.told
        if (FRESH * self.low.rate if self.low.long else 0.0) < above < self.high / FRESH:
            return above, LONG_RUN
        if self.confirming and not self.by_losses:
            return self._trial_rate(), TRIAL
        kind = SHORT_RUN if self.high > 2 * self.low.rate else BY_LOSSES if self.by_losses else LONG_RUN
        return self._inside(kind is not SHORT_RUN), kind

    def _affordable(self, rate: float) -> float:
        """As high a rate as a run that is long against what repeats can have, if that is above what is sustained."""
        most = self.events / self.per_arrival / 3 / max(self.least_ns / 1e9, 1e-9)
        return min(rate, most) if most > self.low.rate else rate

    def _further(self) -> float:
        """Above what is sustained: where the utilisation law has the next resource used up."""
        least, most = GROWTH
        law = min((self.low.rate / used for used in self.low.used.values() if 0 < used < ALSO_IDLE), default=math.inf)
        return min(max((1 + AWAY) * law, least * self.low.rate), most * self.low.rate)

    def _inside(self, long: bool) -> float:
        """An end of a small range that no long run has shown yet, else inside the range."""
        if long and self.high <= NEAR * self.low.rate:
            return self.low.rate if self.surely else self.high
        return self._at_limit() if self.by_losses and self.low.lost > 0 else self._middle

    def _at_limit(self) -> float:
        """The rate at which as many are lost as may be, if the share grows with a power of the rate."""
        assert self.beyond is not None
        at = math.log(SHORT / self.low.lost) / math.log(max(self.beyond.lost, 1.01 * SHORT) / self.low.lost)
        return float(self.low.rate * (self.high / self.low.rate) ** min(max(at, 0.2), 0.8))

    def _fitted(self) -> float:
        """The same from all rates near the limit that have been looked at, by least squares."""
        near = {rate: lost for rate, lost in self.losses.items() if SHORT / FAR <= lost <= SHORT * FAR}
        if len(near) < 2:
            return self._at_limit()
        rates, lost = np.log(list(near)), np.log(list(near.values()))
        slope, level = np.polyfit(rates, lost, 1, w=np.exp(lost / 2))
        return float(np.exp((math.log(SHORT) - level) / slope)) if slope > 0 else self._at_limit()

    @property
    def _middle(self) -> float:
        """The middle of the range."""
        return math.sqrt(self.low.rate * self.high) if self.low.rate > 0 else self.high / 2

    def _trial_rate(self) -> float:
        """Just below the maximum, or what long runs keep up with; where that surely is sustained in the middle of what is left."""
        assert self.beyond is not None
        kept_up = self.low.rate if (1 + AWAY) * self.low.rate < self.high and not self.told else 0.0
        first = max(BELOW * (self.told or self.beyond.sustained), kept_up)
        return first if first > FRESH * self.proven.rate else math.sqrt(self.proven.rate * self.high)


def saturation(
    scenario: Scenario, catalog: Catalog, platform: Platform, seed: int, outcomes: Sequence[Outcome], halt: Event | None = None,
    hear: Callable[[int, int], None] | None = None,
) -> Saturation:
    """The maximum throughput of a platform whose replications are known; `hear` is called after each run with their number and events."""
    if not scenario.loaded or not any(o.events and o.offered_per_s > 0 for o in of_raised(scenario, outcomes)):
        return Saturation(reason=NO_LOAD)
    if any(o.reclaim is not None and o.reclaim[1] for o in outcomes):
        return Saturation(reason=KILLED)
    anyway = frozenset(name for name, used in _used(outcomes).items() if used >= ALSO_IDLE)
    search = _begun(scenario, Case(steady(scenario), catalog, platform, seed, _alone_s(outcomes), halt, anyway), outcomes)
    search.hear = hear
    guess = _guess(scenario, outcomes)
    while not search.done and search.look(*search.next_rate(guess)):
        pass
    found = _found(scenario, search, _carried(scenario, outcomes))
    return found if scenario.workloads else _bounded(found, outcomes)


def _bounded(found: Saturation, outcomes: Sequence[Outcome]) -> Saturation:
    """No more than the utilisation law lets threads and locks carry, which short runs do not fill where few requests need them.

    A request holds them no shorter at a high load than at a low one, so that the law's rate is a bound; beyond its interval it counts,
    and beyond its value where one replication has no interval and there is only a range.
    In an overload threads are held by what waits for another resource, and say nothing.
    """
    held = () if overloaded(outcomes) else HELD
    for name in [name for name in outcomes[0].resources if name.endswith(held) or is_lock(name)]:
        most = found.per_s or found.low_per_s or found.high_per_s
        if most is None or min(o.resources[name] for o in outcomes) <= 0:
            continue
        law = mean_interval([o.throughput_per_s / o.resources[name] for o in outcomes])
        bound = law.value if law.high is None and found.per_s is None else law.high
        if law.value is not None and bound is not None and bound < most:
            found = replace(found, per_s=law.value, low_per_s=min(found.low_per_s or law.value, law.value), resource=name, reason="")
    return found


def _begun(scenario: Scenario, case: Case, outcomes: Sequence[Outcome]) -> Search:
    """A search before its first run."""
    events = sum(o.events for o in outcomes)
    arrivals = sum(o.offered_per_s * o.simulated_s for o in of_raised(scenario, outcomes) if o.offered_per_s > 0)
    return Search(
        case, PIECES * _longest_ns(scenario, case), max(SHARE * events, FLOOR), max(events / max(arrivals, 1.0), 0.1),
        list(_proven(scenario, outcomes)),
    )


def _longest_ns(scenario: Scenario, case: Case) -> float:
    """The longest of what repeats, and of the time that a request takes where nothing contends [ns]."""
    backgrounds = [spec.background for spec in scenario.services.values() if spec.background is not None]
    return max([float(case.period_ns), 1e9 * case.alone_s, *(float(b.period) for b in backgrounds if b.duty < 1)])


def _alone_s(outcomes: Sequence[Outcome]) -> float:
    """The time that a request takes where nothing contends [s]."""
    return sum(average([o.breakdown_s.get(part) for o in outcomes]) or 0.0 for part in ("cpu", "virtualization", "network", "delay"))


def _proven(scenario: Scenario, outcomes: Sequence[Outcome]) -> Iterator[Sustained]:
    """The rate that replications no shorter than a trial kept up with."""
    if sum(o.requests for o in of_raised(scenario, outcomes)) >= TRIAL.arrivals:
        yield from _kept_up(scenario, outcomes)


def _kept_up(scenario: Scenario, outcomes: Sequence[Outcome]) -> Iterator[Sustained]:
    """The rate that replications kept up with; none where one did not, or the rate was not steady."""
    workload = next(iter(scenario.alone.values())).workload
    rate = workload.open.rate if workload is not None and workload.open is not None else None
    kept_up = all(o.unstable is None and o.full_at_s is None and o.rejected + o.failed == 0 for o in outcomes)
    if rate is not None and not scenario.timeline and kept_up:
        yield Sustained(rate, _used(outcomes), 0.0, True, True)


def _carried(scenario: Scenario, outcomes: Sequence[Outcome]) -> float:
    """The rate that replications kept up with, of which there are enough for an end of a range [per second]; 0 where none is known."""
    enough = sum(o.requests for o in of_raised(scenario, outcomes)) >= LONG_RUN.least
    return max((one.rate for one in _kept_up(scenario, outcomes)), default=0.0) if enough else 0.0


def _used(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Utilisation of each resource, averaged over replications."""
    return {name: value or 0.0 for name, value in averages([o.resources for o in outcomes]).items()}


def _guess(scenario: Scenario, outcomes: Sequence[Outcome]) -> float:
    """What is likely not to be sustained [per second]: above what an overloaded run answered, or what the utilisation law says."""
    raised = of_raised(scenario, outcomes)
    answered = average([o.throughput_per_s for o in raised]) or 0.0
    offered = average([o.offered_per_s for o in raised]) or 0.0
    if any(o.unstable is not None or o.full_at_s is not None for o in outcomes):
        return (1 + AWAY) * (answered or offered)
    return (1 + AWAY) * (answered or offered) / min(max(*_used(outcomes).values(), 1e-6), 1.0)


def _found(scenario: Scenario, search: Search, carried: float) -> Saturation:
    """What a search has found; a range begins no lower than at the rate that is carried."""
    beyond, low = search.beyond, search.low.rate
    low = carried if low < carried < search.high else low
    if beyond is None:
        return Saturation(low_per_s=low or None, reason=NOT_REACHED, events=search.spent)
    stated = (search.done or search.nearly_done) and not (search.chancy and search.by_kills)
    reason = KILLED if search.hopeless else BY_CHANCE if search.chancy else NOT_NARROWED
    most = max(search.stated, low if search.low.long else 0.0) if stated else None
    return Saturation(
        most, (search.proven.rate if search.done else low) or None, beyond.rate,
        saturated_resource(scenario, beyond.resources), "" if stated else reason, search.spent,
    )

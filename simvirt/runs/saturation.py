"""The maximum throughput of a platform, searched by short runs at steady rates, and the resource that saturates just above it.

*Model*: the maximum is the rate, at the present mix, above which the platform does not keep up (see `simvirt.runs.probe`). The first
    guess is the utilisation law's, or what an overloaded run answered. A run beyond the maximum says what is sustained there; the next
    one is a little above that, until a rate that is not sustained is near what is likely to be the maximum. Trials, with chance as in
    any run, then confirm a rate just below. Where requests are lost the next rate is the one at which, between the shares lost at two
    others, as many are as may be. A maximum is stated where a rate that is not sustained and one that surely is lie within `NEAR` of
    each other, so that it is within a few percent of both; else a range. The resource is what is used up in the run just above it.
    Where a backlog lowers what is sustained (threads then share cores, or throttled ones wait for each other), a rate above that lasts
    until chance brings a backlog, which then stays: long trials then have to keep up with a rate, all of them, and one that does not is
    enough for the upper end. Where none do, one with a backlog shows whether it is worked off just below; else the maximum is a range from
    what is answered with a backlog. Of losses it is a range where their errors
    are more than a few percent of the rate.
*Ignores*: the shape of arrivals over time (bursts, days, files of rates, traces): the maximum is that of the same requests at a
    steady rate; clients that wait are replaced by arrivals at a rate, as of so many clients that they never all wait. Timelines, start-up.
*Source*: Loynes 1962 (a queue is stable below the rate that its servers sustain in saturation); Baccelli, Foss, On the saturation
    rule for the stability of queues, Journal of Applied Probability 32 (1995).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.metrics.outcome import Outcome
from simvirt.metrics.saturated import BY_CHANCE, KILLED, NO_LOAD, NOT_NARROWED, NOT_REACHED, SLOWLY, Saturation, saturated_resource
from simvirt.runs.beginning import AWAY, NONE, TRIALS, Sustained, alone_s, carried, guessed, longest_ns, proven, used
from simvirt.runs.law import bounded
from simvirt.runs.losses import Loss, crossing, fitted
from simvirt.runs.probe import BACKLOG, BY_LOSSES, LONG_RUN, PIECES, SHORT, SHORT_RUN, TRIAL, Case, Kind, Probe, of_raised, probe, steady
from simvirt.scenario.spec.models import Scenario

NEAR: Final = 1.06
"""A rate that is not sustained over one that surely is, where the search ends."""
BELOW: Final = 0.97
"""The part of what is likely to be the maximum that trials are to confirm. What is stated is no further from either end of the range."""
FRESH: Final = 1.005
"""A rate is another one from this factor on."""
JUST: Final = 0.999
"""Of a factor that is to be kept."""
ALSO_IDLE: Final = 0.995
"""Of a resource that is used more than this below the maximum, by something else than requests, the utilisation law tells nothing."""
GROWTH: Final = (1.2, 2.5)
"""Least and most factor of the next rate over one that is sustained, as long as none is known that is not."""
UPWARD: Final = 1.1
"""Factor of the next rate over one that a trial kept up with and was not expected to."""
AGAIN: Final = 0.96
"""Down to such a part of a rate that a run kept up with, what is answered beyond is what is sustained; below, a backlog lowers it."""
TRIES: Final = 4
"""Runs in which OOM killers end replicas, until memory is taken to be too small for any load."""
SURE: Final = 0.008
"""Relative standard error of a rate up to which it is stated as a value, so that 2.5 of them are less than what a value may be off."""
SURELY: Final = 2.5
"""Standard errors of a rate to either end of a range."""
ROUNDS: Final = 3
"""Rates at most at which trials look for a lower end where chance decides."""
LONGER: Final = 5
"""Factor of the length of trials where chance decides: of those one that fails is enough, for in the long run they all would."""
FLOOR: Final = 1_600_000
"""Events of a search, at least ..."""
SHARE: Final = 0.4
"""... and over those of the replications of its platform."""
MOST: Final = 30
"""Runs of a search."""


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
    losses: list[Loss] = field(default_factory=list)
    """Shares lost at rates that long runs with chance have looked at."""
    fails: list[tuple[Probe, Kind]] = field(default_factory=list)
    """Runs at rates that no run kept up with, and of what kind they were."""
    passed: float = 0.0
    """The highest rate that some trial kept up with where a trial, or a run whose draws have their means, did not."""
    waves: bool = False
    """Whether a backlog came and went, or grew though nothing was used up: the upper end is then to be shown by trials, too."""
    rounds: int = 0
    """At how many rates trials have looked for a lower end where chance decides, as near to the upper one as a value has to be."""
    tried: bool = False
    """Whether a backlog has been tried there."""
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
        """The highest rate that surely is; where chance decides the one at which a backlog is still worked off."""
        by_chance = self.chancy and not self.by_kills
        held = [Sustained(self.held)] if by_chance else []
        trials = (one for one in self.kept if one.worked_off or one.trials >= (TRIALS if self.chancy else 1))
        return max([*trials, *held], key=lambda one: one.rate, default=NONE)

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
    def settled(self) -> bool:
        """Whether there is no more to look for: a value, or both ends of the rates at which chance decides."""
        if self.by_losses and not self.chancy and self.nearly_done:
            found = fitted(SHORT, self.losses)
            return found is None or found[1] <= SURE
        if self.chancy:
            return self.certain and (self.tried or self.done)
        return self.done and (self.certain or not self.waves)

    @property
    def certain(self) -> bool:
        """Whether trials have shown the lowest rate that is not sustained."""
        return any(one is self.beyond and kind is TRIAL for one, kind in self.fails)

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
            found = fitted(SHORT, self.losses)
            return min(max(self._at_limit(), BELOW * self.high), self.low.rate / BELOW, self.high) if found is None else found[0]
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
        self.tried = self.tried or kind is BACKLOG
        self.rounds += self.chancy and self.certain and kind is TRIAL
        wanted = kind.arrivals * (LONGER if self.rounds and kind is TRIAL else 1)
        arrivals = min(wanted, max(affordable / 3, kind.least))
        self._learn(list(self._trials(rate, arrivals)) if kind is TRIAL else [self._run(rate, kind, arrivals, self._draws(kind))], kind)
        return True

    def _draws(self, kind: Kind) -> int:
        """The number of the draws of a run: others for every one whose losses are a matter of chance."""
        return len(self.losses) if kind is BY_LOSSES else 0

    def _trials(self, rate: float, arrivals: float) -> Iterator[Probe]:
        """As many trials as it takes to contradict what is expected; one that bears it out where nothing is a matter of chance."""
        expected = self.beyond is not None and rate < self.high
        for number in range(TRIALS):
            found = self._run(rate, TRIAL, arrivals, number)
            yield found
            if self.events <= 0 or (number == 0 and found.keeps_up == expected and not self.chancy):
                return
            if found.keeps_up != expected and (self.chancy or number > 0):
                return

    def _run(self, rate: float, kind: Kind, arrivals: float, number: int = 0) -> Probe:
        """One run, with its cost booked."""
        found = probe(self.case, kind, rate, arrivals, self.least_ns, int(self.events), number)
        self.runs += 1
        self.spent += found.events
        self.events -= found.events
        self.waves = self.waves or found.waves
        self.per_arrival = max(found.events / max(found.arrivals, 1), 0.1)
        if self.hear is not None:
            self.hear(self.runs, self.spent)
        return found

    def _learn(self, found: Sequence[Probe], kind: Kind) -> None:
        """Narrow the range by what runs at a rate showed; those at the ends of a small range of losses only tell how much is lost."""
        told = kind is BY_LOSSES and self.by_losses and self.nearly_done
        self.losses += [(one.rate, one.lost, one.error) for one in found if kind is BY_LOSSES and one.complete and one.lost > 0]
        if told:
            return
        failed = [one for one in found if not one.keeps_up]
        worst = min(found, key=lambda one: one.sustained)
        enough = self.rounds and kind is TRIAL and failed
        disputed = self.chancy and not kind.even and len(found) < TRIALS and (failed or self.beyond is None or worst.rate >= self.high)
        if enough:
            self._fails(min(failed, key=lambda one: one.sustained), failed, kind)
        elif disputed or 0 < len(failed) < len(found):
            self._by_chance(worst.rate, len(failed) < len(found))
        elif failed:
            self._fails(worst, failed, kind)
        elif all(one.complete for one in found):
            of_kind = [one for one in self.kept if one.long or kind is SHORT_RUN]
            long, trials = kind is not SHORT_RUN, len(found) if kind is TRIAL else int(not kind.even)
            self.kept = [*of_kind, Sustained(worst.rate, worst.resources, worst.lost, long, trials, worst.killed, kind.rush)]
            self._fails_above(worst.rate)
        self._look_for_chance()
        self.confirming = self.confirming or self.nearly_done

    def _fails(self, worst: Probe, failed: Sequence[Probe], kind: Kind) -> None:
        """A rate that no run kept up with."""
        self.fails += [(one, kind) for one in failed]
        self.beyond, self.surely = worst, kind is not SHORT_RUN
        self.waves = self.waves or (kind is LONG_RUN and not self.case.full(worst.resources))
        most = worst.rate if kind is SHORT_RUN else max(worst.sustained, FRESH * self.proven.rate)
        self.kept = [one for one in self.kept if one.rate < (worst.rate if one.long else most)]

    def _fails_above(self, rate: float) -> None:
        """A rate that a run kept up with: the lowest one that is not sustained is above it."""
        if rate >= self.high:
            above = [one for one in self.fails if one[0].rate > rate and one[1] is not SHORT_RUN]
            self.beyond, kind = min(above, key=lambda one: one[0].rate) if above else (None, SHORT_RUN)
            self.surely = kind is not SHORT_RUN

    def _by_chance(self, rate: float, passed: bool) -> None:
        """A rate that trials need not keep up with, though some may have `passed`."""
        self.kept = [one for one in self.kept if one.rate < rate]
        if passed:
            self.passed = max(self.passed, rate)
            self._fails_above(rate)
        self._chance_decides()

    def _chance_decides(self) -> None:
        """More may be spent, once."""
        self.events += 0 if self.chancy else FLOOR
        self.chancy = True

    def _look_for_chance(self) -> None:
        """Where a backlog lowers what is sustained, or OOM killers may come, more may be spent."""
        beyond = self.beyond
        if beyond is None or self.chancy or self.by_losses or not self.low.long:
            return
        if self.by_kills or beyond.sustained < AGAIN * self.low.rate:
            self._chance_decides()

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
        if self.beyond is None and self.passed > 0:
            return UPWARD * self.passed, TRIAL
        if self.beyond is None:
            return self._affordable(self._further() if self.kept else guess), SHORT_RUN
        if self.by_losses and not self.chancy and self.nearly_done:
            return (self.low.rate if len(self.losses) % 2 else self.high), BY_LOSSES
        above = (1 + AWAY) * self.told
        if (FRESH * self.low.rate if self.low.long else 0.0) < above < self.high / FRESH:
            return above, LONG_RUN
        if self.chancy and self.certain and not self.by_kills:
            return self.high / (JUST * NEAR), TRIAL if self.rounds < ROUNDS else BACKLOG
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
        """The rate at which as many are lost as may be, as those at the ends of the range tell."""
        assert self.beyond is not None
        return crossing(SHORT, (self.low.rate, self.low.lost), (self.high, self.beyond.lost))

    @property
    def _middle(self) -> float:
        """The middle of the range."""
        return math.sqrt(self.low.rate * self.high) if self.low.rate > 0 else self.high / 2

    def _trial_rate(self) -> float:
        """Just below the maximum, or what long runs keep up with; where that surely is sustained in the middle of what is left.

        Where chance decides, or may, first the upper end; where OOM killers do, then what longer runs kept up with.
        """
        assert self.beyond is not None
        if not self.certain and (self.chancy or (self.done and self.waves)):
            return self.high
        if self.chancy:
            return self.low.rate or self.high / NEAR
        kept_up = self.low.rate if (1 + AWAY) * self.low.rate < self.high and not self.told else 0.0
        first = max(BELOW * (self.told or self.beyond.sustained), kept_up)
        return first if first > FRESH * self.proven.rate else math.sqrt(self.proven.rate * self.high)

    @property
    def held(self) -> float:
        """What is sustained where a backlog is there [per second], the least that long runs just beyond show."""
        near = [one.sustained for one, kind in self.fails if kind is not SHORT_RUN and one.rate <= UPWARD * self.high]
        return min(near, default=0.0)


def saturation(
    scenario: Scenario, catalog: Catalog, platform: Platform, seed: int, outcomes: Sequence[Outcome], halt: Event | None = None,
    hear: Callable[[int, int], None] | None = None,
) -> Saturation:
    """The maximum throughput of a platform whose replications are known; `hear` is called after each run with their number and events."""
    if not scenario.loaded or not any(o.events and o.offered_per_s > 0 for o in of_raised(scenario, outcomes)):
        return Saturation(reason=NO_LOAD)
    if any(o.reclaim is not None and o.reclaim[1] for o in outcomes):
        return Saturation(reason=KILLED)
    anyway = frozenset(name for name, share in used(outcomes).items() if share >= ALSO_IDLE)
    search = _begun(scenario, Case(steady(scenario), catalog, platform, seed, alone_s(outcomes), halt, anyway), outcomes)
    search.hear = hear
    guess = guessed(scenario, outcomes)
    while not search.settled and search.look(*search.next_rate(guess)):
        pass
    found = _found(scenario, search, carried(scenario, outcomes))
    return found if scenario.workloads else bounded(found, outcomes)


def _begun(scenario: Scenario, case: Case, outcomes: Sequence[Outcome]) -> Search:
    """A search before its first run."""
    events = sum(o.events for o in outcomes)
    arrivals = sum(o.offered_per_s * o.simulated_s for o in of_raised(scenario, outcomes) if o.offered_per_s > 0)
    return Search(
        case, PIECES * longest_ns(scenario, case), max(SHARE * events, FLOOR), max(events / max(arrivals, 1.0), 0.1),
        list(proven(scenario, outcomes)),
    )


def _found(scenario: Scenario, search: Search, carried: float) -> Saturation:
    """What a search has found; a range begins no lower than at the rate that is carried."""
    beyond, low = search.beyond, search.low.rate
    low = carried if low < carried < search.high else low
    if beyond is None:
        return Saturation(low_per_s=low or None, reason=NOT_REACHED, events=search.spent)
    full = saturated_resource(scenario, beyond.resources)
    slope = fitted(SHORT, search.losses) if search.by_losses and not search.chancy else None
    if slope is not None and slope[1] > SURE:
        off = math.exp(SURELY * slope[1])
        return Saturation(None, slope[0] / off, slope[0] * off, full, SLOWLY, search.spent)
    stated = (search.done and not (search.chancy and search.by_kills)) or (search.nearly_done and not search.chancy)
    reason = "" if stated else KILLED if search.hopeless else BY_CHANCE if search.chancy else NOT_NARROWED
    most = max(search.stated, low if search.low.long and not search.chancy else 0.0) if stated else None
    least = search.proven.rate if search.proven.rate and (search.done or search.chancy) else low
    high = beyond.rate if search.certain or not search.chancy else None
    return Saturation(most, least or None, high, full, reason, search.spent)

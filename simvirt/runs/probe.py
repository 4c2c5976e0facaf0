"""One short run at a steady rate: does the system keep up with it, and if not, what does it sustain?

*Model*: requests arrive at a constant rate from the start of an empty system. The second half of the run is looked at, in pieces that
    hold whole periods of every quota. The system keeps up unless more than `SHORT` of all requests are lost (after the first piece),
    or surely more than that of a class, or the requests under way grow surely: by more than the noise of their number, and by more than
    `EVEN` (`BY_CHANCE` in a trial) in both halves of the window or by far (`PILED_UP`). What it then sustains is the rate times the
    smallest share that is answered, over the classes. A service that runs on quota saved up before keeps up with what its quota alone
    sustains. Memory that answered requests leave (growth) is there from the start: up to the heap, and without one what 40,000 leave.
    A run that does not keep up by a backlog that comes and goes, or may by chance, goes on for as long again (see `simvirt.runs.course`).
*Ignores*: a growth that begins later than the run ends; timelines and start-up work, which are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import Event
from typing import Any, Final, TypeVar

import numpy as np

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.clock import Clock
from simvirt.control.lifecycle import begin
from simvirt.control.memory import PERIOD_NS, follow_all
from simvirt.gauges import Snapshot, snapshot
from simvirt.lowering.lower import Lowered, lower
from simvirt.metrics.measure import utilisations
from simvirt.metrics.outcome import Outcome
from simvirt.plane import DataPlane
from simvirt.runs.course import Course
from simvirt.runs.feeding import Drawn, as_written, feed
from simvirt.scenario.spec.models import Scenario, WorkloadSpec
from simvirt.workload.draws import Blocks
from simvirt.workload.steady import SteadyStream
from simvirt.workload.streams import Generators, Phases

Workload = TypeVar("Workload", bound=WorkloadSpec | None)
REPLICATION: Final = 1_000_000
"""Number of the replication whose random streams all probes of a run share; replications of the run itself have lower ones."""
SHORT: Final = 0.01
"""Share of the requests that may go unanswered in a system that keeps up."""
EVEN: Final = 0.014
BY_CHANCE: Final = 0.025
"""Share of the requests by which those under way may grow by chance where draws have their means, and where they have not."""
SPREAD: Final = 3.0
"""Standard deviations of a Poisson number under way that are no growth."""
FEW: Final = 50
"""A class with fewer arrivals in the window says nothing by itself."""
MANY: Final = 500
"""A class with as many may lose no more than all together."""
PILED_UP: Final = 0.05
SAVED: Final = 0.1
"""Share of a quota beyond it that a longer run may show to be what was saved up before."""
FULL: Final = 0.998
"""Utilisation from which a resource had no rest in a run whose draws have their means."""
SPARE: Final = 200
"""Requests under way, over those that a run brings and beyond those that its mere work time keeps there, that are never worked off."""
PIECES: Final = 4
"""Pieces of a run, the second half of which are looked at."""
LONGER: Final = 3
"""Times that a run which may be behind by chance is made twice as long at most."""
LOOKS: Final = 50
"""Looks at memory in a run at most, where memory is followed: less often in a long run, as each takes as long as a thousand events."""
LOOK: Final = 500
"""Arrivals between two looks at the number of events and the backlog."""
LONGEST_NS: Final = 10**18
"""A run is no longer, whatever its rate [ns]."""


@dataclass(frozen=True)
class Case:
    """A platform whose limit is looked for."""

    scenario: Scenario
    catalog: Catalog
    platform: Platform
    seed: int
    alone_s: float
    """Time that a request takes where nothing contends [s]."""
    halt: Event | None = None
    full_anyway: frozenset[str] = frozenset()
    """Resources that are used up at any load, by something else than requests."""

    @cached_property
    def period_ns(self) -> int:
        """The longest period of a quota that is in force [ns]; 1 without any."""
        groups = self.lowered.tables["groups"]
        return max((int(period) for period, quota in zip(groups["period"], groups["quota"], strict=True) if quota > 0), default=1)

    @cached_property
    def threads(self) -> int:
        """Threads of the services that clients ask, which requests fill before any waits; 0 where they are not bounded.

        And 0 where memory is not followed: with its faults the work of a run is never even, so that requests under way come and go.
        """
        asked = {of.operation.partition(".")[0] for of in self.lowered.classes}
        found = [instance.threads for instance in self.lowered.arrangement.instances if instance.service in asked and not instance.loops]
        bounded = all(n != "unlimited" for n in found) and self.lowered.memory.follows
        return sum(int(n) for n in found) if bounded else 0

    def full(self, used: Mapping[str, float]) -> bool:
        """Whether a resource had no rest, by its utilisation, that has some at other loads."""
        return any(value >= FULL for name, value in used.items() if name not in self.full_anyway)

    @cached_property
    def lowered(self) -> Lowered:
        """Tables, which every run copies."""
        return lower(self.scenario, self.catalog, self.platform, Phases(self.seed, REPLICATION))


@dataclass(frozen=True)
class Kind:
    """How long a run is, and what it draws: arrivals, the least of them, whether draws have their means in every stretch.

    And whether more requests come in the first eighth of it, so that there is a backlog.
    """

    arrivals: float
    least: float
    even: bool
    rush: bool = False


SHORT_RUN: Final = Kind(1_500, 400, True)
LONG_RUN: Final = Kind(8_000, 4_000, True)
BY_LOSSES: Final = Kind(24_000, 8_000, False)
TRIAL: Final = Kind(12_001, 8_000, False)
BACKLOG: Final = Kind(12_002, 8_000, False, rush=True)
"""Runs that look for the range, inside it, inside it where requests are lost (which is a matter of chance), one that confirms it
with chance as in the scenario's own run, and one that shows whether a backlog is worked off."""


@dataclass(frozen=True)
class Probe:
    """What one short run showed."""

    rate: float
    """Offered [per second]."""
    sustained: float
    """Answered of it in the long run [per second]; the rate itself where the system keeps up."""
    lost: float
    """Share of the requests that were lost: rejected, or under way when they failed."""
    error: float
    """Standard error of that share."""
    arrivals: int
    events: int
    simulated_ns: int
    complete: bool
    """Whether it came to its end."""
    killed: bool
    """Whether an OOM killer ended replicas."""
    doubtful: bool
    """Whether it is behind by a backlog that does not grow for good, as far as it shows."""
    waves: bool
    """Whether a part of it was that has been made longer."""
    resources: Mapping[str, float]
    """Utilisation in the window."""

    @property
    def lossy(self) -> bool:
        """Whether more are lost than may be."""
        return self.lost > SHORT

    @property
    def keeps_up(self) -> bool:
        """Whether what is offered is answered."""
        return self.sustained >= self.rate


def steady(scenario: Scenario) -> Scenario:
    """A scenario with all its services up from the start, and no end of its load, the first workload of which is asked at a rate."""
    run = scenario.run.model_copy(update={
        "duration": LONGEST_NS, "requests": None, "warmup": 0, "observe": None, "precision": None})
    changed: dict[str, Any] = {"run": run, "timeline": (), "failures": None, "state": None, "workload": _without_clients(scenario.workload)}
    for name, spec in list(scenario.workloads.items())[:1]:
        changed["workloads"] = {**scenario.workloads, name: _without_clients(spec)}
    return scenario.model_copy(update=changed)


def _without_clients(workload: Workload) -> Workload:
    """A workload that is asked at a rate instead of by clients."""
    if workload is None or workload.closed is None:
        return workload
    return workload.model_copy(update={"closed": workload.closed.model_copy(update={"clients": 0})})


def probe(case: Case, kind: Kind, rate: float, arrivals: float, least_ns: float, most_events: int, number: int = 0) -> Probe:
    """Run at a rate [per second] for some arrivals and at least some time, or for what can be had for so many events.

    Runs of the same `number` have the same draws.
    """
    length = _piece_ns(case.period_ns, max(arrivals / rate * 1e9, least_ns) / PIECES)
    plane = _plane(case, rate, kind.even, REPLICATION + number, length // 2 if kind.rush else 0)
    clock = Clock(plane)
    begin(clock, case.scenario)
    ends = [length * number for number in range(1, PIECES + 1)]
    if plane.lowered.memory.follows:
        follow_all(clock, max(1, ends[-1] // (LOOKS * PERIOD_NS)), grown=True)
    beside, clients = _held(case.scenario)
    most = math.inf if kind.even else 2 * PILED_UP * (rate + beside) * ends[-1] / 1e9 + 2 * (rate + beside) * case.alone_s + clients + SPARE
    course, step = Course(), max(int(LOOK / rate * 1e9), 1)

    def over() -> bool:
        course.look(plane, int(clock.now))
        return _under_way_now(plane) > most or _events(plane) > most_events

    kept = [snapshot(plane, 0), *_pieces(clock, ends, step, over)]
    found = _judged(case, plane, rate, kept, ends[-1], kind.even, _under_way_now(plane) > most or plane.full, course)
    for times in range(1, LONGER + 1):
        if not found.doubtful or 3 * found.events > most_events:
            break
        ends = [2**times * PIECES * length * part // PIECES for part in (PIECES - 1, PIECES)]
        kept = [*kept[::2], *_pieces(clock, ends, step, over)]
        found = _judged(case, plane, rate, kept, ends[-1], kind.even, _under_way_now(plane) > most or plane.full, course)
        found = replace(found, waves=True)
    return found


def _under_way_now(plane: DataPlane) -> int:
    return int(plane.read("tallies", "in_system")[0])


def _events(plane: DataPlane) -> int:
    return int(plane.read("run", "events")[0])


def _plane(case: Case, rate: float, even: bool, replication: int, rush_ns: int = 0) -> DataPlane:
    """The data plane of a probe, at its start."""
    views = list(case.scenario.alone.values())

    def stream(load: int, limit: int | None) -> Blocks:
        workload = views[load].workload
        constant = rate if load == 0 else workload.open.rate if workload is not None and workload.open is not None else None
        if constant is None:
            return as_written(case.lowered, load, limit, case.seed, replication)
        of, generators = Drawn(case.lowered, load), Generators(case.seed, replication, load)
        return SteadyStream(
            workload, constant, of.weights, of.variables, of.trace_columns, generators, of.operations, case.lowered.width, of.tenants,
            of.first, even, rush_ns,
        )

    return DataPlane(case.lowered, feed(case.lowered, stream, None), case.seed, replication, halt=case.halt)


def _held(scenario: Scenario) -> tuple[float, int]:
    """The rates of workloads that stay as they are beside the one that is asked at a rate [per second], and their clients."""
    beside = list(scenario.workloads.values())[1:]
    return sum(spec.about_per_s for spec in beside if spec.closed is None), sum(spec.clients for spec in beside)


def _piece_ns(period: int, wanted: float) -> int:
    """Length of a piece of a run: whole periods of the quotas [ns]."""
    return math.ceil(min(wanted, LONGEST_NS) / period) * period


def _pieces(clock: Clock, ends: Sequence[int], step: int, over: Callable[[], bool]) -> list[Snapshot]:
    """Snapshots between the pieces, up to where the run is over, which is asked after every step."""
    plane = clock.plane
    kept = []
    for end in ends:
        while clock.now < end and not plane.full and not over():
            clock.run(until=min(clock.now + step, end))
        if not plane.full:
            kept.append(snapshot(plane, int(clock.now)))
        if clock.now < end or plane.full:
            break
    return kept


def _judged(
    case: Case, plane: DataPlane, rate: float, kept: Sequence[Snapshot], end: int, even: bool, piled_up: bool, course: Course
) -> Probe:
    """What the second half of a run says; one in which requests piled up does not keep up."""
    window = kept[len(kept) // 2 :]
    first, last = window[0], window[-1]
    lost = _lost(kept[len(kept) // 4], last)
    used = utilisations(plane, first, last) if last.at > first.at else {}
    full = even and case.full(used)
    share = min(_answered(window, even, case.threads, lost, full), 1 - 2 * SHORT if piled_up else 1.0)
    doubtful = share < 1 and lost <= SHORT and not (piled_up or full or course.rises) and last.at >= end
    overdrawn = max([name.endswith(".cpu") and value for name, value in used.items()], default=0.0)
    if overdrawn > 1 + SHORT and case.period_ns > 1:
        doubtful = share == 1 and overdrawn < 1 + SAVED and last.at >= end
        share = min(share, 1 / overdrawn)
    raised = [of.load == 0 for of in plane.lowered.classes]
    return Probe(
        rate=rate, sustained=rate * share, lost=lost, error=course.error_of_lost, arrivals=int(last.arrived[raised].sum()),
        events=last.events, simulated_ns=last.at, complete=last.at >= end,
        killed=any(account.kills for account in plane.memories.values()), doubtful=doubtful, waves=doubtful,
        resources=used,
    )


def _lost(first: Snapshot, last: Snapshot) -> float:
    """The share of all requests that is lost, or of the class of `MANY` that fares worst."""
    arrived = _with_total(last.arrived - first.arrived)
    lost = _with_total(last.rejected + last.failed - first.rejected - first.failed)
    counted = arrived >= MANY
    counted[-1] = True
    return float((lost / np.maximum(arrived, 1))[counted].max())


def _answered(window: Sequence[Snapshot], even: bool, threads: int, share_lost: float, full: bool) -> float:
    """The smallest share of a class, or of all, that is answered in the long run; 1 where the system keeps up.

    Requests whose number grows as long as there are free threads for them do not pile up yet. Where a resource is `full` throughout,
    what is answered is all that can be (the saturation rule), and growth beyond one standard deviation counts.
    """
    first, middle, last = window[0], window[len(window) // 2], window[-1]
    arrived = _with_total(last.arrived - first.arrived)
    lost = _with_total(last.rejected + last.failed - first.rejected - first.failed)
    grown, early = (_with_total(_under_way(s) - _under_way(first)) for s in (last, middle))
    noise = SPREAD * np.sqrt(_with_total(_under_way(first) + _under_way(last)) / 2) + 1
    counted = arrived >= FEW
    counted[-1] = arrived[-1] > 0
    throughout = (early > 0.25 * grown) & (early < 0.75 * grown) & (grown > (EVEN if even else BY_CHANCE) * arrived)
    filled = last.in_system > threads
    surely = (full & (grown > noise / SPREAD)) | (grown > noise) & ((throughout & filled) | (grown > PILED_UP * arrived))
    missed = np.where(lost - SPREAD * np.sqrt(lost) > SHORT * arrived, lost, 0.0)
    missed[-1] = share_lost * arrived[-1]
    short = (missed + np.where(surely, grown, 0)) / np.maximum(arrived, 1)
    worst = float(short[counted].max(initial=0.0))
    return 1.0 - min(worst, 1.0) if worst > SHORT else 1.0


def _under_way(at: Snapshot) -> np.ndarray:
    """Requests of each class that have arrived and not ended."""
    under_way: np.ndarray = at.arrived - at.completed - at.rejected - at.failed
    return under_way


def _with_total(of_classes: np.ndarray) -> np.ndarray:
    """Numbers of the classes, and of all together."""
    return np.append(of_classes, of_classes.sum())


def of_raised(scenario: Scenario, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """What became of the requests whose rate is raised: of the first of several workloads, beside which the others stay as they are."""
    first = next(iter(scenario.workloads), None)
    return outcomes if first is None else [o.of(first) for o in outcomes]

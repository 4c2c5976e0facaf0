"""One scenario, all its platforms, as many replications as it asks for: a Result."""

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from simvirt.catalog import Catalog
from simvirt.errors import ScenarioError, SimulationError, SimvirtError, StandstillError, UsageError
from simvirt.metrics import summary
from simvirt.metrics.outcome import Outcome
from simvirt.metrics.saturated import INTERRUPTED, Saturation
from simvirt.metrics.statistics import next_replications
from simvirt.metrics.steadiness import course_of, own_variance
from simvirt.metrics.warnings import Seen, short_slices, warnings
from simvirt.plane import Stopped
from simvirt.result import frames, provenance
from simvirt.result.displayed import Displayed
from simvirt.result.run_document import NOT_ASKED, PlatformResult, RunDocument
from simvirt.result.run_sentence import answer
from simvirt.result.theory import NoTheory, TheoryResult
from simvirt.runs.admission import assumptions, catalog_of
from simvirt.runs.pool import Halt, Inline, at_a_time, in_order, workers
from simvirt.runs.replicate import Measured, Progress, replicate
from simvirt.runs.saturation import saturation
from simvirt.runs.theory_beside import theory
from simvirt.runs.until_ready import too_short
from simvirt.scenario.spec.models import PlatformSpec, Scenario
from simvirt.trace.recorder import Traced
from simvirt.trace.window import Trace, Window, window_of
from simvirt.workload.processors import on_host


@dataclass(frozen=True)
class ProgressEvent:
    """How far one replication of a platform is, or the search for its maximum throughput, which comes last.

    `searched` counts the runs of that search, whose length nobody knows before: `done_ratio` then is 1; it is 0 for a replication.
    """

    platform: str
    replication: int
    replications: int
    done_ratio: float
    events: int
    wall_s: float
    searched: int = 0


MOST_NS = 1_200_000_000_000
MOST_EVENTS = 20_000_000
"""A run whose length is the program's choice is not made longer than this [ns], nor for more events than this in a replication."""
STEP_NS = 10_000_000_000

ProgressCallback = Callable[[ProgressEvent], None]


@dataclass(repr=False)
class Result(Displayed):
    """What a scenario's platforms did; `typed()` is the document, `document()` its JSON, `frame()` one row a platform."""

    scenario: Scenario
    seed: int
    replications: int
    measured: dict[str, list[Measured]]
    theory: TheoryResult | NoTheory | None = None
    wall_s: float = 0.0
    interrupted: bool = False
    failed: dict[str, str] = field(default_factory=dict)
    standstill: bool = True
    """Whether all that failed did so because no time passes."""
    notes: list[str] = field(default_factory=list)
    assumptions: tuple[str, ...] = ()
    saturation: dict[str, Saturation] = field(default_factory=dict)
    catalog: Catalog | None = None
    """The entries with which it was simulated; no part of the document."""

    def outcomes(self, platform: str) -> list[Outcome]:
        """The replications of a platform."""
        return [m.outcome for m in self.measured[platform]]

    @property
    def traced(self) -> Traced | None:
        """What became of the trace that was asked for; no part of the document."""
        return next((m.traced for measured in self.measured.values() for m in measured if m.traced is not None), None)

    def typed(self) -> RunDocument:
        """The result as a typed document; times in seconds, sizes in bytes, ratios 0 to 1."""
        complete = {name: self.outcomes(name) for name in self.measured if self.measured[name]}
        document = RunDocument(
            simvirt=provenance.program(),
            scenario=provenance.name_of(self.scenario),
            seed=self.seed,
            replications=self.replications,
            wall_s=self.wall_s,
            platforms={name: self._platform(name) for name in complete},
            comparison=summary.comparison(complete),
            assumptions=self.assumptions,
            warnings=tuple(self.warnings()),
            **self._where_it_applies(),
        )
        return document.model_copy(update={"answer": answer(document)})

    def _platform(self, name: str) -> PlatformResult:
        """A platform's part of the result; without a maximum throughput where that was not asked for, or the search was interrupted."""
        none = Saturation(reason=INTERRUPTED if self.interrupted else NOT_ASKED)
        return summary.platform_result(self.scenario, self.outcomes(name), self.saturation.get(name, none))

    def _where_it_applies(self) -> dict[str, Any]:
        """Keys that only some results have."""
        theory = {} if self.theory is None else {"theory": self.theory}
        return theory | ({"interrupted": True} if self.interrupted else {}) | ({"failed": self.failed} if self.failed else {})

    def fail(self, name: str, why: Exception) -> None:
        """A platform could not be simulated: what there is of it is left out."""
        own = isinstance(why, SimvirtError)
        said = str(why).removeprefix(f"{name}: ") if own else f"{type(why).__name__}: {why}" if str(why) else type(why).__name__
        self.failed.setdefault(name, said)
        self.standstill = self.standstill and isinstance(why, StandstillError)
        self.measured.pop(name, None)

    def document(self) -> dict[str, Any]:
        """The result as the document that `--format json` prints."""
        return self.typed().document()

    def warnings(self) -> list[str]:
        """What makes the numbers misleading, platform by platform."""
        found = [*self.notes, *(f"{name}: it could not be simulated: {reason}" for name, reason in self.failed.items())]
        for name, measured in self.measured.items():
            if measured:
                found += [f"{name}: {sentence}" for sentence in warnings(self._seen(name))]
        return found

    def _seen(self, name: str) -> Seen:
        """What there is to say of a platform."""
        most = Saturation() if self.scenario.workloads else self.saturation.get(name, Saturation())
        return Seen(self.scenario, self.outcomes(name), most)

    def frame(self) -> frames.Frame:
        """One row a platform as columns of equal length, estimates with their ends, for `pandas.DataFrame(result.frame())` and the like."""
        return frames.of_run(self.typed())

    def summary(self) -> str:
        """Which scenario, on which platforms, and the answer."""
        document = self.typed()
        return f"{self.scenario.name}: {', '.join(self.measured)}. {document.answer}"


@dataclass(frozen=True)
class Asked:
    """How replications are to be run: of which scenario, with which catalogue, how many at a time, what hears of their progress."""

    scenario: Scenario
    catalog: Catalog
    jobs: int
    progress: ProgressCallback | None
    cancel: Event | None = None
    trace: Window | None = None

    def reporting(self, platform: str, number: int, replications: int) -> Progress:
        """What hears how far one replication is."""

        def report(done: float, events: int, wall: float) -> None:
            if self.progress is not None:
                self.progress(ProgressEvent(platform, number + 1, replications, done, events, wall))

        return report

    def searching(self, platform: str, replications: int) -> Callable[[int, int], None]:
        """What hears of the runs in which the maximum throughput of a platform is looked for."""
        started = time.perf_counter()

        def report(runs: int, events: int) -> None:
            if self.progress is not None:
                self.progress(ProgressEvent(platform, replications, replications, 1.0, events, time.perf_counter() - started, runs))

        return report


def run(
    scenario: Scenario, jobs: int = 1, progress: ProgressCallback | None = None, maximum: bool = True, cancel: Event | None = None,
    trace: Trace | Window | str | Path | None = None,
) -> Result:
    """Simulate every platform of a scenario, side by side, with the same draws; with `maximum` its maximum throughput is looked for too.

    `jobs` replications run at a time, 0 for one per CPU; it changes no number. ScenarioError where the scenario does not fit the
    catalogue; SimulationError where no platform could be simulated, while one that could not be leaves the others as they are.
    Where neither a duration nor requests are stated, the run is made longer than the default where its intervals need it.
    Ctrl-C keeps the replications that are complete; KeyboardInterrupt when there are none. So does `cancel`, a `threading.Event`, once it
    is set, from any thread: the result then is `interrupted`, and empty where nothing is complete. A `trace`, or the name of its file,
    is a timeline of a part of the run, which changes nothing else; UsageError where it asks for what there is not.
    """
    started = time.perf_counter()
    catalog, spec = catalog_of(scenario), scenario.run
    window = trace if trace is None or isinstance(trace, Window) else window_of(trace, scenario)
    asked = Asked(on_host(scenario, catalog, scenario.first_host), catalog, at_a_time(jobs), progress, cancel, window)
    result = Result(scenario, spec.seed, spec.replications, {p.name: [] for p in scenario.platforms})
    try:
        _simulate(asked, result)
        if maximum:
            _saturate(asked, result)
    except KeyboardInterrupt:
        if not any(result.measured.values()):
            raise
        result.interrupted = True
    except Stopped:
        result.interrupted = True
    if not result.measured:
        failed = StandstillError if result.standstill else SimulationError
        raise failed("; ".join(f"{name}: {reason}" for name, reason in result.failed.items()))
    for name, pool in scenario.pools.items():
        where = ".".join(scenario.path_of_pool(name))
        result.notes += short_slices(pool.scheduler, catalog.resolve_host(pool.host).tick_ns, where)
    if not result.interrupted:
        result.notes += too_short(asked.scenario, catalog, {name: result.outcomes(name) for name in result.measured})
    result.catalog = catalog
    result.assumptions = assumptions(scenario, catalog)
    result.theory = theory(asked.scenario, catalog)
    result.wall_s = time.perf_counter() - started
    return result


def _simulate(asked: Asked, result: Result) -> None:
    """All replications: those that are asked for, longer ones where the length is free and too short, more where a precision wants them."""
    spec = asked.scenario.run
    _fill(asked, result, spec.replications)
    if spec.length_is_free and (duration := _length_wanted(result)) > (spec.duration or 0):
        asked = replace(asked, scenario=asked.scenario.model_copy(update={"run": spec.lasting(duration)}))
        result.measured = {name: [] for name in result.measured}
        _fill(asked, result, spec.replications)
    if spec.precision is not None:
        _refine(asked, result, spec.precision, spec.max_replications)


def _length_wanted(result: Result) -> int:
    """The length that the platforms' latencies ask for, as far as it is not too much work [ns]; 0 where they are content."""
    found = 0.0
    for name in result.measured:
        outcomes = result.outcomes(name)
        for workload, view in result.scenario.alone.items():
            course = course_of(view, [o.of(workload) for o in outcomes])
            if course is not None and course.short_of_wish:
                most = MOST_EVENTS / max(o.events for o in outcomes) * course.simulated_s
                found = max(found, min(course.needed_s, most) * 1e9)
    return min(math.ceil(found / STEP_NS) * STEP_NS, MOST_NS)


def _refine(asked: Asked, result: Result, precision: float, most: int) -> None:
    """Add replications until every platform's mean latency and throughput are as precise as asked, or there are enough of them."""
    while (wanted := _replications_wanted(result, precision, max(most, result.replications))) > result.replications:
        _fill(asked, result, wanted)
    if _replications_wanted(result, precision, 10**6) > result.replications:
        result.notes.append(f"a precision of {precision:.1%} is not reached after {result.replications} replications")


def _replications_wanted(result: Result, precision: float, most: int) -> int:
    """How many replications the platform that needs most of them needs."""
    every = [[o.of(workload) for o in result.outcomes(name)] for name in result.measured for workload in result.scenario.alone]
    return max((next_replications(_measures(o), precision, most, {"latency": own_variance(o)}) for o in every), default=0)


def _measures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What the precision is asked of."""
    found: dict[str, list[float | None]] = {
        "latency": [o.latency_mean_s for o in outcomes],
        "throughput": [o.throughput_per_s for o in outcomes],
    }
    return {name: values for name, values in found.items() if not any(v is None or np.isnan(v) for v in values)}


def _fill(asked: Asked, result: Result, total: int) -> None:
    """Run the replications that are missing to a total, on every platform that can be simulated."""
    wanted = [spec for spec in asked.scenario.platforms if spec.name in result.measured]
    tasks = [(spec, number) for number in range(total) for spec in wanted if number >= len(result.measured[spec.name])]
    result.replications = total
    halt = Halt(asked.cancel)

    def task(what: tuple[PlatformSpec, int]) -> tuple[str, Measured | Exception]:
        return what[0].name, _replication(asked, what[0], what[1], total, halt)

    with _pool(asked, halt) as pool:
        for name, measured in in_order(pool, task, tasks):
            if isinstance(measured, Exception):
                result.fail(name, measured)
            elif name in result.measured:
                result.measured[name].append(measured)


def _pool(asked: Asked, halt: Event) -> AbstractContextManager[Executor]:
    """What runs as many tasks at a time as asked."""
    return nullcontext(Inline()) if asked.jobs <= 1 else workers(asked.jobs, halt)


def _saturate(asked: Asked, result: Result) -> None:
    """Search the maximum throughput of every platform."""
    halt = Halt(asked.cancel)

    def task(spec: PlatformSpec) -> tuple[str, Saturation]:
        platform, outcomes = asked.catalog.platform(spec), result.outcomes(spec.name)
        hear = asked.searching(spec.name, result.replications)
        try:
            return spec.name, saturation(asked.scenario, asked.catalog, platform, result.seed, outcomes, halt, hear)
        except Stopped:
            raise
        except Exception as error:  # the replications stand without it
            return spec.name, Saturation(reason=f"the search failed: {type(error).__name__}: {error}")

    with _pool(asked, halt) as pool:
        for name, found in in_order(pool, task, [spec for spec in asked.scenario.platforms if result.measured.get(spec.name)]):
            result.saturation[name] = found


def _replication(asked: Asked, spec: PlatformSpec, number: int, total: int, halt: Event) -> Measured | Exception:
    """One replication of a platform, or why it could not be simulated."""
    report = asked.reporting(spec.name, number, total)
    try:
        measured = replicate(
            asked.scenario, asked.catalog, asked.catalog.platform(spec), asked.scenario.run.seed, number, report, halt,
            trace=asked.trace if asked.trace is not None and (spec.name, number) == (asked.trace.platform, 0) else None,
        )
    except (ScenarioError, UsageError, Stopped):
        raise
    except Exception as error:
        return error
    report(1.0, measured.outcome.events, measured.outcome.wall_s)
    return measured

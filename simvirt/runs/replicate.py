"""One scenario, one platform, one replication: lower, run, measure."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Event

import numpy as np

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin as begin_from_state
from simvirt.control.lifecycle import begin
from simvirt.control.memory import follow_all
from simvirt.control.observer import Series, observe
from simvirt.errors import SimulationError
from simvirt.gauges import Mark, Snapshot, mark, snapshot
from simvirt.lowering.lower import Lowered, lower
from simvirt.lowering.traffic import clients_of
from simvirt.metrics.answers import Spread, classes_of_loads
from simvirt.metrics.availability import course
from simvirt.metrics.events import happening
from simvirt.metrics.machines import fleet
from simvirt.metrics.measure import measured
from simvirt.metrics.outcome import Outcome
from simvirt.metrics.scaling import courses
from simvirt.metrics.steadiness import reduced, steady
from simvirt.orchestration.requested import as_requested
from simvirt.plane import DataPlane, Stopped
from simvirt.runs.feeding import as_written, feed
from simvirt.scenario.bounds import CPU_TIME_NS, LATEST_NS
from simvirt.scenario.slots import as_acted_on
from simvirt.scenario.spec.models import Scenario
from simvirt.trace.recorder import Traced, completed, traced
from simvirt.trace.window import Window
from simvirt.workload.draws import RequestStream
from simvirt.workload.streams import Phases

WARMUP = 5
"""One part in so many of a steady run is warm-up, unless it is stated: a fixed part, because a cut that is chosen by the latencies
themselves prefers the runs in which they are low. Source: Grassmann, Warm-up periods in simulation can be detrimental, 2008."""
STEADY = 0.95
"""Clients that are answered at the end at this share of the rate before ask as before: all of the run is measured then."""
SNAPSHOTS = 64  # kept at most; with twice the spacing whenever there are as many
GUESS_NS = 1_000_000  # spacing of the first snapshots of a run whose length is not known
REPORT_EVERY_S = 0.1

Progress = Callable[[float, int, float], None]  # done ratio, events, wall seconds


@dataclass(frozen=True)
class Measured:
    """A replication's numbers, and whether it was given up before its end."""

    outcome: Outcome
    given_up: bool = False
    traced: Traced | None = None


class Recorder:
    """Marks at equal distances from the start, never more than SNAPSHOTS, and a snapshot where a stated warm-up ends.

    Those from which on a run may be measured are snapshots: without a stated warm-up those of the first fifth, of all of it where its
    `end` [ns] is not known. `loaded` is the last one at which clients still had requests to make, of which there are `requests` at most.
    """

    def __init__(
        self, plane: DataPlane, spacing: int, warmup: int | None, requests: int | None = None, end: float = math.inf
    ) -> None:
        self.plane, self.spacing, self.warmup, self.requests, self.end = plane, max(spacing, 1), warmup, requests, end
        self.started = snapshot(plane, 0)
        self.kept: list[Mark] = [self.started]
        self.at_warmup: Snapshot | None = self.started if warmup == 0 else None
        self.loaded: Snapshot | None = None
        self.given_up = False

    def next_at(self) -> int:
        """Instant of the next snapshot [ns]."""
        at = self.kept[-1].at + self.spacing
        if self.warmup is not None and self.at_warmup is None:
            at = min(at, self.warmup)
        return at

    def take(self, at: int) -> None:
        """Take a mark, or a snapshot where one may be needed; thin out when there are too many."""
        loaded = self.requests is not None and int(self.plane.read("source", "handed")[0]) < self.requests
        taken: Mark
        if loaded or at == self.warmup or (self.warmup is None and at * WARMUP <= self.end):
            taken = snapshot(self.plane, at)
            self.at_warmup = taken if at == self.warmup else self.at_warmup
            self.loaded = taken if loaded else self.loaded
        else:
            taken = mark(self.plane, at)
        if at >= self.kept[-1].at + self.spacing:
            self.kept.append(taken)
        if len(self.kept) > SNAPSHOTS:
            self.kept = self.kept[::2]
            self.spacing *= 2

    def window(self, last: Snapshot) -> tuple[Snapshot, Snapshot]:
        """What is measured of a run that ended at `last`: from the end of the warm-up on, which is the first fifth unless it is stated.

        A run that was given up before has been hopeless from its beginning on; of one that ended before nothing is measured. What
        clients do once they have no more requests to make, and ever fewer of them ask, is not measured, unless it is most of the run.
        """
        if self.warmup is None:
            whole = (s for s in self.kept if isinstance(s, Snapshot) and s.at * WARMUP <= last.at)
            first = max(whole, key=lambda s: s.at)
        elif self.at_warmup is not None and self.at_warmup.at < last.at:
            first = self.at_warmup
        else:
            first = self.started if self.given_up else last
        if self.loaded is None or self.loaded.at <= first.at:
            return first, last
        answered, then = (int((to.completed - first.completed).sum()) for to in (last, self.loaded))
        drained = (answered - then) * (self.loaded.at - first.at) < STEADY * then * (last.at - self.loaded.at)
        return first, self.loaded if 2 * then >= answered and drained else last

    def pieces(self, first: Snapshot, last: Snapshot, classes: slice) -> np.ndarray:
        """Histograms of some classes' latencies in the equally long pieces between snapshots that lie between two others."""
        totals = np.array([s.histogram[classes].sum(axis=0) for s in (first, *self.kept) if first.at < s.at <= last.at], dtype=np.int32)
        return np.diff(totals, axis=0) if len(totals) else totals


def batches_between(plane: DataPlane, first: int, last: int, row: int = 0) -> np.ndarray:
    """Means of consecutive batches of latencies that were complete between two instants [s], of all requests or of a workload."""
    n, size = int(plane.read("tallies", "batch_count")[row]), int(plane.read("tallies", "batch_size")[row])
    at = row * int(plane.read("tallies", "batch_capacity")[0])
    ends = plane.read("tallies", "batch_at")[at:at + n]
    means: np.ndarray = plane.read("tallies", "batch_sum")[at:at + n] / size / 1e9
    return reduced(means[(ends > first) & (ends <= last)])


def make_plane(scenario: Scenario, catalog: Catalog, platform: Platform, seed: int, replication: int) -> DataPlane:
    """The data plane of one replication, at its start."""
    acted = as_acted_on(scenario, platform)
    if platform.reserves == "requests":
        acted = as_requested(acted, catalog.resolve_hosts(scenario)[0].memory)
    return plane_of(lower(acted, catalog, platform, Phases(seed, replication)), seed, replication)


def plane_of(lowered: Lowered, seed: int, replication: int) -> DataPlane:
    """The data plane of one replication of what has been lowered."""

    def stream(load: int, limit: int | None) -> RequestStream:
        return as_written(lowered, load, limit, seed, replication)

    return DataPlane(lowered, feed(lowered, stream, lowered.scenario.run.requests), seed, replication)


def replicate(
    scenario: Scenario, catalog: Catalog, platform: Platform, seed: int, replication: int, progress: Progress | None = None,
    halt: Event | None = None, hopeless: Callable[[DataPlane], bool] | None = None, trace: Window | None = None,
) -> Measured:
    """Simulate one replication of a platform; Stopped where `halt` is set, before it begins or meanwhile.

    It is given up when `hopeless`, asked some 64 times in a run, says so. A `trace` of a part of it changes nothing.
    """
    if halt is not None and halt.is_set():
        raise Stopped
    plane = make_plane(scenario, catalog, platform, seed, replication)
    plane.halt = halt
    clock = Clock(plane)
    cluster = _begin(clock, plane.lowered.scenario, catalog)
    if plane.lowered.memory.follows:
        follow_all(clock)
    if cluster is not None and trace is not None:
        cluster.keep_all()
    series = Series()
    if scenario.run.observe is not None:
        clock.process(observe(clock, scenario.run.observe, series))
    last = math.inf if scenario.run.duration is None else float(scenario.run.duration)
    recorder = Recorder(plane, _spacing(scenario), _warmup(scenario), scenario.run.requests if _drains(scenario) else None, last)
    started = time.perf_counter()
    try:
        with traced(plane, trace) as timeline:
            ended = _run(clock, recorder, scenario.run.duration, scenario.run.requests, started, progress, hopeless)
            written = completed(timeline, ended, cluster) if timeline is not None else None
    except SimulationError as error:
        raise type(error)(f"{platform.name}: {error}") from None
    wall = time.perf_counter() - started
    outcome = _measured(plane, recorder, end := snapshot(plane, ended), wall, series)
    return Measured(outcome if cluster is None else _lived(outcome, plane, recorder, end, cluster), recorder.given_up, written)


def _lived(outcome: Outcome, plane: DataPlane, recorder: Recorder, end: Snapshot, cluster: Cluster) -> Outcome:
    """An outcome with what became of instances, and how available the system was where something fails or an autoscaler acts."""
    scenario = plane.lowered.scenario
    found = course(plane, recorder.kept, end, cluster) if scenario.fails or scenario.autoscales else None
    return replace(
        outcome, lives=cluster.lives, moves=tuple(cluster.moves), course=found, scaled=courses(cluster, end.at),
        happening=happening(cluster), fleet=fleet(cluster, end.at))


def _begin(clock: Clock, scenario: Scenario, catalog: Catalog) -> Cluster | None:
    """What is there before the first request; the cluster in which starts are followed, where there is one."""
    if scenario.followed:
        return begin_from_state(clock, scenario, catalog)
    begin(clock, scenario)
    return None


def _warmup(scenario: Scenario) -> int | None:
    """The warm-up that is stated [ns]; none of a load that varies, which is measured as a whole."""
    stated = scenario.run.warmup
    return int(stated) if stated is not None else None if steady(scenario) else 0


def _measured(plane: DataPlane, recorder: Recorder, end: Snapshot, wall: float, series: Series) -> Outcome:
    """The numbers of a replication that has ended."""
    first, last = recorder.window(end)
    arriving = [s for s in recorder.kept if s.arrived.sum() < end.arrived.sum()]
    rows = len(plane.read("tallies", "batch_count"))
    courses = [
        Spread(batches_between(plane, first.at, last.at, row % rows), recorder.pieces(first, last, classes))
        for row, classes in enumerate([slice(None), *classes_of_loads(plane)])
    ]
    sampled = series if series.at_s else _series(recorder.kept, [one.name for one in plane.lowered.subscriptions])
    return measured(plane, first, last, end, wall_s=wall, arriving=arriving, courses=courses, series=sampled.document())


def _series(marks: Sequence[Mark], lines: Sequence[str]) -> Series:
    """The samples of a run that nothing observes."""
    series = Series([mark.at / 1e9 for mark in marks], completed=[int(mark.completed.sum()) for mark in marks])
    series.in_system, series.busy_cpus, series.queued = (
        [getattr(mark, name) for mark in marks] for name in ("in_system", "busy_cpus", "queued"))
    for one in marks:
        series.note_lines(lines, one.in_line)
    return series


def _drains(scenario: Scenario) -> bool:
    """Whether fewer and fewer clients ask at the end of a run that ends by requests; a lone client asks until the last one."""
    return len(scenario.alone) == 1 and clients_of(scenario)[0] > 1


def _spacing(scenario: Scenario) -> int:
    """Distance of the first snapshots [ns]."""
    if scenario.run.duration is not None:
        return int(scenario.run.duration) // SNAPSHOTS
    arriving = [view.workload.open for view in scenario.alone.values() if view.workload is not None]
    rates = [spec.mean_rate for spec in arriving if spec is not None]
    if rates and scenario.run.requests is not None:
        return int(min(scenario.run.requests / sum(rates) * 1e9, LATEST_NS)) // SNAPSHOTS
    return GUESS_NS


def _run(
    clock: Clock, recorder: Recorder, duration: int | None, requests: int | None, started: float, progress: Progress | None,
    hopeless: Callable[[DataPlane], bool] | None,
) -> int:
    """Run to the end of the duration, until all requests are answered, or until it is hopeless; the instant of the end [ns]."""
    plane, reported = clock.plane, started
    last = _last_instant(plane) if duration is None else int(duration)
    while clock.now < last:
        at = min(recorder.next_at(), last)
        clock.run(until=at)
        if plane.full or (plane.over and requests is not None):
            return max(plane.now, recorder.kept[-1].at)
        recorder.take(at)
        if plane.halt is not None and plane.halt.is_set():
            raise Stopped
        if hopeless is not None and hopeless(plane):
            recorder.given_up = True
            return at
        if progress is not None and time.perf_counter() - reported > REPORT_EVERY_S:
            reported = time.perf_counter()
            progress(_done(plane, clock, duration, requests), int(plane.read("run", "events")[0]), reported - started)
    plane.cut_off = duration is None
    return last


def _last_instant(plane: DataPlane) -> int:
    """How far the clock of a run that ends with its requests can go: until its hosts' CPU time cannot be counted any more [ns]."""
    return int(min(LATEST_NS, CPU_TIME_NS // sum(host.pcpus for host in plane.lowered.hosts)))


def _done(plane: DataPlane, clock: Clock, duration: int | None, requests: int | None) -> float:
    """How far a run is."""
    if duration is not None:
        return float(clock.now / duration)
    return float(plane.read("source", "issued")[0] / requests) if requests else 0.0

"""A placement, simulated: all of its hosts in one run, and what each distinct load of a host has to do there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simvirt.catalog.resolve.economy import load_of
from simvirt.metrics.outcome import Outcome
from simvirt.metrics.statistics import QUANTILES, Ends, bucket_bounds, mean_interval, quantile_interval
from simvirt.metrics.steadiness import course_of
from simvirt.metrics.summary import average
from simvirt.plan.packing import Counts, patterns
from simvirt.plan.placed import POOL, Load, scenario_of
from simvirt.plan.sizing import Case, usable_cpus
from simvirt.result.document import Estimate, Verdict
from simvirt.result.objective import LOST, holds, replicated, verdicts
from simvirt.result.plan_document import MeanLatency
from simvirt.runs.run import run
from simvirt.scenario.spec.experiment import parts_of

OF_HOSTS: Final = ("cpu", "disk", "nic")
Histograms = list[NDArray[np.float64]]
"""Latencies of each replication."""
Told = Callable[[str], None]


@dataclass(frozen=True)
class HostOutcome:
    """One distinct load of a host: what it carries, how many hosts carry it, the mean utilisation of what such a host has."""

    pattern: Counts
    hosts: int
    use: Mapping[str, float]

    def used(self, resource: str) -> float:
        """Mean utilisation of a resource; 0 where the host has none of it to do."""
        return self.use.get(resource, 0.0)


@dataclass(frozen=True)
class Simulated:
    """What the replications of all hosts did, and by what factor they have to be longer for their intervals to be believed."""

    outcomes: tuple[Outcome, ...]
    short_by: float = 1.0

    @property
    def broken(self) -> bool:
        """Whether most replications ended without a steady state."""
        return 2 * sum(o.unstable is not None or o.full_at_s is not None for o in self.outcomes) > len(self.outcomes)


@dataclass(frozen=True)
class System:
    """All hosts of a placement together."""

    hosts: tuple[HostOutcome, ...]
    objective: Mapping[str, Verdict]
    latency_s: MeanLatency
    loads: tuple[tuple[float, int], ...]
    """Throughput of a host over its largest one, and how many hosts have it."""
    resources: dict[str, float]
    """Utilisation of the fullest host's resources, the CPU as throughput over the largest one."""
    stable: bool

    @property
    def met(self) -> bool:
        """Whether the load is carried with the objective met, as far as the values say; whether they are sure their verdicts say."""
        met = all(holds(name, limit) for name, limit in self.objective.items())
        return self.stable and met and all(used < 1 for used in self.resources.values())

    @property
    def binding(self) -> str:
        """The fullest resource."""
        return max(self.resources, key=lambda name: self.resources[name])


@dataclass
class Simulator:
    """Simulates placements of one case; counts how many it simulated."""

    case: Case
    round_trip_ns: float
    jobs: int = 1
    tell: Told = lambda what: None
    done: int = 0
    _systems: dict[Any, System] = field(default_factory=dict)

    def system(self, placed: tuple[Counts, ...], counts: Counts, factor: float) -> System:
        """What a placement does at the stated load times `factor`."""
        key = (tuple(sorted((tuple(sorted(p.items())), n) for p, n in patterns(placed))), tuple(sorted(counts.items())), round(factor, 9))
        if key not in self._systems:
            self._systems[key] = self._simulate(placed, counts, factor)
        return self._systems[key]

    def _simulate(self, placed: tuple[Counts, ...], counts: Counts, factor: float) -> System:
        shapes = patterns(placed)
        busy = [pattern for pattern, number in shapes for _ in range(number) if pattern]
        scenario = scenario_of(self.case, Load(counts, factor, self.round_trip_ns), busy)
        hosts = "" if len(busy) == 1 else f"{len(busy)} hosts: "
        said = ", ".join(f"{n} {c}" for n, c in counts.items() if c)
        self.tell(f"{self.case.platform_spec.name} on {self.case.host.name}: {hosts}{said}")
        measured = run(scenario, jobs=self.jobs, maximum=False)
        self.done += 1
        outcomes = tuple(measured.outcomes(self.case.platform_spec.name))
        course = course_of(scenario, outcomes)
        return summed(self.case, Simulated(outcomes, 1.0 if course is None else course.short_by), shapes)


def summed(case: Case, found: Simulated, shapes: Sequence[tuple[Counts, int]]) -> System:
    """The system of simulated hosts; `shapes` are their distinct loads, in their order, with how many hosts have each, empty ones last."""
    hosts = tuple(_hosts(found.outcomes, shapes))
    histograms, ends = _entries(case, found.outcomes)
    latency = latency_of(histograms, ends)
    loads = tuple((load_of(min(host.used("host.cpu"), 1.0), case.host), host.hosts) for host in hosts)
    resources = {name: max(host.used(name) for host in hosts) for name in dict.fromkeys(name for host in hosts for name in host.use)}
    resources = {name: used for name, used in resources.items() if not _of_background(case, name)}
    resources["host.cpu"] = max(load for load, _ in loads)
    stable = bool(found.outcomes) and not found.broken and (not case.scenario.mix or all(float(h.sum()) for h in histograms))
    mean = MeanLatency(**{name: estimate.value for name, estimate in latency.items()})
    return System(hosts, _objective(case, found, latency), mean, loads, resources, stable)


def _hosts(outcomes: Sequence[Outcome], shapes: Sequence[tuple[Counts, int]]) -> Iterator[HostOutcome]:
    """Each distinct load of a host; what belongs to none of several hosts is said of all."""
    shared = {name: average([o.resources[name] for o in outcomes]) or 0.0 for name in outcomes[0].resources}
    of_hosts = {f"{name}.{kind}" for name in outcomes[0].hosts for kind in OF_HOSTS}
    shared = {name: used for name, used in shared.items() if name not in of_hosts}
    first = 0
    for pattern, number in shapes:
        own: dict[str, float] = {}
        if of_hosts and pattern:
            names = [f"{POOL}[{row}]" for row in range(first, first + number)]
            own = {f"host.{kind}": average([o.hosts[name][kind] for o in outcomes for name in names]) or 0.0 for kind in OF_HOSTS}
        yield HostOutcome(pattern, number, own | shared if pattern else {})
        first += number


def _of_background(case: Case, resource: str) -> bool:
    """Whether background threads alone decide about a service's CPU limit: no request comes there, or they could use all of it up.

    More replicas, each with threads of its own, would be no less full, and requests elsewhere do not wait for them.
    """
    name, _, kind = resource.rpartition(".")
    spec = case.scenario.services.get(name)
    if spec is None or kind != "cpu":
        return False
    asked = any(visits > 0 for (service, _), visits in case.analysis.visits.items() if service == name)
    own = 0.0 if spec.background is None else spec.background.threads * spec.background.duty
    return not asked or own >= usable_cpus(case, spec)


def _mean_s(histogram: NDArray[np.float64]) -> float | None:
    """Mean of a log-bucketed histogram; None where it is empty."""
    used = np.flatnonzero(histogram)
    if not used.size:
        return None
    lower, width = bucket_bounds(used)
    return float(histogram[used] / histogram[used].sum() @ (lower + (width - 1) / 2)) / 1e9


def latency_of(histograms: Histograms, ends: Sequence[Ends]) -> dict[str, Estimate]:
    """Mean and quantiles of latencies over replications [s], by name; `ends` are the smallest and the largest of each [ns]."""
    whole = [np.rint(h).astype(np.int64) for h in histograms]
    mean = mean_interval([_mean_s(h) for h in histograms])
    return {"mean": mean} | {name: quantile_interval(whole, q, ends=ends) for name, q in QUANTILES.items()}


def _entries(case: Case, outcomes: Sequence[Outcome], operations: Sequence[str] = ()) -> tuple[Histograms, list[Ends]]:
    """Latencies of all requests, or those at some operations, and the smallest and the largest, replication by replication."""
    found: Histograms = []
    ends: list[Ends] = []
    for one in outcomes:
        names = [name for name in operations or entered(case) if name in one.classes]
        if names:
            found.append(np.sum([1.0 * one.classes[name] for name in names], axis=0))
            lows, highs = zip(*(one.class_ends_ns[name] for name in names), strict=True)
            ends.append((min(lows), max(highs)))
    return found, ends


def entered(case: Case) -> list[str]:
    """Operations that requests enter at."""
    split = ((name, name.partition(".")) for name in case.scenario.mix)
    return [name for name, (service, _, operation) in split if case.analysis.visits[service, operation] > 0]


def _objective(case: Case, found: Simulated, latency: Mapping[str, Estimate]) -> dict[str, Verdict]:
    """Each limit of the objective, what was found, and what its interval says of it."""

    def estimate_of(name: str) -> Estimate:
        operation, estimate = parts_of(name)[1], measured(name)
        return LOST if estimate.value is None and (operation is None or _loses(found.outcomes, operation)) else estimate

    def measured(name: str) -> Estimate:
        measure, operation = parts_of(name)
        if operation is not None:
            return latency_of(*_entries(case, found.outcomes, [operation]))[measure.removeprefix("latency_")]
        if name.startswith("latency_"):
            return latency[name.removeprefix("latency_")]
        return _throughput(case, found.outcomes) if name == "throughput" else _rejected(found.outcomes)

    replications = case.scenario.run.replications
    return verdicts(case.scenario.objective, estimate_of, found.short_by, lambda factor: replicated(replications, factor))


def _loses(outcomes: Sequence[Outcome], operation: str) -> bool:
    """Whether requests of an operation were rejected or failed, or there are no numbers at all."""
    return not outcomes or any(o.class_lost.get(operation, 0) for o in outcomes)


def _throughput(case: Case, outcomes: Sequence[Outcome]) -> Estimate:
    """Answers of the whole system per second."""
    answers = ((o, math.fsum(float(o.classes[name].sum()) for name in entered(case) if name in o.classes)) for o in outcomes)
    return mean_interval([count / (o.simulated_s - o.warmup_s) if o.simulated_s > o.warmup_s else 0.0 for o, count in answers])


def _rejected(outcomes: Sequence[Outcome]) -> Estimate:
    """Requests rejected over all, of any operation."""
    return mean_interval([o.requests * o.rejected / o.requests if o.requests else 0.0 for o in outcomes], most=1.0)

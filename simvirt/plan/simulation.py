"""A placement, simulated: every distinct load of a host once, then the system as the mixture of its hosts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from simvirt.catalog.resolve.economy import load_of
from simvirt.metrics.outcome import Outcome
from simvirt.metrics.statistics import QUANTILES, Ends, bucket_bounds, mean_interval, quantile_interval
from simvirt.metrics.steadiness import course_of
from simvirt.metrics.summary import average
from simvirt.plan.onehost import Load, Response, scenario_of, whole
from simvirt.plan.packing import Counts, patterns
from simvirt.plan.sizing import Case, usable_cpus
from simvirt.result.document import Estimate, Verdict
from simvirt.result.objective import LOST, holds, replicated, verdicts
from simvirt.result.plan_document import MeanLatency
from simvirt.runs.run import run
from simvirt.scenario.graph import Name
from simvirt.scenario.spec.experiment import parts_of

PASSES: Final = 4
"""How often hosts are simulated at most, until response times that they see of one another have settled."""
SETTLED: Final = 0.05
Histograms = list[NDArray[np.float64]]
"""Latencies of each replication."""
Told = Callable[[str], None]


@dataclass(frozen=True)
class HostOutcome:
    """One distinct load of a host: what it carries, how many hosts carry it, what its replications did."""

    pattern: Counts
    hosts: int
    outcomes: tuple[Outcome, ...]
    short_by: float = 1.0
    """By what factor its runs have to be longer for their intervals to be believed."""

    def used(self, resource: str) -> float:
        """Mean utilisation of a resource; 0 where the host has none of it to do."""
        return average([o.resources.get(resource) for o in self.outcomes]) or 0.0

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
    """Simulates placements of one case, each distinct load of a host by itself; counts how many it simulated."""

    case: Case
    round_trip_ns: float
    jobs: int = 1
    tell: Told = lambda what: None
    done: int = 0
    _systems: dict[Any, System] = field(default_factory=dict)
    _seen: dict[Name, Response] = field(default_factory=dict)
    """Response times of the placement simulated last: the first guess of the next."""

    def system(self, placed: tuple[Counts, ...], counts: Counts, factor: float) -> System:
        """What a placement does at the stated load times `factor`."""
        key = (tuple(sorted((tuple(sorted(p.items())), n) for p, n in patterns(placed))), tuple(sorted(counts.items())), round(factor, 9))
        if key not in self._systems:
            self._systems[key] = self._simulate(placed, counts, factor)
        return self._systems[key]

    def _simulate(self, placed: tuple[Counts, ...], counts: Counts, factor: float) -> System:
        load = Load(counts, factor, self._seen or guesses(self.case), self.round_trip_ns)
        shapes = patterns(placed)
        alone = any(whole(load, pattern) for pattern, _ in shapes)
        hosts: tuple[HostOutcome, ...] = ()
        for _ in range(PASSES):
            hosts = tuple(self._host(load, pattern, number) for pattern, number in shapes)
            seen = responses(hosts, load.responses)
            if alone or not _called(self.case) or any(h.broken for h in hosts) or _settled(load.responses, seen, _called(self.case)):
                break
            load = replace(load, responses=seen)
        if not alone and not any(h.broken for h in hosts):
            self._seen = dict(responses(hosts, load.responses))
        return summed(self.case, hosts, shares_of(self.case, alone))

    def _host(self, load: Load, pattern: Counts, hosts: int) -> HostOutcome:
        """One distinct load of a host."""
        if not pattern:
            return HostOutcome(pattern, hosts, ())
        scenario = scenario_of(self.case, load, pattern)
        self.tell(f"{self.case.platform_spec.name} on {self.case.host.name}: {', '.join(f'{n} {c}' for n, c in pattern.items())}")
        measured = run(scenario, jobs=self.jobs, maximum=False)
        self.done += 1
        outcomes = measured.outcomes(self.case.platform_spec.name)
        course = course_of(scenario, outcomes)
        return HostOutcome(pattern, hosts, tuple(outcomes), 1.0 if course is None else course.short_by)


def guesses(case: Case) -> dict[Name, Response]:
    """Response times before anything is simulated: demands without waiting, callees included, as variable as an exponential one."""
    return {name: Response(time, 1.0) for name, time in case.analysis.times.items()}


def _called(case: Case) -> set[Name]:
    """Operations that others call."""
    return {callee for caller, callee in case.analysis.graph.edges if case.analysis.visits[caller] > 0}


def responses(hosts: tuple[HostOutcome, ...], before: Mapping[Name, Response]) -> dict[Name, Response]:
    """Response times of all operations over all hosts, weighted by how many requests each served; as before where none was."""
    found = dict(before)
    for name in before:
        label = f"{name[0]}.{name[1]}"
        histograms = [host.hosts * o.classes[label] for host in hosts for o in host.outcomes if label in o.classes]
        if histograms and (moments := _moments(sum(histograms[1:], histograms[0].astype(float)))) is not None:
            found[name] = moments
    return found


def _moments(histogram: NDArray[np.float64]) -> Response | None:
    """Mean and coefficient of variation of a log-bucketed histogram; None where it is empty."""
    used = np.flatnonzero(histogram)
    if not used.size:
        return None
    lower, width = bucket_bounds(used)
    values, weights = lower + (width - 1) / 2, histogram[used] / histogram[used].sum()
    mean = float(weights @ values)
    return Response(mean / 1e9, math.sqrt(max(float(weights @ values**2) - mean**2, 0.0)) / mean if mean else 0.0)


def _settled(before: Mapping[Name, Response], after: Mapping[Name, Response], called: set[Name]) -> bool:
    """Whether response times that callers see are those that the hosts have."""
    return all(abs(after[name].mean_s - before[name].mean_s) <= SETTLED * after[name].mean_s for name in called)


def summed(case: Case, hosts: tuple[HostOutcome, ...], shares: Mapping[str, float]) -> System:
    """The system of some simulated hosts; `shares` are those of executions that enter the system."""
    histograms, ends = _entries(hosts, shares)
    throughput = [float(h.sum()) for h in histograms]
    busy = [host for host in hosts if host.outcomes]
    latency = latency_of(histograms, ends)
    loads = tuple((load_of(min(host.used("host.cpu"), 1.0), case.host), host.hosts) for host in hosts)
    names = dict.fromkeys(name for host in busy for name in host.outcomes[0].resources)
    resources = {name: max(host.used(name) for host in busy) for name in names if not _of_background(case, name)}
    resources["host.cpu"] = max(load for load, _ in loads)
    stable = bool(busy) and not any(host.broken for host in busy) and (not case.scenario.mix or all(throughput))
    mean = MeanLatency(**{name: estimate.value for name, estimate in latency.items()})
    return System(hosts, _objective(case, hosts, latency, shares), mean, loads, resources, stable)


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


def latency_of(histograms: Histograms, ends: Sequence[Ends]) -> dict[str, Estimate]:
    """Mean and quantiles of latencies over replications [s], by name; `ends` are the smallest and the largest of each [ns]."""
    whole = [np.rint(h).astype(np.int64) for h in histograms]
    moments = [_moments(h) for h in histograms]
    mean = mean_interval([None if m is None else m.mean_s for m in moments])
    return {"mean": mean} | {name: quantile_interval(whole, q, ends=ends) for name, q in QUANTILES.items()}


def _entries(hosts: tuple[HostOutcome, ...], shares: Mapping[str, float]) -> tuple[Histograms, list[Ends]]:
    """Latencies of the requests that enter the system, and the smallest and the largest, replication by replication."""
    number = min((len(host.outcomes) for host in hosts if host.outcomes), default=0)
    found: Histograms = []
    ends: list[Ends] = []
    for replication in range(number):
        mine = [(host, host.outcomes[replication]) for host in hosts if host.outcomes]
        parts = [(host.hosts * share, o, name) for host, o in mine for name, share in shares.items() if name in o.classes]
        if parts:
            found.append(np.sum([weight * o.classes[name] for weight, o, name in parts], axis=0))
            lows, highs = zip(*(o.class_ends_ns[name] for _, o, name in parts), strict=True)
            ends.append((min(lows), max(highs)))
    return found, ends


def shares_of(case: Case, alone: bool) -> dict[str, float]:
    """Of each operation that requests enter at, the share of its simulated requests that enter there.

    All of them where calls are simulated as calls.
    """
    total = math.fsum(case.scenario.mix.values()) or 1.0
    found = {}
    for name, weight in case.scenario.mix.items():
        service, _, operation = name.partition(".")
        visits = case.analysis.visits[service, operation]
        if visits > 0:
            found[name] = 1.0 if alone else weight / total / visits
    return found


def _objective(
    case: Case, hosts: tuple[HostOutcome, ...], latency: Mapping[str, Estimate], shares: Mapping[str, float]
) -> dict[str, Verdict]:
    """Each limit of the objective, what was found, and what its interval says of it."""

    def estimate_of(name: str) -> Estimate:
        operation = parts_of(name)[1]
        found = measured(name)
        return LOST if found.value is None and (operation is None or _loses(hosts, operation)) else found

    def measured(name: str) -> Estimate:
        measure, operation = parts_of(name)
        if operation is not None:
            return latency_of(*_entries(hosts, {operation: 1.0}))[measure.removeprefix("latency_")]
        if name.startswith("latency_"):
            return latency[name.removeprefix("latency_")]
        return _throughput(hosts, shares) if name == "throughput" else _rejected(hosts)

    replications = case.scenario.run.replications
    return verdicts(
        case.scenario.objective, estimate_of, max(host.short_by for host in hosts), lambda factor: replicated(replications, factor))


def _loses(hosts: tuple[HostOutcome, ...], operation: str) -> bool:
    """Whether some host has rejected or failed requests of an operation, or has no numbers at all."""
    return any(not host.outcomes or any(o.class_lost.get(operation, 0) for o in host.outcomes) for host in hosts)


def _replications(hosts: tuple[HostOutcome, ...]) -> list[list[tuple[int, Outcome]]]:
    """Each replication: the number of hosts and what one of them did, for each distinct load."""
    number = min((len(host.outcomes) for host in hosts if host.outcomes), default=0)
    return [[(host.hosts, host.outcomes[k]) for host in hosts if host.outcomes] for k in range(number)]


def _throughput(hosts: tuple[HostOutcome, ...], shares: Mapping[str, float]) -> Estimate:
    """Answers of the whole system per second."""
    return mean_interval([
        math.fsum(number * _answers(o, shares) / (o.simulated_s - o.warmup_s) for number, o in parts if o.simulated_s > o.warmup_s)
        for parts in _replications(hosts)
    ])


def _answers(outcome: Outcome, shares: Mapping[str, float]) -> float:
    """Answers to requests that enter the system."""
    return math.fsum(float(outcome.classes[name].sum()) * share for name, share in shares.items() if name in outcome.classes)


def _rejected(hosts: tuple[HostOutcome, ...]) -> Estimate:
    """Requests rejected over all, of any operation."""
    found: list[float] = []
    for parts in _replications(hosts):
        total = sum(number * o.requests for number, o in parts)
        found.append(sum(number * o.requests * o.rejected for number, o in parts) / total if total else 0.0)
    return mean_interval(found, most=1.0)

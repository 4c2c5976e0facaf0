"""Replications of a platform as one part of a result: estimates with intervals, bottleneck, objective, comparison."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from simvirt.control.lives import Lives
from simvirt.metrics.availability import availability
from simvirt.metrics.events import happened
from simvirt.metrics.lifecycle import lifecycle
from simvirt.metrics.machines import machines
from simvirt.metrics.messages import subscription_use
from simvirt.metrics.migrations import migrations
from simvirt.metrics.outcome import CATEGORIES, Outcome, ServiceOutcome
from simvirt.metrics.resilience import resilience
from simvirt.metrics.saturated import Saturation, fullest
from simvirt.metrics.scaling import scaling
from simvirt.metrics.statistics import (
    NS_PER_S,
    QUANTILES,
    Ends,
    bucket_bounds,
    mean_interval,
    paired_ratio,
    quantile,
    quantile_interval,
)
from simvirt.metrics.steadiness import course_of, overloaded, own_variance, variance_of_share
from simvirt.result import objective
from simvirt.result.document import CpuShares, Estimate, Latency, MemoryLedger, Verdict
from simvirt.result.run_document import (
    Bottleneck,
    Breakdown,
    Checks,
    Compared,
    ComparedAnswers,
    Comparison,
    DeviceUse,
    Histogram,
    HostUse,
    LimitUse,
    MemoryUse,
    OperationResult,
    PlatformResult,
    Ratio,
    Reclaim,
    Series,
    ServiceMemory,
    ServiceResult,
    WorkloadResult,
)
from simvirt.scenario.spec.experiment import parts_of
from simvirt.scenario.spec.models import Scenario

REPORTED: Final = ("p50", "p90", "p95", "p99")
"""Quantiles of the latencies of services."""
SHARES: Final = ("utilisation", "steal", "throttled", "virtualization")
"""Shares of CPU time that every platform has."""
RATIOS: Final = (*SHARES, "costop", "rejected", "failed")
"""Numbers that cannot exceed 1."""
SEEN: Final = 10.0
"""A replication that expects so many requests of a kind hardly ever has none of them."""
BEYOND: Final = 5.0
"""Of so many requests expected beyond a quantile, over all replications, its interval has an upper end: e^-5 is below 2.5 %."""
OF_SERVICE: Final = (
    "throughput_per_s", "queue_wait_s", "cpu_cores", "threads_busy", "nr_periods", "nr_throttled", "throttled_s", "rejected",
)
COMPARED: Final[Mapping[str, Callable[[Outcome], float | None]]] = {
    "latency_mean": lambda o: o.latency_mean_s,
    "latency_p99": lambda o: quantile(o.histogram, QUANTILES["p99"], o.ends_ns),
    "throughput": lambda o: o.throughput_per_s,
}


# -- over replications ----------------------------------------------------------------------------------------------------------


def over(outcomes: Sequence[Outcome | ServiceOutcome], name: str) -> Estimate:
    """Mean of a number over replications with its 95 % interval."""
    return mean_interval([getattr(o, name) for o in outcomes], most=1.0 if name in RATIOS else np.inf)


def latency_mean(outcomes: Sequence[Outcome]) -> Estimate:
    """Mean latency of requests [s], with what the replications' own batches say of its variance."""
    return mean_interval([o.latency_mean_s for o in outcomes], within=own_variance(outcomes))


def latency_quantile(outcomes: Sequence[Outcome], q: float) -> Estimate:
    """A quantile of the latency of requests [s], with what the replications' own pieces say of its variance."""
    histograms, ends = [o.histogram for o in outcomes], [o.ends_ns for o in outcomes]
    return quantile_interval(histograms, q, ends=ends, within=lambda value_s: variance_of_share(outcomes, value_s))


def average(values: Sequence[float | None]) -> float | None:
    """Mean over the replications that know the value."""
    known = [v for v in values if v is not None and not np.isnan(v)]
    return float(np.mean(known)) if known else None


def averages(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Each number of a table, averaged over replications."""
    return {name: average([table[name] for table in tables]) for name in tables[0]}


def quantiles(histograms: Sequence[np.ndarray], ends: Sequence[Ends], names: Iterable[str] = REPORTED) -> dict[str, Any]:
    """Quantiles of a latency by their names [s]; `ends` are the smallest and the largest of each replication [ns]."""
    return {name: quantile_interval(histograms, QUANTILES[name], ends=ends) for name in names}


def estimate_of(limit: str, outcomes: Sequence[Outcome]) -> Estimate:
    """The number that a limit of an objective is about, by its name; `LOST` where requests ended and none was answered."""
    found = _measured(limit, outcomes)
    return objective.LOST if found.value is None and _asked(limit, outcomes) else found


def _asked(limit: str, outcomes: Sequence[Outcome]) -> bool:
    """Whether requests that a limit is about could have been answered: any that came, of an operation those that were lost."""
    operation = parts_of(limit)[1]
    return any(o.offered_per_s != 0 if operation is None else o.class_lost[operation] > 0 for o in outcomes)


def _measured(limit: str, outcomes: Sequence[Outcome]) -> Estimate:
    """The number itself, unknown where nothing was answered."""
    measure, operation = parts_of(limit)
    if operation is not None:
        return _of_operation(measure, operation, outcomes)
    if measure == "latency_mean":
        return latency_mean(outcomes)
    if measure.startswith("latency_"):
        return latency_quantile(outcomes, QUANTILES[measure.removeprefix("latency_")])
    return over(outcomes, "throughput_per_s" if measure == "throughput" else measure)


def _of_operation(measure: str, operation: str, outcomes: Sequence[Outcome]) -> Estimate:
    """Mean or a quantile of the latency of the requests that enter at an operation [s]."""
    if measure == "latency_mean":
        return mean_interval([o.class_means_s[operation] for o in outcomes])
    name = measure.removeprefix("latency_")
    found: Estimate = quantiles([o.classes[operation] for o in outcomes], [o.class_ends_ns[operation] for o in outcomes], [name])[name]
    return found


def latency(outcomes: Sequence[Outcome], **more: Estimate) -> Latency:
    """Mean and quantiles of the latency of requests [s]."""
    return Latency(mean=latency_mean(outcomes), **{name: latency_quantile(outcomes, q) for name, q in QUANTILES.items()}, **more)


# -- a platform -----------------------------------------------------------------------------------------------------------------


def platform_result(scenario: Scenario, outcomes: Sequence[Outcome], saturation: Saturation) -> PlatformResult:
    """A platform's part of the result; counts and times are those of one replication on average."""
    first = outcomes[0]
    return PlatformResult(
        **_extent(outcomes),
        **_answers(outcomes),
        cpu=cpu(outcomes),
        services={name: service_result([o.services[name] for o in outcomes], service_memory(name, outcomes)) for name in scenario.services},
        operations=operations(outcomes),
        breakdown_s=breakdown(outcomes),
        bottleneck=bottleneck(scenario, outcomes, saturation),
        memory=memory(outcomes),
        limits={row["resource"]: LimitUse(demand=row["demand"], capacity=row["capacity"]) for row in first.limits},
        checks=Checks(**{law: next((o.checks[law] for o in outcomes if o.checks[law] != "ok"), "ok") for law in first.checks}),
        by_replication=by_replication(outcomes),
        **_where_it_applies(scenario, outcomes),
    )


def _extent(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """How much was simulated."""
    counts = {name: round(average([getattr(o, name) for o in outcomes]) or 0) for name in ("requests", "events")}
    times = {name: average([getattr(o, name) for o in outcomes]) for name in ("wall_s", "warmup_s", "simulated_s")}
    return {"replications": len(outcomes), **counts, **times}


def _answers(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What became of the requests."""
    found = latency(outcomes, max=Estimate(max((o.latency_max_s for o in outcomes if o.latency_max_s is not None), default=None)))
    rates = {name: over(outcomes, name) for name in ("throughput_per_s", "rejected", "failed")}
    return {"latency_s": found, "latency_histogram": histogram(outcomes), **rates}


def histogram(outcomes: Sequence[Outcome]) -> Histogram:
    """The latencies of all replications together, by size."""
    counts = np.sum([o.histogram for o in outcomes], axis=0)
    buckets = np.flatnonzero(counts)
    lower, width = bucket_bounds(buckets)
    return Histogram(upper_s=tuple(((lower + width) / NS_PER_S).tolist()), count=tuple(counts[buckets].tolist()))


def by_replication(outcomes: Sequence[Outcome]) -> dict[str, tuple[float | None, ...]]:
    """Each replication's own latencies, throughput and losses; None where it could not measure one."""
    latencies = {f"latency_{name}_s": [quantile(o.histogram, q, o.ends_ns) for o in outcomes] for name, q in QUANTILES.items()}
    named = {"latency_mean_s": "latency_mean_s", "cpu_utilisation": "utilisation"}
    named |= {name: name for name in ("throughput_per_s", "rejected", "failed")}
    every = latencies | {name: [getattr(o, field) for o in outcomes] for name, field in named.items()}
    return {name: tuple(None if value is None or math.isnan(value) else value for value in values) for name, values in every.items()}


def _where_it_applies(scenario: Scenario, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What only some scenarios have: devices of VMs, an objective, samples."""
    first = outcomes[0]
    found: dict[str, Any] = {"layout": first.layout}
    if first.devices:
        found["devices"] = devices(outcomes)
    if scenario.objective is not None:
        found["objective"] = verdicts(scenario, outcomes)
    if scenario.workloads:
        found["workloads"] = {name: workload_result(view, [o.of(name) for o in outcomes]) for name, view in scenario.alone.items()}
    if first.hosts:
        found["hosts"] = {name: HostUse(**averages([o.hosts[name] for o in outcomes])) for name in first.hosts}
    if first.links:
        found["links"] = averages([o.links for o in outcomes])
    if overloaded(outcomes):
        found["overload"] = True
    if first.lives is not None:
        found["lifecycle"] = lifecycle([o.lives or Lives() for o in outcomes])
    if (guards := [o.guarded for o in outcomes if o.guarded is not None]):
        found["resilience"] = resilience(guards)
    if first.messages:
        found["messages"] = {name: subscription_use([o.messages[name] for o in outcomes]) for name in first.messages}
    if (courses := [o.course for o in outcomes if o.course is not None]):
        found["availability"] = availability(scenario, courses)
    if first.scaled:
        found["scaling"] = scaling([o.scaled for o in outcomes])
    if (fleets := [o.fleet for o in outcomes if o.fleet is not None]):
        found["machines"] = machines(fleets)
    if (happenings := [o.happening for o in outcomes if o.happening is not None]):
        found["happened"] = happened(happenings)
    if any(o.moves for o in outcomes):
        found["migrations"] = migrations([o.moves for o in outcomes], [host.name for host in first.layout])
    if first.series:
        found["series"] = Series.model_validate(first.series)
    return found


def workload_result(view: Scenario, outcomes: Sequence[Outcome]) -> WorkloadResult:
    """The part of one of several workloads in the result."""
    objective: dict[str, Any] = {"objective": verdicts(view, outcomes)} if view.objective is not None else {}
    return WorkloadResult(
        requests=round(average([o.requests for o in outcomes]) or 0), **_answers(outcomes), operations=operations(outcomes),
        breakdown_s=breakdown(outcomes), by_replication=by_replication(outcomes), **objective,
    )


def operations(outcomes: Sequence[Outcome]) -> dict[str, OperationResult]:
    """The operations that requests enter at."""
    return {name: operation_result(name, outcomes) for name in outcomes[0].classes}


def breakdown(outcomes: Sequence[Outcome]) -> Breakdown:
    """Where the mean latency goes."""
    return Breakdown(**{name: average([o.breakdown_s[name] for o in outcomes]) or 0.0 for name in CATEGORIES})


def cpu(outcomes: Sequence[Outcome]) -> CpuShares:
    """Shares of CPU time; `costop` where the host's scheduler holds vCPUs back."""
    names = SHARES if outcomes[0].costop is None else (*SHARES, "costop")
    return CpuShares(**{name: over(outcomes, name) for name in names})


def service_result(outcomes: Sequence[ServiceOutcome], memory: ServiceMemory | None = None) -> ServiceResult:
    """A service's part of the result."""
    names = (*OF_SERVICE, *(name for name in ("costop_s", "limit") if getattr(outcomes[0], name) is not None))
    found = quantiles([o.histogram for o in outcomes], [o.ends_ns for o in outcomes])
    latency_s = Latency(mean=over(outcomes, "latency_mean_s"), **found)
    return ServiceResult(latency_s=latency_s, memory=memory, **{name: over(outcomes, name) for name in names})


def service_memory(name: str, outcomes: Sequence[Outcome]) -> ServiceMemory | None:
    """What is seen of a replica's memory, over the replications in which one lived to the end."""
    seen = [o.seen[name] for o in outcomes if name in o.seen]
    return ServiceMemory(**{key: round(average([each[key] for each in seen]) or 0) for key in seen[0]}) if seen else None


def operation_result(name: str, outcomes: Sequence[Outcome]) -> OperationResult:
    """An operation's part of the result."""
    answered = [int(o.classes[name].sum()) for o in outcomes]
    spans = [o.simulated_s - o.warmup_s for o in outcomes]
    tails = quantiles([o.classes[name] for o in outcomes], [o.class_ends_ns[name] for o in outcomes], QUANTILES)
    found = Latency(mean=mean_interval([o.class_means_s[name] for o in outcomes]), **tails)
    rates = mean_interval([count / span if span > 0 else None for count, span in zip(answered, spans, strict=True)])
    return OperationResult(requests=round(average(answered) or 0), throughput_per_s=rates, latency_s=found)


def devices(outcomes: Sequence[Outcome]) -> dict[str, DeviceUse]:
    """What passed the devices of VMs in a replication, and the kicks and interrupts that it took."""
    return {
        role: DeviceUse(**{name: mean_interval([o.devices[role][name] for o in outcomes]) for name in totals})
        for role, totals in outcomes[0].devices.items()
    }


def bottleneck(scenario: Scenario, outcomes: Sequence[Outcome], saturation: Saturation) -> Bottleneck:
    """The resource that saturates first, or where none was seen to the one nearest to its limit; its utilisation; the most throughput."""
    used = {name: value or 0.0 for name, value in averages([o.resources for o in outcomes]).items()}
    name = saturation.resource or fullest(used)
    reason: dict[str, Any] = {"reason": saturation.reason} if saturation.reason else {}
    if scenario.workloads:
        reason["max_throughput_of"] = next(iter(scenario.workloads))
    return Bottleneck(
        resource=name, utilisation=used[name], max_throughput_per_s=saturation.per_s, max_throughput_low_per_s=saturation.low_per_s,
        max_throughput_high_per_s=saturation.high_per_s, resources=without_others(used, outcomes[0].hosts, name), **reason,
    )


def without_others(used: Mapping[str, float], hosts: Mapping[str, Any], named: str) -> dict[str, float]:
    """Utilisations without those of hosts that are not the fullest of their kind, nor `named`."""
    of_hosts = [[f"{host}.{kind}" for host in hosts] for kind in ("cpu", "disk", "nic")]
    kept = {max(names, key=lambda one: used[one]) for names in of_hosts if names} | {named}
    others = {name for names in of_hosts for name in names} - kept
    return {name: value for name, value in used.items() if name not in others}


def memory(outcomes: Sequence[Outcome]) -> MemoryUse:
    """Memory that the platform commits and uses on the host, and what reclaim did where memory was followed [bytes]."""
    first = outcomes[0]
    parts = {name: size for name, size in first.memory.items() if name != "capacity"}
    followed = [o.reclaim[0] for o in outcomes if o.reclaim is not None]
    reclaim: dict[str, Any] = {"reclaim": Reclaim(**averages(followed))} if followed else {}
    return MemoryUse(
        capacity_bytes=first.memory["capacity"], committed_bytes=first.ledger.committed, parts=parts,
        ledger=MemoryLedger(**first.ledger.document()), **reclaim,
        available_bytes=round(average([o.seen[""]["available_bytes"] for o in outcomes]) or 0),
    )


def verdicts(scenario: Scenario, outcomes: Sequence[Outcome]) -> dict[str, Verdict]:
    """Each limit of the objective, what was found, and whether it is met.

    Intervals of a run that is too short count as wider; latencies that grow without end exceed any limit.
    """
    course, growing = course_of(scenario, outcomes), overloaded(outcomes)

    def found(limit: str) -> Estimate:
        estimate = estimate_of(limit, outcomes)
        return Estimate(estimate.value, math.inf, math.inf) if growing and limit.startswith("latency_") else estimate

    def setting(factor: float) -> str | None:
        if any(view.workload is not None and view.workload.trace is not None for view in scenario.alone.values()):
            return objective.replicated(len(outcomes), factor)
        return objective.extended(scenario.run, max(o.simulated_s for o in outcomes), factor)

    def unseen(limit: str) -> float | None:
        return _unseen(limit, scenario, outcomes)

    return objective.verdicts(scenario.objective, found, 1.0 if course is None else course.short_by, setting, unseen)


def _unseen(limit: str, scenario: Scenario, outcomes: Sequence[Outcome]) -> float | None:
    """How many times as much brings enough requests of an operation of which none came; None where they should have come."""
    measure, operation = parts_of(limit)
    come = average([o.offered_per_s * (o.simulated_s - o.warmup_s) for o in outcomes])
    expected = come * scenario.mix.get(operation, 0.0) / math.fsum(scenario.mix.values()) if come and operation is not None else 0.0
    tail = 1 - QUANTILES.get(measure.removeprefix("latency_"), 0.0)
    needed = max(SEEN, BEYOND / tail / len(outcomes)) if tail < 1 else SEEN
    return needed / expected if 0 < expected < SEEN else None


# -- platforms beside each other ------------------------------------------------------------------------------------------------


def comparison(outcomes: Mapping[str, Sequence[Outcome]]) -> Comparison:
    """Every platform over the first one, replication by replication: they met the same luck; empty where there is none."""
    if not outcomes:
        return Comparison()
    baseline, *others = outcomes
    compared: dict[str, Any] = {name: _compared(outcomes[name], outcomes[baseline]) for name in others}
    return Comparison(baseline=baseline, **compared)


def _compared(outcomes: Sequence[Outcome], baseline: Sequence[Outcome]) -> Compared:
    """One platform over the baseline, workload by workload too where there are several."""
    names = outcomes[0].workloads
    each = {name: ComparedAnswers(**_ratios([o.of(name) for o in outcomes], [o.of(name) for o in baseline])) for name in names}
    workloads: dict[str, Any] = {"workloads": each} if each else {}
    return Compared(**_ratios(outcomes, baseline), **workloads)


def _ratios(outcomes: Sequence[Outcome], baseline: Sequence[Outcome]) -> dict[str, Any]:
    """Each measure over that of the baseline."""
    return {measure: _ratio(outcomes, baseline, read) for measure, read in COMPARED.items()}


def _ratio(outcomes: Sequence[Outcome], baseline: Sequence[Outcome], read: Callable[[Outcome], float | None]) -> Ratio:
    """A measure over that of the baseline, from the replications in which both know it."""
    pairs = [(read(a), read(b)) for a, b in zip(outcomes, baseline, strict=False)]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    found = paired_ratio([a for a, _ in known], [b for _, b in known])
    return Ratio(ratio=found.value, low=found.low, high=found.high)

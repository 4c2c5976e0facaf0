"""Replications of a platform as one part of a result: estimates with intervals, bottleneck, objective, warnings."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simvirt.metrics.outcome import CATEGORIES, Outcome, ServiceOutcome
from simvirt.metrics.statistics import mean_interval, paired_ratio, quantile, quantile_interval, quantile_supported, warmup_unfinished
from simvirt.scenario.spec.models import Scenario

QUANTILES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}
NS = 1e9


def estimate(values: Sequence[float | None]) -> dict[str, float | None]:
    """Mean over replications with its 95 % interval."""
    return mean_interval(values).document()


def average(values: Sequence[float | None]) -> float | None:
    """Mean over the replications that know the value."""
    known = [v for v in values if v is not None and not np.isnan(v)]
    return float(np.mean(known)) if known else None


def latency(outcomes: Sequence[Outcome | ServiceOutcome], histograms: Sequence[np.ndarray]) -> dict[str, Any]:
    """Mean and quantiles of a latency."""
    found: dict[str, Any] = {"mean": estimate([o.latency_mean_s for o in outcomes])}
    found |= {name: quantile_interval(histograms, q).document() for name, q in QUANTILES.items()}
    return found


def platform_document(scenario: Scenario, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """A platform's part of the result; counts and times are those of one replication on average."""

    def over(read: Callable[[Outcome], float | None]) -> dict[str, float | None]:
        return estimate([read(o) for o in outcomes])

    latencies = latency(outcomes, [o.histogram for o in outcomes])
    latencies["p999"] = quantile_interval([o.histogram for o in outcomes], 0.999).document()
    latencies["max"] = over(lambda o: o.latency_max_s)
    document = {
        "requests": round(average([o.requests for o in outcomes]) or 0),
        "events": round(average([o.events for o in outcomes]) or 0),
        "wall_s": average([o.wall_s for o in outcomes]),
        "warmup_s": average([o.warmup_s for o in outcomes]),
        "simulated_s": average([o.simulated_s for o in outcomes]),
        "latency_s": latencies,
        "throughput_per_s": over(lambda o: o.throughput_per_s),
        "rejected": over(lambda o: o.rejected),
        "failed": over(lambda o: o.failed),
        "cpu": {name: estimate([getattr(o, name) for o in outcomes]) for name in shares_of_time(outcomes)},
        "services": {name: service_document([o.services[name] for o in outcomes]) for name in scenario.services},
        "operations": {name: {"latency_s": _class(outcomes, name)} for name in outcomes[0].classes},
        "breakdown_s": {name: average([o.breakdown_s[name] for o in outcomes]) or 0.0 for name in CATEGORIES},
        "bottleneck": bottleneck(outcomes),
        "memory": memory(outcomes[0].memory) | {"ledger": outcomes[0].ledger.document()} | reclaim(outcomes),
        "limits": {row["resource"]: {"demand": row["demand"], "capacity": row["capacity"]} for row in outcomes[0].limits},
        "checks": {law: next((o.checks[law] for o in outcomes if o.checks[law] != "ok"), "ok") for law in outcomes[0].checks},
    }
    if outcomes[0].devices:
        document["devices"] = devices(outcomes)
    if scenario.objective is not None:
        document["objective"] = objective(scenario, document, outcomes)
    if outcomes[0].series:
        document["series"] = outcomes[0].series
    return document


def shares_of_time(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Shares of CPU time that are reported; `costop` where the host's scheduler holds vCPUs back."""
    return ("utilisation", "steal", *(("costop",) if outcomes[0].costop is not None else ()), "throttled", "virtualization")


def _class(outcomes: Sequence[Outcome], name: str) -> dict[str, Any]:
    """Quantiles of one operation's latency."""
    histograms = [o.classes[name] for o in outcomes]
    return {label: quantile_interval(histograms, q).document() for label, q in QUANTILES.items()}


def service_document(outcomes: Sequence[ServiceOutcome]) -> dict[str, Any]:
    """A service's part of the result."""
    names = ["throughput_per_s", "queue_wait_s", "cpu_cores", "threads_busy", "nr_periods", "nr_throttled", "throttled_s", "rejected"]
    names += ["costop_s"] if outcomes[0].costop_s is not None else []
    return {"latency_s": latency(outcomes, [o.histogram for o in outcomes])} | {
        name: estimate([getattr(o, name) for o in outcomes]) for name in names
    }


def devices(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    """What passed the devices of VMs in a replication, and the kicks and interrupts that it took."""
    return {
        role: {name: estimate([o.devices[role][name] for o in outcomes]) for name in totals} for role, totals in outcomes[0].devices.items()
    }


def bottleneck(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The resource nearest to its limit, and the throughput at which it would be there (utilisation law)."""
    names = outcomes[0].resources
    used = {name: average([o.resources[name] for o in outcomes]) or 0.0 for name in names}
    name = max(used, key=lambda n: used[n])
    throughput = average([o.throughput_per_s for o in outcomes]) or 0.0
    most = throughput / used[name] if used[name] > 0 else None
    return {"resource": name, "utilisation": used[name], "max_throughput_per_s": most, "resources": used}


def memory(parts: dict[str, int]) -> dict[str, Any]:
    """Memory that the platform commits on the host: limits of the replicas, guest systems, monitors, runtimes [bytes]."""
    committed = {name: size for name, size in parts.items() if name != "capacity"}
    return {"capacity_bytes": parts["capacity"], "committed_bytes": sum(committed.values()), "parts": committed}


def reclaim(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """What reclaim has done in a replication, on average; nothing where memory was not followed."""
    found = [o.reclaim[0] for o in outcomes if o.reclaim is not None]
    return {"reclaim": {name: average([one[name] for one in found]) for name in found[0]}} if found else {}


def objective(scenario: Scenario, document: dict[str, Any], outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Each limit of the objective, what was found, and whether it is met."""
    assert scenario.objective is not None
    found = {}
    for name, limit in scenario.objective.limits.items():
        if name.startswith("latency_"):
            limit, value = limit / NS, document["latency_s"][name.removeprefix("latency_")]["value"]
        else:
            value = document["throughput_per_s" if name == "throughput" else name]["value"]
        met = value is not None and (value >= limit if name == "throughput" else value <= limit)
        found[name] = {"limit": limit, "value": value, "met": bool(met)}
    return found


def comparison(outcomes: dict[str, Sequence[Outcome]]) -> dict[str, Any]:
    """Every platform over the first one, replication by replication: they met the same luck."""
    baseline, *others = outcomes
    document: dict[str, Any] = {"baseline": baseline}
    measures: dict[str, Callable[[Outcome], float | None]] = {
        "latency_mean": lambda o: o.latency_mean_s,
        "latency_p99": lambda o: quantile(o.histogram, 0.99),
        "throughput": lambda o: o.throughput_per_s,
    }
    for name in others:
        document[name] = {}
        for measure, read in measures.items():
            pairs = [(read(a), read(b)) for a, b in zip(outcomes[name], outcomes[baseline], strict=False)]
            known = [(a, b) for a, b in pairs if a is not None and b is not None]
            ratio = paired_ratio([a for a, _ in known], [b for _, b in known]) if known else None
            document[name][measure] = {"ratio": ratio and ratio.value, "low": ratio and ratio.low, "high": ratio and ratio.high}
    return document


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"


def warnings(name: str, scenario: Scenario, outcomes: Sequence[Outcome], batches: Sequence[np.ndarray]) -> list[str]:
    """What makes a platform's numbers misleading."""
    found = []
    growing = [o.unstable for o in outcomes if o.unstable is not None]
    if 2 * len(growing) > len(outcomes):
        found.append(f"{name}: offered load is {np.mean(growing):.2f} x capacity; the numbers of requests and latencies grow without end")
    full = [o.full_at_s for o in outcomes if o.full_at_s is not None]
    if full:
        found.append(f"{name}: ended at {min(full):.3g} s simulated, with a million calls under way; offered load is far beyond capacity")
    if scenario.run.warmup is None and not growing and not full and any(len(b) >= 20 and warmup_unfinished(b) for b in batches):
        found.append(f"{name}: the run is too short to see the end of its warm-up; make it longer")
    ledger = memory(outcomes[0].memory)
    if ledger["committed_bytes"] > ledger["capacity_bytes"]:
        found.append(f"{name}: {_gib(ledger['committed_bytes'])} of memory are committed on a host of {_gib(ledger['capacity_bytes'])}")
    for row in outcomes[0].limits:
        if row["demand"] > row["capacity"] and row["resource"] != "memory":
            found.append(f"{name}: the replicas take {row['demand']:,.0f} of {row['resource']}, of which there are {row['capacity']:,.0f}")
    kills = [kill for o in outcomes if o.reclaim is not None for kill in o.reclaim[1]]
    if kills:
        more = f", and {len(kills) - 1} more in all replications" if len(kills) > 1 else ""
        found.append(f"{name}: {kills[0]}{more}")
    if not outcomes[0].ledger.fits:
        found.append(f"{name}: {_gib(outcomes[0].ledger.swapped)} of the working sets do not fit into memory")
    if not any(o.requests for o in outcomes) and scenario.workload is not None:
        found.append(f"{name}: no request was answered after the warm-up")
    elif scenario.workload is not None and not all(quantile_supported(o.histogram, 0.99) for o in outcomes):
        found.append(f"{name}: p99 rests on fewer than 10 slower requests in each replication; make the run longer")
    if any(o.rejected for o in outcomes):
        found.append(
            f"{name}: {np.mean([o.rejected for o in outcomes]):.2%} of the requests were rejected; latencies are those of the others"
        )
    if any(o.failed for o in outcomes):
        found.append(f"{name}: {np.mean([o.failed for o in outcomes]):.2%} of the requests were lost in crashes")
    return found

"""Documents as columns of equal length: what `frame()` of a result gives, for pandas, polars and duckdb as it is, and as Arrow and Parquet.

An estimate is three columns: `latency_mean_s`, `latency_mean_s_low` and `latency_mean_s_high`. What is not known is NaN, so that columns of
numbers are columns of numbers. Times in seconds, rates per second, ratios 0 to 1, money in US dollars.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final

from simvirt.result import arrow
from simvirt.result.compare_document import Change, CompareDocument
from simvirt.result.density_document import AnswerResult, DensityDocument
from simvirt.result.deploy_document import DeployDocument, Deployment
from simvirt.result.document import UNKNOWN, CpuShares, Estimate, Latency
from simvirt.result.knee_document import KneeDocument, PlatformKnee
from simvirt.result.plan_document import AlternativeResult, PlanDocument
from simvirt.result.run_document import PlatformResult, RunDocument

NOTHING: Final = math.nan
MEMORY: Final = ("free", "page_cache", "swapped", "missing")
SCALED: Final = ("wanted", "ready", "most", "short_s", "grown", "seen_s", "ready_after_s")
HIRED: Final = ("asked", "up", "most", "host_hours", "cost_usd", "added", "removed", "up_after_s")
OF_SERVICES: Final = ("throughput_per_s", "threads_busy", "queue_wait_s", "cpu_cores", "nr_throttled")
READY: Final = ("first", "p50", "p99", "last")
COSTS: Final = ("month_usd", "year_usd", "buy_usd", "energy_kwh")


class Frame(dict[str, list[Any]]):
    """Columns by name, all of one length: a dictionary, and a stream of Arrow for what speaks the Arrow PyCapsule protocol."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any:
        """The columns as Arrow, names dictionary-encoded; UsageError without `simvirt[parquet]`."""
        return arrow.stream(self, requested_schema)

    def to_arrow(self) -> Any:
        """The columns as a table of pyarrow or arro3, which DuckDB reads by its name; UsageError without `simvirt[parquet]`."""
        return arrow.table(self)

    def write_parquet(self, path: str | os.PathLike[str]) -> None:
        """Writes the columns as a Parquet file; UsageError without `simvirt[parquet]`."""
        Path(path).write_bytes(arrow.parquet(self))


def of_rows(rows: Sequence[Mapping[str, Any]]) -> Frame:
    """Rows that may lack keys as columns; None is what is not known."""
    return Frame({key: [NOTHING if row.get(key) is None else row[key] for row in rows] for key in dict.fromkeys(chain.from_iterable(rows))})


def of_run(document: RunDocument) -> Frame:
    """One row a platform."""
    return _columns(
        {"platform": name, "replications": found.replications, "requests": found.requests}
        | dict(_answers(found.latency_s, found.throughput_per_s, found.rejected, found.cpu)) | dict(_ends("failed", found.failed))
        | {"bottleneck": found.bottleneck.resource, "max_throughput_per_s": _number(found.bottleneck.max_throughput_per_s)}
        | {"overload": found.overload} | dict(_of_workloads(found)) | dict(_spent(found)) | dict(_of_starts(found))
        | dict(_of_scaling(found)) | dict(_of_machines(found))
        | dict(_of_failures(found))
        for name, found in document.platforms.items()
    )


def _spent(found: PlatformResult) -> Iterator[tuple[str, float]]:
    """Where the mean latency goes, what holds the memory, how busy each service is."""
    yield from ((f"breakdown_{part}_s", _number(value)) for part, value in found.breakdown_s)
    yield from ((f"memory_{part}_bytes", getattr(found.memory.ledger, f"{part}_bytes")) for part in MEMORY)
    yield "oom_kills", NOTHING if found.memory.reclaim is None else found.memory.reclaim.oom_kills
    for name, service in found.services.items():
        yield from ((f"services.{name}.{measure}", _number(getattr(service, measure).value)) for measure in OF_SERVICES)


def _of_workloads(found: PlatformResult) -> Iterator[tuple[str, Any]]:
    """The answers of several workloads, each under its name."""
    for name, mine in found.workloads.items():
        for key, value in _answers(mine.latency_s, mine.throughput_per_s, mine.rejected, None):
            if not key.startswith("cpu_"):
                yield f"{name}.{key}", value


def _of_starts(found: PlatformResult) -> Iterator[tuple[str, float]]:
    """When instances that were started are ready, and what an instance spends in each phase of its start on average, waits included."""
    if (lives := found.lifecycle) is None:
        return
    yield from (("started", lives.started or 0.0), ("ready", lives.ready or 0.0))
    for name in READY:
        yield from _ends(f"ready_{name}_s", getattr(lives.readiness_s, name))
    for phase in lives.phases:
        yield f"start.{phase.layer}.{phase.phase}_s", _number(phase.mean_s.value)


def _of_scaling(found: PlatformResult) -> Iterator[tuple[str, float]]:
    """How many replicas of each service were wanted and ready, and how long that took; how long too many requests went unanswered."""
    for name, service in (found.scaling.services if found.scaling is not None else {}).items():
        yield from ((f"scaling.{name}.{measure}", _number(getattr(service, measure).value)) for measure in SCALED)


def _of_machines(found: PlatformResult) -> Iterator[tuple[str, float]]:
    """How many hosts each pool that autoscales had, and what they cost; how long replicas waited for them."""
    if (one := found.machines) is not None:
        for name, pool in one.pools.items():
            yield from ((f"machines.{name}.{measure}", _number(getattr(pool, measure).value)) for measure in HIRED)
        yield from ((f"machines.{name}.waiting_s", _number(wait.value)) for name, wait in one.waiting_s.items())


def _of_failures(found: PlatformResult) -> Iterator[tuple[str, Any]]:
    """How available it was; the blast radius of the first failure, the requests lost with it at once, when it was noticed and over."""
    if (one := found.availability) is None:
        return
    yield from (*_ends("available", one.answered), *_ends("downtime_s", one.downtime_s))
    yield from ((f"cause.{name}", _number(value.value)) for name, value in one.causes.items())
    yield from ((f"services.{name}.ready", _number(of.ready.value)) for name, of in one.services.items())
    first = one.outages[0] if one.outages else None
    yield "failures", _number(one.failures)
    yield "blast_instances", 0 if first is None else len(first.instances)
    yield "blast_requests", 0 if first is None else first.requests
    yield "noticed_after_s", _number(None if first is None else first.noticed_after_s)
    yield "recovered_after_s", _number(None if first is None else first.recovered_after_s)


def of_density(document: DensityDocument) -> Frame:
    """One row for each number of instances that was simulated on a platform; `answer` is the largest that holds there."""
    return _columns(row for name, found in document.density.items() for row in _points(name, found))


def _points(name: str, found: AnswerResult) -> Iterator[dict[str, Any]]:
    """The points of a platform's curve, with its answer; that alone where nothing was simulated."""
    common = {"platform": name, "answer": found.n, "binding": found.binding.resource}
    for point in found.curve:
        yield common | {"n": point.n, "verdict": point.verdict} | dict(
            _answers(point.latency_s, point.throughput_per_s, point.rejected, point.cpu)
        )
    if not found.curve:
        yield common | {"n": found.n, "verdict": ""} | dict(_answers(None, UNKNOWN, UNKNOWN, None))


def of_knee(document: KneeDocument) -> Frame:
    """One row for each load that was simulated on a platform, with the platform's knee."""
    return _columns(row for name, found in document.knees.items() for row in _loads(name, found))


def _loads(name: str, found: PlatformKnee) -> Iterator[dict[str, Any]]:
    """The loads of a platform's curve, with its knee and saturation."""
    common = {"platform": name, **dict(_ends("knee", found.knee)), **dict(_ends("saturation_per_s", found.saturation.rate))}
    for point in found.curve:
        yield common | {"rate": point.rate, "verdict": point.verdict} | dict(
            _answers(point.latency_s, point.throughput_per_s, point.rejected, point.cpu)
        )


def of_deployments(document: DeployDocument) -> Frame:
    """One row for each phase of a platform's deployment from a state, with when all is ready; one without a phase where there is none."""
    return _columns(
        row for name, found in document.deployments.items() for state, one in (("cold", found.cold), ("warm", found.warm))
        if one is not None for row in _of_phases(name, state, one)
    )


def _of_phases(platform: str, state: str, found: Deployment) -> Iterator[dict[str, Any]]:
    """The phases of a deployment."""
    common = {"platform": platform, "state": state, "instances": round(found.started), **dict(_ends("ready_s", found.ready_s))}
    measures = ("last_s", "waited_s", "mean_s", "mean_waited_s")
    for phase in found.phases:
        ends = {key: value for name in measures for key, value in _ends(name, getattr(phase, name))}
        yield {**common, "layer": phase.layer, "phase": phase.phase, **ends}
    if not found.phases:
        yield {**common, "layer": "", "phase": "", **{key: value for name in measures for key, value in _ends(name, UNKNOWN)}}


def of_comparison(document: CompareDocument) -> Frame:
    """One row a platform and measure, and of sweeps one for each cell too, whose columns are empty in the former."""
    labels = dict.fromkeys(label for cell in document.cells for label in cell.cell)
    every: list[tuple[dict[str, Any], str, Mapping[str, Change]]] = [
        *((dict.fromkeys(labels, ""), name, measures) for name, measures in document.platforms.items()),
        *((dict(cell.cell), cell.platform, cell.measures) for cell in document.cells),
    ]
    return _columns(_change(cell, name, key, found) for cell, name, measures in every for key, found in measures.items())


def _change(cell: Mapping[str, Any], platform: str, measure: str, found: Change) -> dict[str, Any]:
    """What became of a measure."""
    estimates = (("before", found.before), ("after", found.after), ("difference", found.difference), ("ratio", found.ratio))
    ends = {key: value for name, estimate in estimates for key, value in _ends(name, estimate)}
    return {**cell, "platform": platform, "measure": measure, "verdict": found.verdict, "method": found.method, **ends}


def of_plan(document: PlanDocument) -> Frame:
    """One row an alternative, the cheapest first."""
    return _columns(map(_alternative, document.alternatives))


def _alternative(found: AlternativeResult) -> dict[str, Any]:
    """An alternative: what it costs, and what is fullest in it."""
    return {
        "rank": found.rank, "platform": found.platform, "host": found.host, "feasible": found.feasible, "hosts": _number(found.hosts),
        **{name: NOTHING if found.cost is None else getattr(found.cost, name) for name in COSTS},
        "binding": found.binding.resource if found.binding else "",
        "utilisation": found.binding.utilisation if found.binding else NOTHING,
        "headroom": found.headroom.peak if found.headroom else NOTHING,
        "reason": found.reason or "",
    }


def _answers(latency: Latency | None, throughput: Estimate, rejected: Estimate, cpu: CpuShares | None) -> Iterator[tuple[str, Any]]:
    """Latencies, throughput, rejections and shares of CPU time with the ends of their intervals."""
    for name in Latency.model_fields:
        yield from _ends(f"latency_{name}_s", getattr(latency, name, UNKNOWN))
    yield from (*_ends("throughput_per_s", throughput), *_ends("rejected", rejected))
    for name in CpuShares.model_fields:
        yield from _ends(f"cpu_{name}", getattr(cpu, name, UNKNOWN))


def _ends(name: str, estimate: Estimate) -> Iterator[tuple[str, float]]:
    """An estimate as three columns."""
    yield from ((name, _number(estimate.value)), (f"{name}_low", _number(estimate.low)), (f"{name}_high", _number(estimate.high)))


def _number(value: float | None) -> float:
    return NOTHING if value is None else value


def _columns(rows: Iterable[Mapping[str, Any]]) -> Frame:
    """Rows as columns; what a row lacks is not known of it."""
    found = list(rows)
    return Frame({key: [row.get(key, NOTHING) for row in found] for key in dict.fromkeys(chain.from_iterable(found))})

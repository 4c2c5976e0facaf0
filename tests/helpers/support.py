"""Builders and comparisons that the tests of the physics share."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import yaml

from simvirt import kernel
from simvirt.catalog import Catalog
from simvirt.clock import Clock
from simvirt.control.lifecycle import begin
from simvirt.control.memory import follow_all
from simvirt.plane import DataPlane
from simvirt.metrics.outcome import Outcome
from simvirt.gauges import Snapshot, snapshot
from simvirt.metrics.statistics import quantile
from simvirt.runs.replicate import make_plane, replicate
from simvirt.scenario import loads
from simvirt.scenario.spec.models import Scenario

MS, S = 1_000_000, 1_000_000_000  # ns
COMPILED = kernel.MODE == "compiled" and os.environ.get("SIMVIRT_BOUNDSCHECK", "") in ("", "0")  # a kernel with bounds checks is slow too
SMALLER = 1 if COMPILED else 50  # how much smaller statistical runs are in plain mode


def service(*steps: dict[str, Any], threads: int | str = 1, operation: str = "job", **fields: Any) -> dict[str, Any]:
    """A service with one operation."""
    return {"threads": threads, "operations": {operation: list(steps)}} | fields


def background(threads: int = 1, **fields: Any) -> dict[str, Any]:
    """A service whose threads always want a CPU."""
    return {"background": {"threads": threads}} | fields


def write(services: dict[str, Any], workload: dict[str, Any] | None, run: dict[str, Any], **fields: Any) -> str:
    """A scenario as YAML: a one-core host and bare metal unless told otherwise."""
    document = {"simvirt": 1, "name": "test", "host": {"cores": 1, "memory": "16GiB"}, "platforms": ["bare-metal"]}
    document |= {"services": services, "run": {"replications": 1, "seed": 1} | run}
    if workload is not None:
        document["workload"] = workload
    host = document["host"] | fields.pop("host", {})  # type: ignore[operator]
    return yaml.safe_dump(document | {"host": host} | fields, sort_keys=False)


def scenario(services: dict[str, Any], workload: dict[str, Any] | None, run: dict[str, Any], **fields: Any) -> Scenario:
    """A scenario from its parts, as `write` puts them together."""
    return loads(write(services, workload, run, **fields))


def replications(spec: Scenario, n: int = 1, platform: int = 0) -> list[Outcome]:
    """Independent replications of one platform of a scenario."""
    catalog = Catalog.of(spec)
    chosen = catalog.platform(spec.platforms[platform])
    return [replicate(spec, catalog, chosen, spec.run.seed, number).outcome for number in range(n)]


def means(outcomes: Sequence[Outcome]) -> list[float]:
    """Mean latency of each replication [s]."""
    return [o.latency_mean_s for o in outcomes if o.latency_mean_s is not None]


def quantiles(outcomes: Sequence[Outcome], q: float) -> list[float]:
    """A quantile of the latency of each replication [s]."""
    return [value for o in outcomes if (value := quantile(o.histogram, q)) is not None]


def assert_agrees(values: Sequence[float], expected: float, errors: float = 4.0) -> None:
    """The mean of independent replications lies within so many of its standard errors of what theory says."""
    found, error = float(np.mean(values)), float(np.std(values, ddof=1) / math.sqrt(len(values)))
    assert abs(found - expected) <= errors * error, f"{found:.6g} +- {error:.2g}, expected {expected:.6g}: {(found - expected) / error:+.1f} standard errors"


def assert_sound(outcomes: Sequence[Outcome]) -> None:
    """Every replication passes the checks of its own counters, and its breakdown sums to its mean latency."""
    for outcome in outcomes:
        assert set(outcome.checks.values()) == {"ok"}, outcome.checks
        if outcome.latency_mean_s:
            parts = math.fsum(v for v in outcome.breakdown_s.values() if v is not None)
            assert math.isclose(parts, outcome.latency_mean_s, rel_tol=1e-9), (outcome.breakdown_s, outcome.latency_mean_s)


def begun(spec: Scenario, platform: int = 0, replication: int = 0) -> Clock:
    """The clock of one replication at its start: everything is up, nothing has happened."""
    catalog = Catalog.of(spec)
    clock = Clock(make_plane(spec, catalog, catalog.platform(spec.platforms[platform]), spec.run.seed, replication))
    begin(clock, spec)
    if clock.plane.lowered.memory.follows:
        follow_all(clock)
    return clock


def after(spec: Scenario, seconds: float, platform: int = 0) -> tuple[Clock, Snapshot]:
    """One replication run for so long, and its totals then."""
    clock = begun(spec, platform)
    at = round(seconds * S)
    clock.run(until=at)
    return clock, snapshot(clock.plane, at)


def cpu_seconds(clock: Clock, totals: Snapshot, name: str) -> float:
    """CPU time that a service's replicas have used [s]."""
    return float(totals.cpu_time[clock.plane.instances_of(name)].sum()) / S


def columns(plane: DataPlane) -> dict[str, np.ndarray]:
    """All columns of all tables, by table and column."""
    return {f"{table}.{name}": plane.read(table, name).copy() for table, all_of_them in plane.columns.items() for name in all_of_them}


def differences(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> list[str]:
    """Columns that are not the same bytes."""
    return [name for name in a if a[name].dtype != b[name].dtype or a[name].tobytes() != b[name].tobytes()]


def digests(plane: DataPlane) -> dict[str, str]:
    """A short digest of each column."""
    return {name: hashlib.sha256(column.tobytes()).hexdigest()[:16] for name, column in columns(plane).items()}

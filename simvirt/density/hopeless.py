"""When a simulation need not go on: the objective is missed by far, whatever still comes.

*Model*: a replication is given up when so many answers took `FAR` times the limit already that the quantile of all its requests lies beyond
    that; or, of a steady open load, when so many requests are under way that by Little's law the mean latency is `BACKLOG` times the limit.
"""

from __future__ import annotations

from collections.abc import Callable

from simvirt.density.length import longest_limit_ns, quantile_of, share_of, varies
from simvirt.kernel import constants as k
from simvirt.metrics.statistics import bucket_of
from simvirt.plane import DataPlane
from simvirt.scenario.spec.experiment import parts_of
from simvirt.scenario.spec.models import Scenario

FAR = 4
BACKLOG = 16
SPARE = 1000  # requests under way that are never called a backlog

Watch = Callable[[DataPlane], bool]


def watch_of(scenario: Scenario, rate_per_s: float, duration_ns: int) -> Watch | None:
    """What says that a replication is hopeless; None where the objective has no latency."""
    assert scenario.objective is not None and scenario.workload is not None
    limits = {name: limit for name, limit in scenario.objective.limits.items() if name.startswith("latency")}
    if not limits or scenario.workload.closed is not None:
        return None
    requests = {name: share_of(name, scenario.mix) * rate_per_s * duration_ns / 1e9 for name in limits}
    most = None if varies(scenario) else BACKLOG * rate_per_s * longest_limit_ns(scenario.objective) / 1e9 + SPARE

    def hopeless(plane: DataPlane) -> bool:
        if most is not None and int(plane.read("tallies", "in_system")[0]) > most:
            return True
        return any(_missed(plane, name, limit, requests[name]) for name, limit in limits.items())

    return hopeless


def _missed(plane: DataPlane, name: str, limit: float, requests: float) -> bool:
    """Whether the answers so far make it certain that a limit is missed by far; `requests` are those that it is about."""
    q, operation = quantile_of(name), parts_of(name)[1]
    rows = slice(None) if operation is None else [row for row, of in enumerate(plane.lowered.classes) if of.operation == operation]
    if q is None:
        return float(plane.read("tallies", "latency_sum")[rows].sum()) > FAR * limit * requests
    histogram = plane.read("tallies", "histogram").reshape(-1, k.N_BUCKETS)[rows]
    slow = int(histogram[:, bucket_of(int(FAR * limit)) + 1 :].sum())
    return slow > 2 * (1 - q) * requests

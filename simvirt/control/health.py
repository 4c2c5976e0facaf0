"""Health checks: an instance takes requests once a check has found it well, and counts as unhealthy when some in a row have failed.

*Model*: what is ready is found to be so by the first check that begins then or later; checks begin in intervals from the start of the
    process on, shorter ones while it starts. What answers no more is noticed when as many checks as that takes have failed.
*Ignores*: what checks cost; that one which takes longer than a slow start allows makes an instance unhealthy before it was well.
*Source*: moby/moby daemon/health.go; compose-spec, 05-services.md (healthcheck); constants of the scenario, by default Docker's.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from simvirt.control.cluster import Cluster
from simvirt.orchestration.health import HealthCheck, probe_starts

Process = Generator[simpy.Event, Any, None]


def found_well(cluster: Cluster, row: int, started: int) -> Process:
    """The wait of an instance that is ready for the check that finds it so; its process began at an instant [ns]."""
    spec = cluster.spec_of(row).healthcheck
    if spec is None:
        return
    check = HealthCheck(spec.interval / 1e9, spec.timeout / 1e9, spec.retries, spec.start_period / 1e9, spec.start_interval / 1e9)
    since = (int(cluster.clock.now) - started) / 1e9
    at = next(at for at in probe_starts(check, lambda begun: begun >= since) if at >= since)
    yield cluster.clock.timeout(max(round((at - since) * 1e9), 0))

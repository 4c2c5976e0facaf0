"""Health checks: an instance takes requests once a check has found it well, and counts as unhealthy when some in a row have failed.

*Model*: what is ready is found to be so by the first check that begins then or later; checks begin in intervals from the start of the
    process on, shorter ones while it starts. A start that takes so long that as many checks fail as make an instance unhealthy does so;
    what its orchestrator ends then has failed, and is started again as that does, all else goes on with its start. What answers no more
    is noticed when as many checks as that takes have failed.
*Ignores*: what checks cost; that a check of a process which does not listen yet may take its time-out to fail; that Compose does not
    start what waits for a service that is unhealthy.
*Source*: moby/moby daemon/health.go; compose-spec, 05-services.md (healthcheck); moby/swarmkit agent/exec (an unhealthy task has failed);
    kubernetes/kompose pkg/transformer/kubernetes (a health check becomes a liveness probe), pkg/kubelet/prober; constants of the scenario,
    by default Docker's.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from simvirt.control.cluster import Cluster
from simvirt.control.records import Life
from simvirt.orchestration.health import HealthCheck, given_up_s, probe_starts
from simvirt.scenario.spec.health import HealthcheckSpec
from simvirt.units import format_time

Process = Generator[simpy.Event, Any, None]


def check_of(spec: HealthcheckSpec) -> HealthCheck:
    """The checks of a service."""
    return HealthCheck(spec.interval / 1e9, spec.timeout / 1e9, spec.retries, spec.start_period / 1e9, spec.start_interval / 1e9)


def found_well(cluster: Cluster, row: int, started: int) -> Process:
    """The wait of an instance that is ready for the check that finds it so; its process began at an instant [ns]."""
    spec = cluster.spec_of(row).healthcheck
    if spec is None:
        return
    since = (int(cluster.clock.now) - started) / 1e9
    at = next(at for at in probe_starts(check_of(spec), lambda begun: begun >= since) if at >= since)
    yield cluster.clock.timeout(max(round((at - since) * 1e9), 0))


def watch(cluster: Cluster, life: Life) -> None:
    """Let a start whose process begins now be given up where its checks fail for too long."""
    spec = cluster.spec_of(life.instance).healthcheck
    if spec is not None:
        cluster.clock.process(_watched(cluster, life, round(given_up_s(check_of(spec)) * 1e9)))


def _watched(cluster: Cluster, life: Life, bears: int) -> Process:
    yield cluster.clock.timeout(bears)
    if life.up is not None or life.abandoned:
        return
    why = f"its checks have failed for {format_time(bears / 1e9)} since its start"
    if cluster.orchestration is not None and cluster.orchestration.ends_unhealthy:
        cluster.plane.crash(life.instance)
        assert cluster.clock.starts is not None
        cluster.clock.starts.abandon(life.instance)
        cluster.clock.starts.crashed(life.instance, why)
    else:
        cluster.story.tell("unhealthy", life.name, cluster.name_of(life.host), why)

"""One deployment of a scenario on one platform: lowered, started from a state, watched until the last instance is ready."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Event

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.control.cluster import Cluster
from simvirt.control.lives import Lives
from simvirt.deploy.stages import stages_of
from simvirt.errors import SimulationError
from simvirt.gauges import snapshot
from simvirt.runs.until_ready import until_ready
from simvirt.scenario.spec.models import Scenario
from simvirt.units import format_time


@dataclass(frozen=True)
class Deployed:
    """What became of a deployment.

    The starts of all instances, CPU time [ns], bytes of images, busy shares of what hosts have, events, wall time [s], names of hosts,
    stages of layers.
    """

    lives: Lives
    cpu_ns: int
    bytes: Mapping[str, int]
    used: Mapping[str, float]
    events: int
    wall_s: float
    hosts: Sequence[str]
    stage_of: Mapping[str, str]

    @property
    def ready_ns(self) -> int | None:
        """Until the last instance is ready; None where one is not."""
        instants = [life.ready for life in self.lives]
        return None if None in instants else max(instant for instant in instants if instant is not None)


def deployed(
    scenario: Scenario, catalog: Catalog, platform: Platform, replication: int, halt: Event | None = None,
) -> Deployed:
    """Deploy a scenario whose state says that nothing is up, while no requests come; Stopped where `halt` is set."""
    started = time.perf_counter()
    cluster = until_ready(scenario, catalog, platform, replication, halt)
    plane, clock = cluster.plane, cluster.clock
    if plane.full:
        ready = sum(life.ready is not None for life in cluster.lives)
        raise SimulationError(f"{platform.name}: after {format_time(clock.now / 1e9)} {ready} of {len(cluster.lives)} instances are ready")
    now, pcpus = int(clock.now), sum(host.pcpus for host in plane.lowered.hosts)
    spent = snapshot(plane, now)
    used = {"cpu": spent.busy / (pcpus * now), "disk": float(spent.disk_passed.max()) / now} if now else {}
    hosts = [host.site.named.name for host in plane.lowered.arrangement.hosts]
    return Deployed(
        cluster.lives, spent.busy, _bytes(cluster), used, spent.events, time.perf_counter() - started, hosts,
        stages_of(scenario, catalog, platform))


def _bytes(cluster: Cluster) -> Mapping[str, int]:
    """Bytes of images that came from registries, and those that did not have to; nothing where images were there."""
    if cluster.fetch is None:
        return {}
    return {"moved": cluster.fetch.moved, "saved": cluster.fetch.saved}

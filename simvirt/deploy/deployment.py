"""One deployment of a scenario on one platform: lowered, started from a state, watched until the last instance is ready."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Event
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.clock import Clock
from simvirt.control.cluster import Cluster
from simvirt.control.deploy import begin
from simvirt.control.records import Life
from simvirt.errors import SimulationError
from simvirt.gauges import snapshot
from simvirt.lowering.lower import lower
from simvirt.plane import DataPlane, Stopped
from simvirt.runs.feeding import silent
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.state import StateSpec
from simvirt.units import format_time
from simvirt.workload.streams import Phases

LONGEST_NS: Final = 7 * 24 * 3600 * 10**9
"""A deployment that takes longer than a week is not followed."""


@dataclass(frozen=True)
class Deployed:
    """What became of a deployment.

    The starts of all instances, CPU time [ns], bytes of images, busy shares of what hosts have, events, wall time [s].
    """

    lives: list[Life]
    cpu_ns: int
    bytes: Mapping[str, int]
    used: Mapping[str, float]
    events: int
    wall_s: float

    @property
    def ready_ns(self) -> int | None:
        """Until the last instance is ready; None where one is not."""
        instants = [life.ready for life in self.lives]
        return None if None in instants else max(instant for instant in instants if instant is not None)


def to_be_deployed(scenario: Scenario, state: StateSpec) -> Scenario:
    """A scenario of which nothing is up, and in which nothing happens later."""
    run = scenario.run.model_copy(update={"requests": None, "duration": LONGEST_NS, "observe": None, "precision": None})
    return scenario.model_copy(update={"timeline": (), "failures": None, "run": run, "state": state})


def deployed(
    scenario: Scenario, catalog: Catalog, platform: Platform, replication: int, halt: Event | None = None,
) -> Deployed:
    """Deploy a scenario whose state says that nothing is up, while no requests come; Stopped where `halt` is set."""
    started, seed = time.perf_counter(), scenario.run.seed
    lowered = lower(scenario, catalog, platform, Phases(seed, replication))
    plane = DataPlane(lowered, silent(lowered), seed, replication)
    plane.halt = halt
    clock = Clock(plane)
    cluster = begin(clock, scenario, catalog)
    all_ready = cluster.deployed
    assert all_ready is not None
    clock.run(until=all_ready | clock.timeout(LONGEST_NS))
    if halt is not None and halt.is_set():
        raise Stopped
    if plane.full:
        ready = sum(life.ready is not None for life in cluster.lives)
        raise SimulationError(f"{platform.name}: after {format_time(clock.now / 1e9)} {ready} of {len(cluster.lives)} instances are ready")
    now, pcpus = int(clock.now), sum(host.pcpus for host in plane.lowered.hosts)
    spent = snapshot(plane, now)
    used = {"cpu": spent.busy / (pcpus * now), "disk": float(spent.disk_passed.max()) / now} if now else {}
    return Deployed(cluster.lives, spent.busy, _bytes(cluster), used, spent.events, time.perf_counter() - started)


def _bytes(cluster: Cluster) -> Mapping[str, int]:
    """Bytes of images that came from registries, and those that did not have to; nothing where images were there."""
    if cluster.fetch is None:
        return {}
    return {"moved": cluster.fetch.moved, "saved": cluster.fetch.saved}

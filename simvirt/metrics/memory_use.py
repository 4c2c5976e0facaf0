"""Memory and other limits at the end of a replication, from what it measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simvirt.gauges import Snapshot
from simvirt.memory.footprint import ledger
from simvirt.memory.ledger import Ledger
from simvirt.memory.working_set import Load
from simvirt.metrics.outcome import ServiceOutcome
from simvirt.plane import DataPlane


def ledger_of(plane: DataPlane, services: Mapping[str, ServiceOutcome], last: Snapshot) -> Ledger:
    """Who holds the host's memory at the end of the run, at the mean load of the window."""
    lowered = plane.lowered
    counts = {name: service.replicas for name, service in lowered.scenario.services.items()}
    loads = {name: _load(found, last.service_completed[lowered.services.index(name)], counts[name]) for name, found in services.items()}
    if plane.memory is not None:
        return plane.memory.ledger_at(loads)
    return ledger(lowered.scenario, lowered.platform, lowered.host, lowered.memory.needs, counts, loads)


def reclaim_of(plane: DataPlane) -> tuple[dict[str, Any], list[str]] | None:
    """What reclaim has done, and the kills in words; None where memory was not followed."""
    return None if plane.memory is None else (plane.memory.document(), plane.memory.kills)


def limits_of(plane: DataPlane) -> list[dict[str, Any]]:
    """What the scenario's replicas take of everything of which there is only so much, the scarcest first."""
    counts = {name: service.replicas for name, service in plane.lowered.scenario.services.items()}
    found = plane.lowered.memory.limits
    rows = [{"resource": limit.resource, "demand": limit.demand(counts), "capacity": limit.capacity} for limit in found]
    return sorted(rows, key=lambda row: -row["demand"] / row["capacity"] if row["capacity"] else -float("inf"))


def _load(service: ServiceOutcome, answered: Any, replicas: int) -> Load:
    """The load of one replica: requests in it by Little's law, and those that its threads work on."""
    inside = service.throughput_per_s * (service.latency_mean_s or 0.0)
    return Load(inside / replicas, service.threads_busy / replicas, float(answered) / replicas)

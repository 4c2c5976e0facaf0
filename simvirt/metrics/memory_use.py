"""Memory and other limits at the end of a replication, from what it measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simvirt.memory.ledger import Ledger
from simvirt.memory.populate import host_memory
from simvirt.memory.seen import available, seen
from simvirt.memory.working_set import Load
from simvirt.plane import DataPlane


def ledger_of(plane: DataPlane, loads: Mapping[str, Load]) -> tuple[Ledger, dict[str, dict[str, float]]]:
    """Who holds the host's memory at the end of the run, at the mean load of the window, and what is seen of each service's replicas."""
    memory = host_memory(plane.lowered.memory.there) if plane.memory is None else plane.memory.memory
    ledger = memory.rest_at(loads)
    return ledger, {name: one.document() for name, one in seen(memory).items()} | {"": {"available_bytes": available(memory)}}


def reclaim_of(plane: DataPlane) -> tuple[dict[str, Any], list[str]] | None:
    """What reclaim has done, and the kills in words; None where memory was not followed."""
    return None if plane.memory is None else (plane.memory.document(), plane.memory.kills + plane.memory.evictions)


def limits_of(plane: DataPlane) -> list[dict[str, Any]]:
    """What the scenario's replicas take of everything of which there is only so much, the scarcest first."""
    counts = {name: service.replicas for name, service in plane.lowered.scenario.services.items()}
    found = plane.lowered.memory.limits
    rows = [{"resource": limit.resource, "demand": limit.demand(counts), "capacity": limit.capacity} for limit in found]
    return sorted(rows, key=lambda row: -row["demand"] / row["capacity"] if row["capacity"] else -float("inf"))

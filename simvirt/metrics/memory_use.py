"""Memory and other limits at the end of a replication, from what it measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simvirt.memory.host_memory import HostMemory
from simvirt.memory.ledger import Ledger, together
from simvirt.memory.populate import host_memory
from simvirt.memory.seen import available, seen
from simvirt.memory.working_set import Load
from simvirt.plane import DataPlane


@dataclass(frozen=True)
class MemoryUsed:
    """Memory at the end of a run: who holds it, of all hosts together and of each, and what is seen of each service's replicas."""

    ledger: Ledger
    of_hosts: list[Ledger]
    seen: dict[str, dict[str, float]]


def memory_used(plane: DataPlane, loads: Mapping[str, Load]) -> MemoryUsed:
    """Memory at the end of a run, at the mean load of the window."""
    memories = _memories(plane)
    counts = Counter(id(memory) for memory in memories)
    distinct = {id(memory): memory for memory in memories}
    ledgers = {key: memory.rest_at(loads) for key, memory in distinct.items()}
    each = [(memory, counts[key]) for key, memory in distinct.items()]
    free = sum(available(memory) * n for memory, n in each)
    replicas = {name: one.document() for name, one in seen(*each).items()} | {"": {"available_bytes": free}}
    of_hosts = [ledgers[id(memory)] for memory in memories]
    return MemoryUsed(together(Counter(of_hosts)), of_hosts, replicas)


def _memories(plane: DataPlane) -> list[HostMemory]:
    """The memory of each host; where it is not followed, hosts that are alike share it."""
    if plane.memories:
        return [plane.memories[host].memory for host in range(len(plane.lowered.memories))]
    alike = {id(memory): memory for memory in plane.lowered.memories}
    made = {key: host_memory(memory.there) for key, memory in alike.items()}
    return [made[id(memory)] for memory in plane.lowered.memories]


def reclaim_of(plane: DataPlane) -> tuple[dict[str, Any], list[str]] | None:
    """What reclaim has done on all hosts, and the kills in words; None where memory was not followed."""
    if not plane.memories:
        return None
    accounts = list(plane.memories.values())
    documents, kills = [account.document() for account in accounts], [kill for account in accounts for kill in account.kills]
    total = {name: sum(document[name] for document in documents) for name in documents[0]}
    return total, kills + [kill for account in accounts for kill in account.evictions]


def limits_of(plane: DataPlane) -> list[dict[str, Any]]:
    """What replicas take of everything of which a host has only so much, the scarcest first; each of the host that has least left of it."""
    found: dict[str, dict[str, Any]] = {}
    for memory in {id(memory): memory for memory in plane.lowered.memories}.values():
        for limit in memory.limits:
            row = {"resource": limit.resource, "demand": limit.demand(memory.there.counts), "capacity": limit.capacity}
            found[limit.resource] = max(found.get(limit.resource, row), row, key=_used)
    return sorted(found.values(), key=lambda row: -_used(row))


def _used(row: dict[str, Any]) -> float:
    """How much of something is taken, as a ratio."""
    return float(row["demand"] / row["capacity"]) if row["capacity"] else float("inf")

"""The memory of a host at rest: at a load, before reclaim has done anything or after it has done all it can."""

from __future__ import annotations

from simvirt.memory.host_memory import HostMemory
from simvirt.memory.killers import Kill
from simvirt.memory.ledger import Ledger
from simvirt.memory.occupancy import Occupancy
from simvirt.memory.populate import host_memory
from simvirt.memory.reclaim import merge, scan, step

STEPS = 3
"""Balloons, swap and merged pages follow each other; what still kills after so many looks kills for good."""


def footprint(there: Occupancy, merged: bool = False) -> Ledger:
    """The ledger of a host whose memory nobody reclaims; `merged` says that KSM has found all pages that are alike."""
    memory = at_rest(there)
    if merged:
        memory.merging, memory.scanned = True, float("inf")
        merge(memory)
    return memory.ledger()


def at_rest(there: Occupancy) -> HostMemory:
    """The memory of a host whose guests have touched what they need at its load, boxes that are alike counted together."""
    memory = host_memory(there)
    memory.rest_at(there.loads)
    return memory


def settled(there: Occupancy) -> tuple[HostMemory, list[Kill]]:
    """The host's memory when reclaim has done all it can, and whom OOM killers would end there."""
    memory = host_memory(there, each=True)
    ksm = there.scenario.host.ksm
    scan(memory, ksm, ksm.since if ksm is not None else 0)
    kills: list[Kill] = []
    for _ in range(STEPS):
        memory.follow_data()
        kills = step(memory).kills
    return memory, kills

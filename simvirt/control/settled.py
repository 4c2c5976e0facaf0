"""The memory of a host that has run for long: what is left to take when reclaim has done all it can."""

from __future__ import annotations

from simvirt.control.boxes import host_memory
from simvirt.control.memory import Follower
from simvirt.lowering.lower import Lowered
from simvirt.memory.account import MemoryAccount
from simvirt.memory.reclaim import HostMemory, Kill
from simvirt.memory.working_set import IDLE, expected_loads

STEPS = 3
"""Balloons, swap and merged pages follow each other; what still kills after so many looks kills for good."""


def settled(lowered: Lowered) -> tuple[HostMemory, list[Kill]]:
    """The host's memory at the loads that Little's law expects, and whom OOM killers would end there."""
    host = host_memory(lowered)
    follower = Follower(lowered, host, MemoryAccount(host.ledger_at))
    counts = {name: service.replicas for name, service in lowered.scenario.services.items()}
    loads = expected_loads(lowered.scenario, lowered.host, counts)
    for box in host.boxes:
        for tenant in box.tenants:
            tenant.load = loads.get(tenant.service, IDLE)
    follower.scan_before()
    kills: list[Kill] = []
    for _ in range(STEPS):
        follower.follow_data()
        kills = host.step().kills
    return host, kills

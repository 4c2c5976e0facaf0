"""Admission control of a cluster of virtual machines: would all still find a host if some failed?

*Model*: by slots: a slot is as large as the largest reservation of each resource, hosts are worth as many slots as the scarcer resource
    gives, and the largest hosts are those that fail.
*Ignores*: that free slots may lie on hosts that a VM may not use.
*Source*: VMware vSphere Availability, vSphere HA admission control (slot policy).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

TIGHT: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Slots:
    """A slot, the slots of each host, those that are left without the largest hosts, and how many hosts may fail."""

    slot: Mapping[str, float]
    hosts: tuple[int, ...]
    left: int
    failover_capacity: int
    admitted: bool


def slot_policy(
    hosts: Sequence[Mapping[str, float]], vms: Sequence[Mapping[str, float]], tolerated: int, least: Mapping[str, float] | None = None,
) -> Slots:
    """Whether virtual machines, each one slot, still run after so many of the largest hosts are lost."""
    names = list(hosts[0])
    slot = {name: max([(least or {}).get(name, 0.0), *(vm.get(name, 0.0) for vm in vms)]) for name in names}
    slots = tuple(min(int(host[name] / slot[name] + TIGHT) for name in names if slot[name] > 0) for host in hosts)
    by_size = sorted(slots)
    capacity = max(failed for failed in range(len(hosts) + 1) if failed == 0 or sum(by_size[: len(hosts) - failed]) >= len(vms))
    left = sum(by_size[: max(0, len(hosts) - tolerated)])
    return Slots(slot, slots, left, capacity, sum(slots) >= len(vms) and capacity >= tolerated)

"""What replicas take of everything that is counted: memory promised and memory used, disk space, PIDs, addresses and the like.

*Model*: promised memory is what limits, VMs, monitors and runtimes add up to; used memory and the other counts are the limits of
    `simvirt.memory`, at the load that each replica has in the plan. Where replicas share VMs, a replica takes the part of a VM that its
    limit is of the VM's free memory.
*Ignores*: pages that replicas of one image on one host share, beyond those of the first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from simvirt.capacity.limits import limits, promised
from simvirt.catalog import Catalog, HostEntry, Platform
from simvirt.memory import Occupancy, occupancy
from simvirt.scenario.spec.models import Scenario

PROMISED: Final = "memory.promised"
ELSEWHERE: Final = ("memory.committed", "guest.memory")
"""Limits that a plan counts in its own way: as what is promised, and by the number of VMs."""


@dataclass(frozen=True, slots=True)
class Stock:
    """A thing of which a host has only so many: what a replica of each service takes, and what is gone without any, over what there is."""

    name: str
    each: Mapping[str, float]
    fixed: float


def stocks(scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry) -> list[Stock]:
    """Everything that is counted on a host; the scenario's load and replicas are those of the whole system."""
    there = occupancy(scenario, catalog, platform, host)
    found = [_promised(there)]
    for limit in limits(there, catalog):
        shared = limit.resource == "memory" and shares_vms(platform)
        if limit.resource not in ELSEWHERE and not shared and limit.capacity > 0:
            each = {name: taken / limit.capacity for name, taken in limit.per_instance.items()}
            found.append(Stock(limit.resource, each, limit.fixed / limit.capacity))
    return found


def shares_vms(platform: Platform) -> bool:
    """Whether replicas share VMs."""
    return platform.vms is not None and bool(platform.hypervisors)


def _promised(there: Occupancy) -> Stock:
    """Memory that is promised."""
    if shares_vms(there.platform):
        return _parts_of_vms(there.scenario, there.platform, there.host)
    each, empty = promised(there)
    return Stock(PROMISED, {name: size / there.host.memory for name, size in each.items()}, empty / there.host.memory)


def _parts_of_vms(scenario: Scenario, platform: Platform, host: HostEntry) -> Stock:
    """Memory of VMs as parts that fall to replicas, by their limits."""
    assert platform.vms is not None
    hypervisor, vm = platform.hypervisors[-1], platform.vms.on(host).memory
    guest = hypervisor.guest.memory if hypervisor.guest is not None else 0
    shim = sum(layer.memory_bytes for layer in platform.runtimes)
    factor = (vm + hypervisor.memory_bytes) / max(vm - guest, 1) / host.memory
    dom0 = sum(layer.dom0.memory for layer in platform.hypervisors if layer.dom0 is not None)
    each = {name: ((spec.memory_limit or 0) + shim) * factor for name, spec in scenario.services.items()}
    return Stock(PROMISED, each, dom0 / host.memory)

"""What replicas commit of a host's memory: limits, guest systems, monitors, runtimes. [bytes]"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from simvirt.catalog import Catalog, HostEntry, Platform
from simvirt.scenario.models import Scenario


@dataclass(frozen=True, slots=True)
class Memory:
    """What one replica of each service commits, and what a host does without any [bytes]."""

    each: Mapping[str, float]
    fixed: float


def memory_of(scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry) -> Memory:
    """The committed memory of a platform on a host.

    *Model*: a replica commits its limit, with its runtime's shim and, in a VM of its own, guest system and monitor; in a VM that replicas
        share it takes the part of the VM, guest system and monitor included, that its limit is of the VM's free memory.
    """
    shim = sum(layer.memory_bytes for layer in platform.runtimes)
    each = {name: (service.memory_limit or 0) + shim for name, service in scenario.services.items()}
    if not platform.hypervisors:
        return Memory(each, 0.0)
    hypervisor = platform.hypervisors[-1]
    guest = hypervisor.guest.memory_bytes if hypervisor.guest is not None else 0
    fixed = float(sum(layer.dom0.memory_bytes for layer in platform.hypervisors if layer.dom0 is not None))
    if platform.vms is None:
        return Memory({name: size + guest + hypervisor.memory_bytes for name, size in each.items()}, fixed)
    vm = platform.vms.on(host).memory
    factor = (vm + hypervisor.memory_bytes) / max(vm - guest, 1)
    return Memory({name: size * factor for name, size in each.items()}, fixed)

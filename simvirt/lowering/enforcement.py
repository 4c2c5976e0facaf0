"""Who holds a replica to the limits of its service: a cgroup, a VM of its own, or nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from simvirt.catalog.records import Platform
from simvirt.memory.visible import has_cgroups
from simvirt.scenario.spec.host import RESERVING
from simvirt.scenario.spec.services import ServiceSpec, cpus_path

OF_A_VM: Final = frozenset({"cpus", "cpu_quota", "cpu_shares", "cpu_weight", "mem_limit", "mem_reservation"})
"""What a VM of one replica is given: vCPUs and a cap, a weight, memory that is guaranteed; a cpuset binds anywhere."""
RESERVATIONS: Final = "deploy.resources.reservations.cpus"


def stated(service: ServiceSpec) -> list[str]:
    """Keys of a service that limit its replicas and need somebody who enforces them; a cpuset needs nobody (taskset)."""
    keys = ("cpu_shares", "cpu_weight", "mem_high", "mem_reservation", "memswap_limit")
    found = [key for key in keys if getattr(service, key) is not None]
    found += [cpus_path(service)[-1]] if service.cpu_limit is not None else []
    found += ["mem_limit"] if service.memory_limit is not None else []
    return sorted(found)


def unenforced(services: Mapping[str, ServiceSpec], platform: Platform, policy: str) -> dict[str, list[str]]:
    """Keys that nothing enforces on a platform, and the services that state them."""
    found: dict[str, list[str]] = {}
    for name, service in services.items():
        keys = [] if has_cgroups(platform) else [key for key in stated(service) if not (platform.hypervisors and key in OF_A_VM)]
        if service.cpu_reservation is not None and platform.reserves is None and not reserves(platform, policy):
            keys.append(RESERVATIONS)
        for key in keys:
            found.setdefault(key, []).append(name)
    return found


def reserves(platform: Platform, policy: str) -> bool:
    """Whether the scheduler of a replica's group knows reservations: the host's, for containers on it and VMs of one replica."""
    on_host = bool(platform.runtimes) if not platform.hypervisors else platform.vms is None
    return on_host and policy in RESERVING


def sentences(services: Mapping[str, ServiceSpec], platform: Platform, policy: str) -> tuple[str, ...]:
    """What a report says of limits that nothing enforces."""
    found = unenforced(services, platform, policy)
    reserved = found.pop(RESERVATIONS, [])
    why = "a VM has no memory.high and no swap limit" if platform.hypervisors else "bare processes have no cgroup"
    of = ", ".join(name for name in services if any(name in those for those in found.values()))
    said = [f"{', '.join(found)} of {of} not enforced: {why}"] if found else []
    if reserved:
        said.append(f"CPUs of {', '.join(reserved)} not reserved: expected the host's scheduler esxi or hyperv, containers or VMs on it")
    return tuple(said)

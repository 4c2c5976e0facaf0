"""How much memory simulating a scenario would take, so that one that asks for too much is refused before it is tried.

*Model*: rows x bytes of a row, for the tables that can become large: one row of CPU state per vCPU, one run queue per group and CPU of its
    machine, one row per replica, one frame with its draws per client and background thread. Bytes are rounded up from the tables' sizes.
*Ignores*: what requests of an overloaded open system pile up.
"""

from __future__ import annotations

import math
from typing import Iterator

from simvirt.catalog.problems import Path
from simvirt.catalog.records import HostEntry, Platform
from simvirt.scenario.bounds import MOST_MEMORY
from simvirt.scenario.checks.possible import step_counts
from simvirt.scenario.graph import name_of
from simvirt.scenario.spec.models import Scenario, ServiceSpec

QUEUE = 500
CPU = 1500
INSTANCE = 2000
FRAME = 700
DRAW = 8
"""Bytes of a row each: of a run queue, a CPU, a replica, a request under way, and a number that it draws."""


def memory_mistakes(scenario: Scenario, host: HostEntry, platforms: list[Platform]) -> Iterator[tuple[Path, str]]:
    """A mistake for the first platform whose tables would be too large, at what makes them so."""
    loads: dict[Path, int] = {("workload", "closed", "clients"): _clients(scenario), **_background(scenario)}
    for index, platform in enumerate(platforms):
        parts = loads | _machines(scenario, host, platform, index)
        total = sum(parts.values())
        if total > MOST_MEMORY:
            path = max(parts, key=lambda part: parts[part])
            yield path, (
                f"simulating {platform.name} would take some {total / 2**30:.0f} GiB of memory, {parts[path] / total:.0%} of it for this; "
                f"expected at most {MOST_MEMORY / 2**30:.0f} GiB of memory")
            return


def _frame(scenario: Scenario) -> int:
    """Bytes of a request under way."""
    counts = step_counts(scenario)
    return FRAME + DRAW * max([counts.get(name_of(name), 0) for name in scenario.mix], default=0)


def _clients(scenario: Scenario) -> int:
    closed = scenario.workload.closed if scenario.workload is not None else None
    return 0 if closed is None else closed.clients * _frame(scenario)


def _background(scenario: Scenario) -> dict[Path, int]:
    """Bytes of the background threads of each service."""
    frame = _frame(scenario)
    return {
        ("services", name, "background"): service.replicas * service.background.threads * frame
        for name, service in scenario.services.items() if service.background is not None
    }


def _machines(scenario: Scenario, host: HostEntry, platform: Platform, index: int) -> dict[Path, int]:
    """Bytes of the replicas of each service, and of VMs that are asked for by their number."""
    vms = platform.vms.on(host) if platform.vms is not None and platform.hypervisors else None
    shared = 0 if vms is None else vms.count * _vm(host, vms.vcpus)
    replicas: dict[Path, int] = {
        ("services", name): service.replicas * _replica(service, host, platform) for name, service in scenario.services.items()
    }
    return {("platforms", index, "vms"): shared, ("host",): host.pcpus * CPU, **replicas}


def _replica(service: ServiceSpec, host: HostEntry, platform: Platform) -> int:
    """Bytes of a replica, with its cgroup on the machine it runs on, and with its VM where that is its own."""
    cpus = host.pcpus
    if platform.hypervisors:
        cpus = platform.vms.on(host).vcpus if platform.vms is not None else _vcpus(service, host)
    own = _vm(host, cpus) if platform.hypervisors and platform.vms is None else 0
    return INSTANCE + own + (cpus * QUEUE if platform.runtimes else 0)


def _vcpus(service: ServiceSpec, host: HostEntry) -> int:
    """vCPUs of a replica's own VM."""
    if service.cpu_limit is not None:
        return math.ceil(service.cpu_limit)
    return min(host.pcpus, service.threads) if isinstance(service.threads, int) else host.pcpus


def _vm(host: HostEntry, vcpus: int) -> int:
    """Bytes of a VM: its vCPUs, their queues, its queues on the host, its guest system and I/O thread."""
    return host.pcpus * QUEUE + vcpus * (CPU + QUEUE) + 2 * (INSTANCE + FRAME)

"""How much memory the tables of a scenario would take, so that one that asks for too much is refused before it is tried.

*Model*: rows x bytes of a row, for the tables that can become large: queues of each group on each CPU of its machine,
    CPUs, replicas, VMs with their guest systems and devices, frames with their draws of clients and background
    threads. A row has as many bytes as its table has columns, eight each.
*Ignores*: instructions, results, what requests of an overloaded open system pile up; Python's own objects of an
    arrangement.
"""

from __future__ import annotations

from typing import Final, Iterator

from simvirt.catalog import Catalog
from simvirt.catalog.problems import Path
from simvirt.catalog.records import HostEntry, Platform
from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.guards import FRAME_COLUMNS
from simvirt.lowering.topics import MESSAGE_COLUMNS
from simvirt.memory.visible import own_vcpus
from simvirt.scenario.bounds import MOST_MEMORY, MOST_VMS
from simvirt.scenario.checks.possible import placed, step_counts
from simvirt.scenario.graph import name_of
from simvirt.scenario.spec.models import CallStep, Scenario, ServiceSpec
from simvirt.scenario.walk import walk


def row_bytes(*tables: type[t.Table]) -> int:
    """Bytes of a row in each of some tables."""
    return NUMBER * sum(len(table.__annotations__) for table in tables)


Hosts = dict[str, HostEntry]
"""A host of each pool, by the pool's name."""
NUMBER: Final = 8
"""Bytes of an integer or a float of a column."""
QUEUE: Final = row_bytes(t.Queues, t.Entities)
CPU: Final = row_bytes(t.Cpus, t.IdleStacks, t.Calendar) + QUEUE
VCPU: Final = CPU + QUEUE + row_bytes(t.Entities)
GROUP: Final = row_bytes(t.Groups, t.Calendar)
GUEST: Final = row_bytes(t.Machines, t.Calendar) + 2 * GROUP + 2 * row_bytes(t.Devices) + 3 * row_bytes(t.Instances)
FRAME: Final = row_bytes(t.Frames, t.Entities, t.Calendar) + NUMBER * (k.N_CATEGORIES + 2 * len(("tags", "frames")))
"""Bytes of things with all their rows: a group's queue on a CPU, a CPU, one of a VM, a group, a guest but for its CPUs, a request."""


def size_mistakes(scenario: Scenario, catalog: Catalog, platforms: list[Platform]) -> Iterator[tuple[Path, str]]:
    """A mistake for the first platform whose tables would be too large, at what makes them so."""
    hosts = {name: catalog.resolve_host(pool.host) for name, pool in scenario.pools.items()}
    for index, platform in enumerate(platforms):
        path, vms = _most_vms(scenario, hosts, platform, index)
        if vms > MOST_VMS:
            yield path, f"expected at most {MOST_VMS:,} VMs on a platform; {platform.name} has {vms:,}"
            return
    loads: dict[Path, int] = {**_clients(scenario), **_background(scenario)}
    for index, platform in enumerate(platforms):
        parts = loads | _machines(scenario, hosts, platform, index)
        total = sum(parts.values())
        if total > MOST_MEMORY:
            path = max(parts, key=lambda part: parts[part])
            yield path, (
                f"simulating {platform.name} would take some {total / 2**30:.0f} GiB of memory, {parts[path] / total:.0%} of it for this; "
                f"expected at most {MOST_MEMORY / 2**30:.0f} GiB of memory")
            return


def _most_vms(scenario: Scenario, hosts: Hosts, platform: Platform, index: int) -> tuple[Path, int]:
    """VMs of a platform, with where most of them are asked for."""
    if not platform.hypervisors:
        return (), 0
    if platform.vms is not None:
        return ("platforms", index, "vms"), sum(platform.vms.on(hosts[name]).count * pool.slots for name, pool in scenario.pools.items())
    replicas = {name: service.replicas for name, service in scenario.services.items()}
    return ("services", max(replicas, key=lambda name: replicas[name])), sum(replicas.values())


def _frame(scenario: Scenario) -> int:
    """Bytes of a request under way."""
    counts = step_counts(scenario)
    frame = FRAME if guards_calls(scenario) else FRAME - NUMBER * len(FRAME_COLUMNS)
    frame -= 0 if scenario.topics else NUMBER * len(MESSAGE_COLUMNS)
    return frame + NUMBER * max([counts.get(name_of(name), 0) for name in scenario.mix], default=0)


def guards_calls(scenario: Scenario) -> bool:
    """Whether a scenario guards any call, or the requests of a workload."""
    steps = (visit.step for spec in scenario.services.values() for body in spec.operations.values() for visit in walk(body))
    clients = (view.workload for view in scenario.alone.values() if view.workload is not None)
    return any(isinstance(step, CallStep) and step.guard is not None for step in steps) or any(of.guard is not None for of in clients)


def _clients(scenario: Scenario) -> dict[Path, int]:
    """Bytes of the clients of each workload."""
    views, frame = scenario.alone.items(), _frame(scenario)
    return {
        placed(("workload", "closed", "clients"), name): view.workload.clients * frame for name, view in views if view.workload is not None
    }


def _background(scenario: Scenario) -> dict[Path, int]:
    """Bytes of the background threads of each service."""
    frame = _frame(scenario)
    return {
        ("services", name, "background"): service.replicas * service.background.threads * frame
        for name, service in scenario.services.items() if service.background is not None
    }


def _machines(scenario: Scenario, hosts: Hosts, platform: Platform, index: int) -> dict[Path, int]:
    """Bytes of the hosts, of the replicas of each service, as large as on any host, and of VMs that are asked for by their number."""
    counts = {name: pool.slots for name, pool in scenario.pools.items()}
    shared = sum(counts[name] * _shared_vms(host, platform) for name, host in hosts.items())
    own: dict[Path, int] = {scenario.path_of_pool(name): counts[name] * host.pcpus * (CPU + QUEUE) for name, host in hosts.items()}
    replicas: dict[Path, int] = {
        ("services", name): service.replicas * max(_replica(service, host, platform) for host in hosts.values())
        for name, service in scenario.services.items()
    }
    return {("platforms", index, "vms"): shared, **own, **replicas}


def _shared_vms(host: HostEntry, platform: Platform) -> int:
    """Bytes of the VMs of a host that are asked for by their number."""
    vms = platform.vms.on(host) if platform.vms is not None and platform.hypervisors else None
    return 0 if vms is None else vms.count * _vm(host, vms.vcpus)


def _replica(service: ServiceSpec, host: HostEntry, platform: Platform) -> int:
    """Bytes of a replica, with its cgroup on its machine and what receives for it there, and with its VM where that is its own."""
    cpus, own = host.pcpus, 0
    if platform.hypervisors:
        cpus = platform.vms.on(host).vcpus if platform.vms is not None else own_vcpus(service, host)
        own = _vm(host, cpus) if platform.vms is None else 0
    return row_bytes(t.Instances) + own + (cpus * QUEUE + GROUP + row_bytes(t.Instances) if platform.runtimes else 0)


def _vm(host: HostEntry, vcpus: int) -> int:
    """Bytes of a VM: its vCPUs, its queues on the host, its guest with devices and background load."""
    return vcpus * VCPU + host.pcpus * QUEUE + GUEST + FRAME

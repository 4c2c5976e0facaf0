"""A scenario with twice as much of one resource, for each resource that a run can name as its busiest.

*Model*: the host's cores or memory; a disk or NIC of the same kind that serves twice as many requests and bytes at a time, each as fast
    as before; of several hosts those of all in the pool of the one that is named; the bandwidth of links; a service's threads or CPU
    limit, the vCPUs of shared VMs; vCPUs of the domain that owns the devices; for the threads that serve devices, half of the work that
    each operation gives them, and no wait for a drive between two requests.
*Ignores*: how far such hardware exists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from simvirt.catalog import Catalog
from simvirt.catalog.entries.costs import CostSpec
from simvirt.catalog.entries.hardware import DiskEntry
from simvirt.catalog.records import HostEntry, Layer, Platform
from simvirt.density.hosts import MEMORY, pool_of
from simvirt.lowering.locks import is_lock
from simvirt.scenario.spec.cluster import ALONE
from simvirt.scenario.spec.models import HostSpec, Scenario
from simvirt.scenario.spec.network import LinkSpec, pairs

TIMES: Final = 2
"""How many times as much of a resource there is when it is doubled."""
BACKEND: Final = ("host_cpu", "drive", "host_wake", "host_interrupt")
"""Parts of a cost that are work of a backend's thread."""
LINK: Final = "link "
"""How the name of a link between switches begins."""
IO_THREAD: Final = " I/O thread"
DOM0: Final = "dom0.cpu"
RECEIVING: Final = ("packet_in", "kib_in")
"""Operations that receive softirqs work for."""


@dataclass(frozen=True)
class Enlarged:
    """A scenario with more of a resource, with its catalogue and its platform."""

    scenario: Scenario
    catalog: Catalog
    platform: Platform


Change = Callable[[Scenario, HostEntry], Scenario]


def doubled(scenario: Scenario, catalog: Catalog, platform: Platform, resource: str) -> Enlarged | None:
    """The scenario with twice as much of a resource; None where it has none to double."""
    host = catalog.resolve_host(scenario.first_host)
    if (of_hosts := _change_of_hosts(scenario, resource)) is not None:
        more = of_hosts(scenario, catalog)
        return Enlarged(more, Catalog.load(more.catalog), platform)
    if resource.startswith(LINK):
        return Enlarged(_wider_links(scenario, resource), catalog, platform)
    if resource.endswith(IO_THREAD) and host.nic.queues is not None and not platform.hypervisors:
        return Enlarged(_in_all_pools(_more_queues)(scenario, catalog), catalog, platform)
    if resource == DOM0 or resource.endswith(IO_THREAD):
        change = _more_dom0 if resource == DOM0 else _faster_threads
        return Enlarged(scenario, catalog, replace(platform, layers=tuple(map(change, platform.layers))))
    if is_lock(resource):
        return None
    service, _, kind = resource.rpartition(".")
    if kind in ("threads", "event_loops"):
        return _of_service(_more_workers(scenario, service), catalog, platform)
    if platform.vms is None or not platform.hypervisors:
        return _of_service(_more_cpus(scenario, service), catalog, platform)
    limited, vms = scenario.services[service].cpu_limit is not None, platform.vms.on(host)
    larger = replace(platform, vms=replace(vms, vcpus=TIMES * vms.vcpus))
    return _of_service(_more_cpus(scenario, service) if limited else scenario, catalog, larger)


def _of_service(scenario: Scenario | None, catalog: Catalog, platform: Platform) -> Enlarged | None:
    return None if scenario is None else Enlarged(scenario, catalog, platform)


def _change_of_hosts(scenario: Scenario, resource: str) -> Callable[[Scenario, Catalog], Scenario] | None:
    """What doubles a resource of the host, of all hosts, or of those of one's pool; None for what is no host's."""
    if (found := pool_of(scenario, resource)) is not None:
        pool, kind = found
        return lambda scenario, catalog: _in_pool(scenario, catalog, pool, _HOST[f"{ALONE}.{kind}"])
    return _in_all_pools(_HOST[resource]) if resource in _HOST else None


def _in_all_pools(change: Change) -> Callable[[Scenario, Catalog], Scenario]:
    """A change of the host, or of the hosts of all pools."""
    def changed(scenario: Scenario, catalog: Catalog) -> Scenario:
        if not scenario.several_hosts:
            return change(scenario, catalog.resolve_host(scenario.host))
        for pool in scenario.hosts:
            scenario = _in_pool(scenario, catalog, pool, change)
        return scenario

    return changed


def _in_pool(scenario: Scenario, catalog: Catalog, name: str, change: Change) -> Scenario:
    """A change of the hosts of a pool."""
    pool = scenario.hosts[name]
    more = change(scenario.model_copy(update={"host": pool.host}), catalog.resolve_host(pool.host))
    fields = {field: getattr(more.host, field) for field in HostSpec.model_fields}
    changed = {field: value for field, value in fields.items() if value != getattr(pool, field)}
    return scenario.model_copy(update={"hosts": {**scenario.hosts, name: pool.model_copy(update=changed)}, "catalog": more.catalog})


def _wider_links(scenario: Scenario, resource: str) -> Scenario:
    """Twice the bandwidth of the links that are stated as one is."""
    assert scenario.network is not None
    ends = set(resource.removeprefix(LINK).split(" > "))
    names = dict.fromkeys((*(host.name for host in scenario.each_host), *scenario.network.switches), 0)

    def doubled(link: LinkSpec) -> LinkSpec:
        named = link.bandwidth is not None and any(set(pair) == ends for pair in pairs(link, names))
        return link.model_copy(update={"bandwidth": TIMES * link.bandwidth}) if named and link.bandwidth else link

    network = scenario.network.model_copy(update={"links": tuple(map(doubled, scenario.network.links))})
    return scenario.model_copy(update={"network": network})


# -- services -----------------------------------------------------------------------------------------------------------------------


def _more_workers(scenario: Scenario, name: str) -> Scenario | None:
    """Twice the threads or event loops of a service; None where it has as many as it wants."""
    service = scenario.services[name]
    workers = service.workers
    return _with_service(scenario, name, **{service.workers_name: TIMES * workers}) if isinstance(workers, int) else None


def _more_cpus(scenario: Scenario, name: str) -> Scenario | None:
    """Twice the CPU limit of a service; twice its threads where its VM is sized from these."""
    service = scenario.services[name]
    if service.cpu_quota is not None:
        return _with_service(scenario, name, cpu_quota=TIMES * service.cpu_quota)
    if service.cpu_limit is not None:
        limits = service.deploy.resources.limits.model_copy(update={"cpus": None})
        deploy = service.deploy.model_copy(update={"resources": service.deploy.resources.model_copy(update={"limits": limits})})
        return _with_service(scenario, name, deploy=deploy, cpus=TIMES * service.cpu_limit)
    return _more_workers(scenario, name)


def _with_service(scenario: Scenario, name: str, **changes: Any) -> Scenario:
    services: Mapping[str, Any] = {**scenario.services, name: scenario.services[name].model_copy(update=changes)}
    return scenario.model_copy(update={"services": services})


# -- platforms ----------------------------------------------------------------------------------------------------------------------


def _more_dom0(layer: Layer) -> Layer:
    """A layer whose device domain has twice the vCPUs."""
    return layer if layer.dom0 is None else replace(layer, dom0=layer.dom0.model_copy(update={"vcpus": TIMES * layer.dom0.vcpus}))


def _faster_threads(layer: Layer) -> Layer:
    """A layer whose threads serve devices in half the time, also where they waited for the drive."""
    costs = MappingProxyType({operation: _halved(cost) for operation, cost in layer.costs.items()})
    if layer.net.backend == "softirq":
        costs = MappingProxyType(costs | {name: _halved(costs[name], ("cpu",)) for name in RECEIVING})
    return replace(layer, costs=costs, disk=layer.disk.model_copy(update={"serial": False}))


def _halved(cost: CostSpec, halved: tuple[str, ...] = BACKEND) -> CostSpec:
    """A cost with half the work of the backend's thread."""
    parts = {part: getattr(cost, part) for part in halved}
    return cost.model_copy(update={
        part: tuple(term.scaled(1 / TIMES) for term in terms) for part, terms in parts.items() if terms
    })


# -- the host -----------------------------------------------------------------------------------------------------------------------


def _more_cores(scenario: Scenario, host: HostEntry) -> Scenario:
    return scenario.model_copy(update={"host": scenario.host.model_copy(update={"cores": TIMES * host.cores})})


def _more_queues(scenario: Scenario, host: HostEntry) -> Scenario:
    return scenario.model_copy(update={"host": scenario.host.model_copy(update={"receive_queues": TIMES * (host.nic.queues or 1)})})


def _more_memory(scenario: Scenario, host: HostEntry) -> Scenario:
    return scenario.model_copy(update={"host": scenario.host.model_copy(update={"memory": TIMES * host.memory})})


def _faster_disk(scenario: Scenario, host: HostEntry) -> Scenario:
    """A disk of the same kind that serves twice as many requests and bytes at a time, each as fast as before."""
    disk = host.disk
    why = {"source": f"twice that of {disk.name}", "estimated": True}
    figures = {
        "channels": TIMES * disk.channels, **_each_as_fast(disk),
        **{f"{way}_throughput": f"{TIMES * getattr(disk, f'{way}_throughput'):.0f}B/s" for way in ("read", "write")},
        **{f"{way}_iops": f"{TIMES * rate:.6g}/s" for way in ("read", "write") if (rate := getattr(disk, f"{way}_iops"))},
    }
    entry = {"like": disk.name, **{name: {"value": value, **why} for name, value in figures.items()}}
    return _with_device(scenario, "disks", "disk", disk.name, entry)


def _each_as_fast(disk: DiskEntry) -> dict[str, str]:
    """The throughput of one request, as it is now."""
    return {f"{way}_stream": f"{getattr(disk, f'{way}_stream') or getattr(disk, f'{way}_throughput'):.0f}B/s" for way in ("read", "write")}


def _faster_nic(scenario: Scenario, host: HostEntry) -> Scenario:
    """A NIC of the same kind with twice the bandwidth."""
    named = isinstance(scenario.host.nic, str) or scenario.host.nic is None
    known = host.nic.name if named else "generic"
    return _with_device(scenario, "nics", "nic", known, {"like": known, "bandwidth": f"{TIMES * host.nic.bandwidth:.0f}bps"})


def _with_device(scenario: Scenario, kind: str, field: str, name: str, entry: dict[str, Any]) -> Scenario:
    """The scenario with an entry of its own in the catalogue, and its host with that device."""
    twice = f"{name}-doubled"
    section = {**scenario.catalog.get(kind, {}), twice: entry}
    host = scenario.host.model_copy(update={field: twice})
    return scenario.model_copy(update={"catalog": {**scenario.catalog, kind: section}, "host": host})


_HOST: Final[Mapping[str, Change]] = {
    "host.cpu": _more_cores, "host.disk": _faster_disk, "host.nic": _faster_nic, MEMORY: _more_memory,
}

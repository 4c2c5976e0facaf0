"""Which resource binds: the one that, made twice as large, lets the objective hold again, or brings it nearest to that.

*Model*: the first n that misses the objective is simulated again with the same draws and each candidate doubled, one at a time: the
    host's cores, the channels of its disk, the bandwidth of its NIC, a service's threads or CPU limit, the vCPUs of shared VMs, the
    host's memory where some of it had to be reclaimed. What helps most binds.
*Ignores*: pairs of resources that only help together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simvirt.catalog import Catalog
from simvirt.catalog.records import HostEntry
from simvirt.density.judge import Check, checks_of, piling_up
from simvirt.density.ledger import MEMORY
from simvirt.density.trials import FIRST, Point, Trials, mean_of
from simvirt.result.density_document import ReliefResult
from simvirt.scenario.spec.models import Scenario, VmsSpec

USED = 0.3
"""Utilisation from which a resource is a candidate."""
MOST_CANDIDATES = 4
TIMES = 2
"""How many times as much of a resource there is when it is doubled."""
HELPS = 0.9
"""What an excess must fall to for a resource to have helped at all."""
TAKEN = ("swapped_out_bytes", "compressed_bytes", "ballooned_bytes")
REQUEST = "request"
"""What binds where no resource helps: the work of one request alone takes too long."""


@dataclass(frozen=True)
class Relief:
    """What became of the worst check at n when a resource was doubled."""

    resource: str
    excess: float
    check: Check | None
    holds: bool

    def typed(self) -> ReliefResult:
        """The relief as it stands in a result."""
        if self.check is None:
            return ReliefResult(resource=self.resource, times=TIMES, holds=self.holds)
        found, value = self.check, self.check.estimate.value
        return ReliefResult(resource=self.resource, times=TIMES, holds=self.holds, check=found.name, limit=found.limit, value=value)


def reliefs(trials: Trials, point: Point) -> list[Relief]:
    """All candidates doubled in turn, the most helpful first."""
    found = [_relieved(trials, point, name) for name in candidates(point, _reclaims(point))]
    return sorted((r for r in found if r is not None), key=lambda r: r.excess)


def _reclaims(point: Point) -> bool:
    """Whether the host had to reclaim memory."""
    return any(o.reclaim is not None and any(o.reclaim[0][key] for key in TAKEN) for o in point.outcomes)


def candidates(point: Point, short: bool = False) -> list[str]:
    """Resources that are used so much that they could bind, the busiest first; the busiest of all in any case; memory where it is short."""
    names = point.outcomes[0].resources
    used = {name: mean_of(point.outcomes, lambda o, name=name: o.resources[name]) for name in names}  # type: ignore[misc]
    busiest = sorted(used, key=lambda name: -used[name])
    found = [name for place, name in enumerate(busiest) if used[name] >= USED or place == 0][:MOST_CANDIDATES]
    return [MEMORY, *found] if short else found


def excess_of(point: Point) -> tuple[float, Check | None]:
    """By what factor the worst check misses its limit; without end where requests pile up."""
    assert point.scenario.objective is not None
    checks = checks_of(point.scenario.objective, point.outcomes)
    worst = max(checks, key=lambda check: check.excess, default=None)
    if piling_up(point.measured):
        return float("inf"), worst
    return (worst.excess if worst is not None else 0.0), worst


def _relieved(trials: Trials, point: Point, resource: str) -> Relief | None:
    """The point once more with a resource doubled; None where there is nothing to double."""
    scenario = doubled(point.scenario, trials.catalog, trials.platform.name, resource)
    if scenario is None:
        return None
    catalog = Catalog.load(scenario.catalog)
    platform = catalog.platform(next(p for p in scenario.platforms if p.name == trials.platform.name))
    again = Point(point.n, scenario, point.duration_ns)
    twin = Trials(scenario, catalog, platform, trials.unit, trials.pool, trials.halt)
    twin.add(again, FIRST)
    trials.simulations += twin.simulations
    excess, check = excess_of(again)
    return Relief(resource, excess, check, excess <= 1.0)


Change = Callable[[Scenario, Catalog, HostEntry], Scenario]


def doubled(scenario: Scenario, catalog: Catalog, platform: str, resource: str) -> Scenario | None:
    """The scenario with twice as much of a resource; None where it has none to double."""
    host = catalog.resolve_host(scenario.host)
    if resource in _HOST:
        return _HOST[resource](scenario, catalog, host)
    service, _, kind = resource.rpartition(".")
    if kind == "threads":
        return _with_service(scenario, service, threads=2 * int(scenario.services[service].threads))
    spec = next(p for p in scenario.platforms if p.name == platform)
    shared = catalog.platform(spec).vms
    if shared is not None:
        vms = shared.on(host)
        more = spec.model_copy(update={"vms": VmsSpec.model_construct(count=vms.count, vcpus=2 * vms.vcpus, memory=vms.memory)})
        return scenario.model_copy(update={"platforms": tuple(more if p.name == platform else p for p in scenario.platforms)})
    return _more_cpus(scenario, service)


def _more_cpus(scenario: Scenario, name: str) -> Scenario | None:
    """Twice the CPU limit of a service; twice its threads where its VM is sized from these."""
    service = scenario.services[name]
    if service.cpu_quota is not None:
        return _with_service(scenario, name, cpu_quota=2 * service.cpu_quota)
    if service.cpu_limit is not None:
        limits = service.deploy.resources.limits.model_copy(update={"cpus": None})
        deploy = service.deploy.model_copy(update={"resources": service.deploy.resources.model_copy(update={"limits": limits})})
        return _with_service(scenario, name, deploy=deploy, cpus=2 * service.cpu_limit)
    return _with_service(scenario, name, threads=2 * service.threads) if isinstance(service.threads, int) else None


def _with_service(scenario: Scenario, name: str, **changes: Any) -> Scenario:
    services: Mapping[str, Any] = {**scenario.services, name: scenario.services[name].model_copy(update=changes)}
    return scenario.model_copy(update={"services": services})


def _more_cores(scenario: Scenario, catalog: Catalog, host: HostEntry) -> Scenario:
    return scenario.model_copy(update={"host": scenario.host.model_copy(update={"cores": 2 * host.cores})})


def _more_memory(scenario: Scenario, catalog: Catalog, host: HostEntry) -> Scenario:
    return scenario.model_copy(update={"host": scenario.host.model_copy(update={"memory": 2 * host.memory})})


def _faster_disk(scenario: Scenario, catalog: Catalog, host: HostEntry) -> Scenario:
    """A disk of the same kind with twice the channels."""
    why = f"twice those of {host.disk.name}"
    disk = {"like": host.disk.name, "channels": {"value": 2 * host.disk.channels, "source": why, "estimated": True}}
    return _with_device(scenario, "disks", "disk", host.disk.name, disk)


def _faster_nic(scenario: Scenario, catalog: Catalog, host: HostEntry) -> Scenario:
    """A NIC of the same kind with twice the bandwidth."""
    known = host.nic.name if host.nic.name in catalog.names("nics") else "generic"
    return _with_device(scenario, "nics", "nic", known, {"like": known, "bandwidth": f"{2 * host.nic.bandwidth:.0f}bps"})


def _with_device(scenario: Scenario, kind: str, field: str, name: str, entry: dict[str, Any]) -> Scenario:
    """The scenario with an entry of its own in the catalogue, and its host with that device."""
    twice = f"{name}-doubled"
    section = {**scenario.catalog.get(kind, {}), twice: entry}
    host = scenario.host.model_copy(update={field: twice})
    return scenario.model_copy(update={"catalog": {**scenario.catalog, kind: section}, "host": host})


_HOST: dict[str, Change] = {"host.cpu": _more_cores, "host.disk": _faster_disk, "host.nic": _faster_nic, MEMORY: _more_memory}

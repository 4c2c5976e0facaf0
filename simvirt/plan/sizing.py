"""How many replicas a load needs, and what one of them asks of a host: the analytic part of a plan.

*Model*: demands are those of `analysis.demands`; a host's CPU is worth its cores times what two busy siblings yield. A service has
    as many replicas as the plan says, and never fewer than carry its demand within their limits less the headroom.
*Ignores*: waiting, which the simulation that follows adds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from simvirt.analysis.demands import Analysis, analyse
from simvirt.catalog import Catalog, HostEntry, Platform
from simvirt.catalog.entries.software import ImageSpec
from simvirt.plan.packing import Counts, Floats, Items
from simvirt.plan.requirements import stocks
from simvirt.scenario.rates import mean_rate
from simvirt.scenario.spec.models import PlanSpec, PlatformSpec, Scenario, ServiceSpec
from simvirt.workload.intensity import scaled

FLOWS: Final = ("cpu", "disk", "nic.out", "nic.in")
"""What a host does in a second, in the order of shares; what is counted comes after them."""


@dataclass(frozen=True)
class Case:
    """A scenario on one platform and host model, with what is known of it before anything is simulated."""

    scenario: Scenario
    catalog: Catalog
    plan: PlanSpec
    platform_spec: PlatformSpec
    platform: Platform
    host: HostEntry
    analysis: Analysis

    @classmethod
    def of(cls, scenario: Scenario, catalog: Catalog, plan: PlanSpec, platform: PlatformSpec) -> Case:
        """The case of a scenario whose host is the one in question."""
        host, resolved = catalog.resolve_host(scenario.host), catalog.platform(platform)
        return cls(scenario, catalog, plan, platform, resolved, host, analyse(scenario, catalog, resolved, host))

    @property
    def rate_per_s(self) -> float:
        """Requests per second of the stated load."""
        return mean_rate(self.scenario, self.analysis.response_s)

    @property
    def memory_ratio(self) -> float:
        """Memory that may be promised over that of the host: the plan's, else the host's own, else all of it once."""
        return next(ratio for ratio in (self.plan.memory_ratio, self.scenario.host.memory_ratio, 1.0) if ratio is not None)

    def keeps(self, name: str) -> str | None:
        """Why a service keeps its number of replicas; None where it may get more.

        *Model*: data do not multiply with replicas: a database that runs as one replica stays one; of one with several, more are possible.
        """
        service = self.scenario.services[name]
        if name in self.plan.keep:
            return "plan.keep"
        if self.plan.replicas == "stated":
            return "plan.replicas: stated"
        if service.replicas > 1 or name in self.plan.scale or service.image is None:
            return None
        image = self.catalog.typed("images", self.catalog.image_name(service.image), ImageSpec)
        return f"it keeps data ({service.image}; plan.scale: [{name}] allows more)" if image.stateful else None

    def cores(self, service: str, factor: float) -> float:
        """Cores that the requests of a service keep busy at the stated load times `factor`."""
        return factor * self.rate_per_s * self.analysis.service(service).cpu_s


def usable_cpus(case: Case, service: ServiceSpec) -> float:
    """CPUs that one replica can use at most: its limit, its threads, the host."""
    limits = [case.host.capacity]
    if service.cpu_limit is not None:
        limits.append(service.cpu_limit)
    if isinstance(service.workers, int) and service.background is None:
        limits.append(float(service.workers))
    return min(limits)


def demanded(case: Case, name: str, factor: float) -> float:
    """CPU time that requests ask of the stated replicas of a service, over what those may use."""
    service = case.scenario.services[name]
    return case.cores(name, factor) / (usable_cpus(case, service) * service.replicas)


def replicas(case: Case, factor: float) -> Counts:
    """Replicas of each service for the stated load times `factor`."""
    return {name: _replicas(case, name, factor) for name in case.scenario.services}


def _replicas(case: Case, name: str, factor: float) -> int:
    service, plan = case.scenario.services[name], case.plan
    if case.keeps(name) is not None or not service.operations:
        return service.replicas
    needed = math.ceil(case.cores(name, factor) / (usable_cpus(case, service) * (1 - plan.headroom)) - 1e-9)
    stated = math.ceil(service.replicas * factor - 1e-9) if plan.replicas == "scaled" else 1
    return max(stated, needed, 1)


@dataclass(frozen=True)
class Room:
    """What replicas ask of each resource of a host, and how full it may be: with the headroom spared, and to the brim, as after a loss."""

    names: tuple[str, ...]
    items: Items
    spare: Floats
    brim: Floats


def room(case: Case, counts: Counts, factor: float) -> Room:
    """The replicas as items for the stated load times `factor`, over what a host has of each resource."""
    counted = stocks(carried(case, counts, factor), case.catalog, case.platform, case.host)
    shares = {name: np.array([*_flows(case, name, counts[name], factor), *(stock.each[name] for stock in counted)]) for name in counts}
    full = [1 - stock.fixed for stock in counted]
    full[0] += case.memory_ratio - 1
    spare, brim = (np.maximum([*(1 - free,) * len(FLOWS), *full], 1e-12) for free in (case.plan.headroom, 0.0))
    return Room((*FLOWS, *(stock.name for stock in counted)), Items(counts, shares), spare, brim)


def carried(case: Case, counts: Counts, factor: float) -> Scenario:
    """The scenario with the load times `factor` and so many replicas, as if one host carried them all."""
    services = {name: with_replicas(spec, counts[name]) for name, spec in case.scenario.services.items()}
    workload = case.scenario.workload
    return case.scenario.model_copy(update={"services": services, "workload": None if workload is None else scaled(workload, factor)})


def with_replicas(spec: ServiceSpec, count: int) -> ServiceSpec:
    """A service with another number of replicas."""
    if spec.scale is not None:
        return spec.model_copy(update={"scale": count})
    return spec.model_copy(update={"deploy": spec.deploy.model_copy(update={"replicas": count})})


def _flows(case: Case, name: str, count: int, factor: float) -> list[float]:
    """What one replica asks of CPU, disk and NIC, over what a host has."""
    host, rate = case.host, factor * case.rate_per_s / max(count, 1)
    demand = case.analysis.service(name).times(rate)
    cpu = demand.cpu_s + demand.io_cpu_s + standing(case, name)
    nic = host.nic.bandwidth / 8
    return [cpu / capacity_cores(host), demand.disk_s / host.disk.channels, demand.out_bytes / nic, demand.in_bytes / nic]


def capacity_cores(host: HostEntry) -> float:
    """Work that a host does in a second with all threads busy, in seconds of one thread alone on its core."""
    return host.capacity


def standing(case: Case, name: str) -> float:
    """Cores that a replica keeps busy without requests: its background threads, and the guest system of a VM of its own."""
    service = case.scenario.services[name]
    own = 0.0 if service.background is None else min(service.background.threads * service.background.duty, usable_cpus(case, service))
    alone = case.platform.hypervisors and case.platform.vms is None
    guest = case.platform.hypervisors[-1].guest if alone else None
    return own + (guest.background_duty if guest is not None else 0.0)

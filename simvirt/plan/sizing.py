"""How many replicas a load needs, and what one of them asks of a host: the analytic part of a plan.

*Model*: demands are those of `demand.analysis`; a host's CPU is worth its cores times what two busy siblings yield. A service has
    as many replicas as the plan says, and never fewer than carry its demand within their limits less the headroom.
*Ignores*: waiting, which the simulation that follows adds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from simvirt.catalog import Catalog, HostEntry, Platform
from simvirt.demand.analysis import Analysis, analyse
from simvirt.demand.scaling import mean_rate
from simvirt.plan.memory import memory_of
from simvirt.plan.packing import Counts, Floats, Items
from simvirt.scenario.models import PlanSpec, PlatformSpec, Scenario, ServiceSpec

RESOURCES: Final = ("cpu", "memory", "disk", "nic.out", "nic.in")
"""What a host has of each, in the order of shares."""


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

    def cores(self, service: str, factor: float) -> float:
        """Cores that the requests of a service keep busy at the stated load times `factor`."""
        return factor * self.rate_per_s * self.analysis.service(service).cpu_s


def usable_cpus(case: Case, service: ServiceSpec) -> float:
    """CPUs that one replica can use at most: its limit, its threads, the host."""
    limits = [float(case.host.sockets * case.host.cores * case.host.smt_yield)]
    if service.cpu_limit is not None:
        limits.append(service.cpu_limit)
    if isinstance(service.threads, int) and service.background is None:
        limits.append(float(service.threads))
    return min(limits)


def replicas(case: Case, factor: float) -> Counts:
    """Replicas of each service for the stated load times `factor`."""
    return {name: _replicas(case, name, factor) for name in case.scenario.services}


def _replicas(case: Case, name: str, factor: float) -> int:
    service, plan = case.scenario.services[name], case.plan
    if name in plan.keep or plan.replicas == "stated" or not service.operations:
        return service.replicas
    needed = math.ceil(case.cores(name, factor) / (usable_cpus(case, service) * (1 - plan.headroom)) - 1e-9)
    stated = math.ceil(service.replicas * factor - 1e-9) if plan.replicas == "scaled" else 1
    return max(stated, needed, 1)


def items(case: Case, counts: Counts, factor: float) -> Items:
    """The replicas as items: what one of each service asks of every resource, over what a host has of it."""
    return Items(counts, {name: _share(case, name, counts[name], factor) for name in counts})


def _share(case: Case, name: str, count: int, factor: float) -> Floats:
    """What one replica asks of each resource, over what a host has."""
    host, rate = case.host, factor * case.rate_per_s / max(count, 1)
    demand = case.analysis.service(name).times(rate)
    cpu = demand.cpu_s + demand.io_cpu_s + standing(case, name)
    return np.array([
        cpu / capacity_cores(host),
        memory_of(case.scenario, case.catalog, case.platform, host).each[name] / host.memory,
        demand.disk_s / host.disk.channels,
        8 * demand.out_bytes / host.nic.bits_per_s,
        8 * demand.in_bytes / host.nic.bits_per_s,
    ])


def capacity_cores(host: HostEntry) -> float:
    """Work that a host does in a second with all threads busy, in seconds of one thread alone on its core."""
    return float(host.sockets * host.cores * host.smt_yield)


def standing(case: Case, name: str) -> float:
    """Cores that a replica keeps busy without requests: its background threads, and the guest system of a VM of its own."""
    service = case.scenario.services[name]
    own = 0.0 if service.background is None else min(service.background.threads * service.background.duty, usable_cpus(case, service))
    alone = case.platform.hypervisors and case.platform.vms is None
    guest = case.platform.hypervisors[-1].guest if alone else None
    return own + (guest.background_duty if guest is not None else 0.0)


def limits(case: Case, spare: bool) -> Floats:
    """How full a host may be in each resource: with the headroom spared, or to the brim, as after a loss."""
    free = case.plan.headroom if spare else 0.0
    fixed = memory_of(case.scenario, case.catalog, case.platform, case.host).fixed / case.host.memory
    return np.array([1 - free, max(case.plan.memory_ratio - fixed, 1e-12), 1 - free, 1 - free, 1 - free])

"""The scenario with n instances: replicas of a service or copies of all services, each with its load; or with n parts of its load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from simvirt.errors import UsageError
from simvirt.result.density_document import CountedUnit
from simvirt.scenario.rates import mean_rate
from simvirt.scenario.spec.models import ClosedSpec, HostSpec, ObjectiveSpec, Scenario, TenantsSpec, WorkloadSpec
from simvirt.scenario.spec.tenancy import MOST_INSTANCES
from simvirt.workload.intensity import scaled as times

HostKind = TypeVar("HostKind", bound=HostSpec)
SETTLED_NS = 30 * 86_400 * 10**9
"""How long KSM has looked at the memory of instances that a host holds for good."""


@dataclass(frozen=True)
class Unit:
    """What is counted: replicas of `service`, or copies of all services where it is None; what one of them brings.

    `share` is the load of one instance over the workload as written; `clients` those of one instance where the workload is closed.
    With `load_only` parts of the load are counted, and services stay as they are.
    """

    service: str | None
    share: float
    rate_per_s: float | None
    clients: int | None
    most: int
    load_only: bool = False

    def typed(self) -> CountedUnit:
        """The unit as it stands in a result."""
        return CountedUnit(service=self.service, rate_per_s=self.rate_per_s, clients=self.clients, max=self.most)


def unit_of(scenario: Scenario) -> Unit:
    """What the scenario's `density` section counts; UsageError where its load cannot be divided or multiplied."""
    spec, workload = scenario.density, scenario.workload
    if scenario.workloads:
        raise UsageError("density counts instances of one workload; expected workload instead of workloads, the others as background load")
    if workload is None or scenario.objective is None:
        missing = "workload" if workload is None else "objective"
        raise UsageError(f"density needs a load and an objective that instances must hold; the scenario has no {missing}")
    if workload.trace is not None:
        raise UsageError("density needs a load that grows with n; a trace of instants cannot, state it as rates or as an open load")
    service = spec.service if spec is not None else None
    if service is not None and scenario.tenants is not None:
        raise UsageError("density.service and tenants exclude each other: remove tenants from the scenario, or density.service")
    most = spec.max if spec is not None else MOST_INSTANCES
    parts = scenario.services[service].replicas if service is not None else 1
    if workload.closed is not None:
        return _of_clients(scenario, workload.closed, service, parts, most)
    return _of_rate(scenario, service, parts, most)


def _of_clients(scenario: Scenario, closed: ClosedSpec, service: str | None, parts: int, most: int) -> Unit:
    """Instances with clients of their own."""
    load = scenario.density.per_instance if scenario.density is not None else None
    clients = load.clients if load is not None and load.clients is not None else closed.clients // parts
    if load is None and closed.clients % parts:
        raise UsageError(f"{closed.clients} clients do not divide evenly among {parts} replicas of {service}; state how many each has: "
                         "density: {service: ..., per_instance: {clients: 5}}")
    return Unit(service, clients / closed.clients, None, clients, most)


def _of_rate(scenario: Scenario, service: str | None, parts: int, most: int) -> Unit:
    """Instances with arrivals of their own."""
    load = scenario.density.per_instance if scenario.density is not None else None
    written = mean_rate(scenario, 0.0)
    if load is not None and load.rate is not None:
        return Unit(service, load.rate / written, load.rate, None, most)
    return Unit(service, 1 / parts, written / parts, None, most)


def scaled(scenario: Scenario, unit: Unit, n: int) -> Scenario:
    """The scenario with n instances; replicas, load and tenants follow, and the objective's throughput with the load."""
    assert scenario.workload is not None and scenario.objective is not None
    load = unit.share * n
    changed = {"workload": _loaded(scenario.workload, load, unit, n), "objective": _asking(scenario.objective, load), "timeline": (),
               "failures": None, "state": None}
    return scenario.model_copy(update=changed if unit.load_only else changed | _instances(scenario, unit, n))


def _asking(objective: ObjectiveSpec, load: float) -> ObjectiveSpec:
    """The objective for a load that is so many times as large: a throughput follows it."""
    if objective.throughput is None:
        return objective
    return objective.model_copy(update={"throughput": objective.throughput * load})


def _instances(scenario: Scenario, unit: Unit, n: int) -> dict[str, Any]:
    """What differs from the scenario as written, beside its load, where there are n instances."""
    services = {
        name: service.model_copy(update={"scale": _replicas(scenario, unit, name, n)}) for name, service in scenario.services.items()
    }
    own: tuple[str, ...] | None = None if unit.service is None else (unit.service,)
    count = n
    if scenario.tenants is not None:
        own, count = scenario.tenants.own, scenario.tenants.count * n
    return {"services": services, **_hosts(scenario), "tenants": TenantsSpec.model_construct(count=count, own=own), "density": None}


def _hosts(scenario: Scenario) -> dict[str, Any]:
    """The hosts, on which KSM has looked at the memory of all instances."""
    if scenario.several_hosts:
        return {"hosts": {name: _merged(pool) for name, pool in scenario.hosts.items()}}
    return {"host": _merged(scenario.host)}


def _merged(host: HostKind) -> HostKind:
    """A host whose KSM has come to its end."""
    if host.ksm is None:
        return host
    return host.model_copy(update={"ksm": host.ksm.model_copy(update={"since": max(host.ksm.since, SETTLED_NS)})})


def _replicas(scenario: Scenario, unit: Unit, name: str, n: int) -> int:
    """Replicas of a service where there are n instances."""
    written = scenario.services[name].replicas
    if unit.service is None:
        return written * n
    return n if name == unit.service else written


def _loaded(workload: WorkloadSpec, load: float, unit: Unit, n: int) -> WorkloadSpec:
    """The workload times `load`; clients are counted, so that no rounding adds one."""
    if workload.closed is not None:
        assert unit.clients is not None
        return workload.model_copy(update={"closed": workload.closed.model_copy(update={"clients": unit.clients * n})})
    return times(workload, load)

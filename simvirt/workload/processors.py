"""The same demands on other processors: how long CPU work takes on a host, where it was measured on another one.

*Model*: a core does clock x work per cycle of its family. A demand that was measured at some utilisation holds the slowdown by busy
    siblings there: threads stand on the cores with the fewest busy ones, and CPU time per work is that of the mean busy thread.
*Ignores*: that work which waits for memory does not follow the clock; turbo clocks. Background threads want their share of time anywhere.
*Source*: the catalogue's families (`work_per_cycle`); the yield of siblings as `core_yield` has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from simvirt.catalog import Catalog
from simvirt.catalog.resolve.economy import load_of
from simvirt.scenario.spec.models import AnyStep, CpuStep, HostSpec, MeasuredSpec, Scenario, ServiceSpec, TraceSpec, WorkloadSpec
from simvirt.scenario.walk import first_cpu_step, rewritten, walk
from simvirt.workload.intensity import multiplied

Workload = TypeVar("Workload", bound=WorkloadSpec)


def on_host(scenario: Scenario, catalog: Catalog, host: HostSpec) -> Scenario:
    """A scenario whose CPU demands last as long as they do on `host`; those without `measured_on` were measured on its own host.

    `measured_on` has been honoured then and is gone; the scenario's host stays.
    """
    pace = _Pace(scenario, catalog, catalog.resolve_host(host).speed)
    services = {name: pace.service(spec) for name, spec in scenario.services.items()}
    workload = None if scenario.workload is None else pace.workload(scenario.workload)
    workloads = {name: pace.workload(spec) for name, spec in scenario.workloads.items()}
    return scenario.model_copy(update={"services": services, "workload": workload, "workloads": workloads, "measured_on": None})


def taken_as_stated(scenario: Scenario) -> bool:
    """Whether CPU demands follow no change of a host whose speed is stated, because it is not said where some were measured."""
    if scenario.measured_on is not None or (all(host.model is None and host.clock is None for host in scenario.pools.values())):
        return False
    return any(step.measured_on is None for spec in scenario.services.values() if spec.measured_on is None for step in _cpu_steps(spec))


def _cpu_steps(spec: ServiceSpec) -> Iterator[CpuStep]:
    """The CPU steps of a service's operations."""
    return (visit.step for steps in spec.operations.values() for visit in walk(steps) if isinstance(visit.step, CpuStep))


@dataclass(frozen=True)
class _Pace:
    """Demands of a scenario on processors of a speed [cycles of Skylake-SP per s]."""

    scenario: Scenario
    catalog: Catalog
    speed: float

    def service(self, spec: ServiceSpec) -> ServiceSpec:
        """A service whose demands are those on these processors."""
        def paced(step: AnyStep) -> list[AnyStep]:
            if not isinstance(step, CpuStep):
                return [step]
            return [step.model_copy(update={"cpu": multiplied(step.cpu, self.factor(spec, step)), "measured_on": None})]

        operations = {name: rewritten(steps, paced) for name, steps in spec.operations.items()}
        return spec.model_copy(update={"operations": operations, "startup": rewritten(spec.startup, paced), "measured_on": None})

    def workload(self, spec: Workload) -> Workload:
        """A workload the demands of whose trace are those on these processors."""
        return spec if spec.trace is None else spec.model_copy(update={"trace": self.trace(spec.trace)})

    def trace(self, spec: TraceSpec) -> TraceSpec:
        """A trace whose demands are those on these processors: they stand for the first CPU step of an operation."""
        factors = dict(spec.factors)
        for service, of in self.scenario.services.items():
            for operation, steps in of.operations.items():
                first = first_cpu_step(steps)
                name = f"{service}.{operation}"
                factors[name] = factors.get(name, 1.0) * (1.0 if first is None else self.factor(of, first))
        return spec.paced(factors)

    def factor(self, spec: ServiceSpec, step: CpuStep) -> float:
        """What a demand is multiplied by."""
        return self._measured(step.measured_on or spec.measured_on or self.scenario.measured_on) / self.speed

    def _measured(self, where: MeasuredSpec | None) -> float:
        """Work that a busy thread did in a second where a demand was measured [cycles of Skylake-SP]."""
        if where is None:
            return self.catalog.resolve_host(self.scenario.first_host).speed
        base = self.scenario.first_host if where.host is None else HostSpec.model_validate({"model": where.host})
        host = self.catalog.resolve_host(base if where.clock is None else base.model_copy(update={"clock": where.clock}))
        if not where.utilisation:
            return host.speed
        return host.speed * load_of(where.utilisation, host) * host.core_yield(host.smt) / (where.utilisation * host.smt)

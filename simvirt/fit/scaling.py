"""A scenario with other demands, or at the load of a point."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from simvirt.scenario.graph import Name
from simvirt.scenario.spec.distributions import AnyDistribution, Constant, Empirical, Uniform
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.steps import AnyStep, CpuStep
from simvirt.scenario.spec.workload import ClosedSpec, OpenSpec
from simvirt.scenario.walk import rewritten, walk

S: Final = 1e9
"""ns in a second."""


def work_s(scenario: Scenario) -> dict[Name, float]:
    """CPU time that the steps of one execution of each operation state [s]."""
    return {
        (service, name): math.fsum(v.expected * v.step.cpu.mean for v in walk(steps) if isinstance(v.step, CpuStep)) / S
        for service, spec in scenario.services.items() for name, steps in spec.operations.items()
    }


def scaled(law: AnyDistribution, factor: float) -> AnyDistribution:
    """A distribution all of whose values are so many times as large."""
    if isinstance(law, Empirical):
        return law.model_copy(update={"scale": law.scale * factor})
    if isinstance(law, Uniform):
        return law.model_copy(update={"low": law.low * factor, "high": law.high * factor})
    return law.model_copy(update={"mean": law.mean * factor})


def with_demands(scenario: Scenario, changed: Callable[[Name, AnyDistribution], AnyDistribution]) -> Scenario:
    """The scenario with the CPU demand of each step of an operation replaced."""

    def of(name: Name) -> Callable[[AnyStep], tuple[AnyStep, ...]]:
        return lambda step: (step.model_copy(update={"cpu": changed(name, step.cpu)}) if isinstance(step, CpuStep) else step,)

    services = {}
    for service, spec in scenario.services.items():
        operations = {name: rewritten(steps, of((service, name))) for name, steps in spec.operations.items()}
        services[service] = spec.model_copy(update={"operations": operations})
    return scenario.model_copy(update={"services": services})


def times(scenario: Scenario, factors: Mapping[Name, float]) -> Scenario:
    """The scenario with demands so many times as long, by operation."""
    return with_demands(scenario, lambda name, law: scaled(law, factors.get(name, 1.0)))


def constant(scenario: Scenario) -> Scenario:
    """The scenario whose demands always have their means: what CPUs do then has no noise of the draws."""
    return with_demands(scenario, lambda name, law: Constant.model_construct(kind="constant", mean=law.mean))


def at_load(scenario: Scenario, rates: Mapping[str, float], clients: float | None, requests: int, replications: int) -> Scenario:
    """The scenario at rates of its entries, for about so many requests; as many clients where it has clients and their number is known."""
    workload = scenario.workload
    assert workload is not None
    total = math.fsum(rates.values())
    load: dict[str, Any] = {"mix": dict(rates), "trace": None, "rates": None}
    if workload.closed is not None and clients is not None:
        load |= {"closed": ClosedSpec.model_construct(clients=max(round(clients), 1), think=workload.closed.think)}
    else:
        arrivals = workload.open.arrivals if workload.open is not None else "poisson"
        load |= {"closed": None, "open": OpenSpec(rate=f"{total:.9g}/s", arrivals=arrivals)}  # type: ignore[arg-type]
    run = scenario.run.lasting(round(requests / total * S), replications=replications, warmup=None, precision=None, observe=None)
    changed = {"workload": workload.model_copy(update=load), "run": run, "timeline": (), "failures": None, "state": None}
    return scenario.fixed.model_copy(update=changed)

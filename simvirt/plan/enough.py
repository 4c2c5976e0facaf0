"""What would be enough where services keep their replicas: the CPU limits and threads with which the plan works.

*Model*: all of them first get ample limits, which shows what each uses when nothing holds it up. Then each gets so much and a reserve, the
    same for all, which is the least, to within `STEP`, with which the placement of then suffices, and the plan is made again with that.
*Ignores*: that services could get reserves of different sizes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from simvirt.plan.search import Sizing, size
from simvirt.plan.simulation import Simulator
from simvirt.plan.sizing import Case
from simvirt.scenario.spec.models import Scenario

AMPLE: Final = (4.0, 16.0)
RESERVES: Final = (1.1, 1.25, 1.5, 2.0)
STEP: Final = 0.03
Grown = dict[str, float]
"""Full resource of a service (`db.cpu`, `db.threads`) -> how many times as much of it there is."""


def explained(simulator: Simulator, factor: float, sized: Sizing) -> Sizing:
    """A sizing that has no hosts because services keep their replicas, with all of them and what would be enough in its reason."""
    if sized.kept is None or sized.reason is None or sized.peak is None:
        return sized
    names = [name for name in sized.peak.resources if _kept(simulator.case, name)]
    ample, grown = sized, dict.fromkeys(names, 1.0)
    for times in AMPLE:
        grown = {name: _most(simulator.case, name, times) for name in names}
        ample = _with(simulator, factor, grown)
        if ample.kept is None:
            break
    if not ample.feasible or ample.peak is None:
        return replace(sized, reason=f"{sized.reason}; even with {_list(simulator.case, grown)}: {ample.reason}")
    use = {name: grown[name] * max(_used(ample, name), 0.01) for name in names}
    least = _least(simulator, factor, use, ample)
    sure = least if least is not None and _with(simulator, factor, least).feasible else grown
    return replace(sized, reason=f"{sized.reason}; {_list(simulator.case, sure)} would be enough")


def _kept(case: Case, resource: str) -> bool:
    """Whether a resource is that of a service that keeps its replicas."""
    name = resource.rpartition(".")[0]
    return name in case.scenario.services and case.keeps(name) is not None


def _most(case: Case, resource: str, times: float) -> float:
    """A factor, less where the host has not so many CPUs."""
    name, _, kind = resource.rpartition(".")
    limit = case.scenario.services[name].cpu_limit
    return times if kind != "cpu" or limit is None else max(1.0, min(times, case.host.pcpus / limit))


def _used(sized: Sizing, resource: str) -> float:
    """How full a resource is at worst, at peak or with hosts lost."""
    return max(system.resources.get(resource, 0.0) for system in (sized.peak, sized.lost) if system is not None)


def _least(simulator: Simulator, factor: float, use: Grown, ample: Sizing) -> Grown | None:
    """What is used and the least reserve that is enough for a placement; None where none of `RESERVES` is."""
    def at(reserve: float) -> Grown:
        wanted = {name: math.ceil(100 * reserve * times) / 100 for name, times in use.items()}
        return {name: _most(simulator.case, name, times) for name, times in wanted.items() if times > 1}

    def enough(reserve: float) -> bool:
        return _holds(simulator, factor, at(reserve), ample)

    low, high = 1.0, 0.0
    for reserve in RESERVES:
        if enough(reserve):
            high = reserve
            break
        low = reserve
    while high - low > STEP:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return at(high) if high else None


def _with(simulator: Simulator, factor: float, grown: Grown) -> Sizing:
    """What comes of a plan with more of some resources."""
    twin = _twin(simulator, grown)
    sized = size(twin, factor)
    simulator.done += twin.done
    return sized


def _holds(simulator: Simulator, factor: float, grown: Grown, ample: Sizing) -> bool:
    """Whether a placement holds with so much of some resources, without the lost hosts, where more of it does not, and with all."""
    twin = _twin(simulator, grown)
    held = all(twin.system(placed, ample.counts, factor).met for placed in (ample.rest, ample.placed) if placed is not None)
    simulator.done += twin.done
    return held


def _twin(simulator: Simulator, grown: Grown) -> Simulator:
    """A simulator of the case with more of some resources."""
    case, scenario = simulator.case, simulator.case.scenario
    for resource, times in grown.items():
        name, _, kind = resource.rpartition(".")
        scenario = _more(scenario, name, kind, times)
    grown_case = Case.of(scenario, case.catalog, case.plan, case.platform_spec)
    return Simulator(grown_case, simulator.round_trip_ns, simulator.jobs, simulator.tell)


def _more(scenario: Scenario, name: str, kind: str, times: float) -> Scenario:
    """The scenario with more threads or a larger CPU limit of a service."""
    service = scenario.services[name]
    changes: dict[str, Any]
    if kind == "cpu" and service.cpu_quota is not None:
        changes = {"cpu_quota": round(times * service.cpu_quota)}
    elif kind == "cpu" and service.cpu_limit is not None:
        limits = service.deploy.resources.limits.model_copy(update={"cpus": None})
        deploy = service.deploy.model_copy(update={"resources": service.deploy.resources.model_copy(update={"limits": limits})})
        changes = {"deploy": deploy, "cpus": times * service.cpu_limit}
    else:
        changes = {service.workers_name: _workers(scenario, name, times)}
    services: Mapping[str, Any] = {**scenario.services, name: service.model_copy(update=changes)}
    return scenario.model_copy(update={"services": services})


def _workers(scenario: Scenario, name: str, times: float) -> int:
    return math.ceil(times * int(scenario.services[name].workers) - 1e-9)


def _list(case: Case, grown: Grown) -> str:
    """What is enough, in words: `118 % of the CPU limit of db, cpus: 4.72`."""
    return " and ".join(_stated(case, resource, times) for resource, times in grown.items())


def _stated(case: Case, resource: str, times: float) -> str:
    name, _, kind = resource.rpartition(".")
    limit = case.scenario.services[name].cpu_limit
    if kind == "cpu" and limit is not None:
        return f"{times:.0%} of the CPU limit of {name} (cpus: {times * limit:.4g})"
    kinds = case.scenario.services[name].workers_name.replace("_", " ")
    return f"{_workers(case.scenario, name, times)} {kinds} of {name}"

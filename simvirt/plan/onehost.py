"""One host of a placement as a scenario: the replicas that it carries, the requests that reach them, the rest of the system as delays.

*Model*: decomposition. Where one host carries everything, it is the scenario itself. Else each operation of a service on this
    host is a stream of requests of its own, at the share of its visits that the host's replicas serve; a call becomes the packets
    that it costs and a delay that is distributed as the called operation's response time (a gamma distribution of its mean and
    variation), with the round trip between hosts for the share of calls that leave this one. Response times come from the
    simulations of the hosts that serve them.
*Ignores*: that calls of one request arrive together, and that a slow moment of one service is one of its callers too; messages of
    several segments.
*Source*: Chandy and Sauer, Approximate methods for analyzing queueing network models of computing systems, 1978 (decomposition).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from simvirt.plan.packing import Counts
from simvirt.plan.sizing import Case, with_replicas
from simvirt.scenario.graph import Name
from simvirt.scenario.spec.distributions import Constant, Gamma
from simvirt.scenario.spec.models import (
    AnyDistribution,
    AnyStep,
    CallStep,
    DelayStep,
    NetSpec,
    NetStep,
    OpenSpec,
    ParallelStep,
    PlatformSpec,
    RunSpec,
    Scenario,
    ServiceSpec,
    VmsSpec,
    WorkloadSpec,
)
from simvirt.scenario.walk import rewritten
from simvirt.workload.intensity import scaled

MOST_ARRIVALS: Final = 30_000
"""Requests of a replication of one host whose load does not vary; a longer run is cut to as many."""
LEAST_CV: Final = 0.02
MESSAGE: Final = NetStep.model_construct(net=NetSpec.model_construct(out=1, in_=1), times=1, probability=1.0)
"""What the messages of a call to another host cost: a packet each way."""


@dataclass(frozen=True, slots=True)
class Response:
    """Mean and coefficient of variation of an operation's response time."""

    mean_s: float
    cv: float


@dataclass(frozen=True)
class Load:
    """What the whole system carries: replicas of each service, the stated load's multiple, what calls take."""

    counts: Counts
    factor: float
    responses: Mapping[Name, Response]
    round_trip_ns: float


def whole(load: Load, pattern: Counts) -> bool:
    """Whether a host carries everything."""
    return pattern == {name: count for name, count in load.counts.items() if count}


def scenario_of(case: Case, load: Load, pattern: Counts) -> Scenario:
    """The scenario of one host that carries `pattern`."""
    base = case.scenario
    services = {name: with_replicas(spec, pattern[name]) for name, spec in base.services.items() if pattern.get(name)}
    workload: WorkloadSpec | None
    if whole(load, pattern):
        rate = load.factor * case.rate_per_s
        workload = None if base.workload is None else scaled(base.workload, load.factor)
    else:
        mix = _mix(case, load, pattern)
        rate = load.factor * case.rate_per_s * math.fsum(mix.values())
        workload = _streams(case, load, mix) if rate > 0 else None
        services = {name: _cut(load, pattern, spec) for name, spec in services.items()}
    return base.model_copy(update={
        "services": services, "workload": workload, "platforms": (vms_for(case, pattern),), "timeline": (), "state": None, "plan": None,
        "run": _run(case, workload, rate), "objective": None,
    })


def _mix(case: Case, load: Load, pattern: Counts) -> dict[str, float]:
    """Executions of each operation on this host for a request of the whole system."""
    return {
        f"{service}.{operation}": visits * pattern[service] / load.counts[service]
        for (service, operation), visits in case.analysis.visits.items() if visits > 0 and pattern.get(service)
    }


def _streams(case: Case, load: Load, mix: Mapping[str, float]) -> WorkloadSpec:
    """Open arrivals of the scenario's shape at the rate of a mix."""
    share = math.fsum(mix.values())
    stated = case.scenario.workload
    assert stated is not None
    if stated.closed is not None:
        arrivals = WorkloadSpec.model_construct(open=OpenSpec.model_construct(rate=load.factor * share * case.rate_per_s))
    else:
        arrivals = scaled(stated, load.factor * share)
    entries = all(f"{service}.{operation}" not in mix for (service, operation), callers in case.analysis.graph.in_degree() if callers)
    return arrivals.model_copy(update={"mix": dict(mix), "local": stated.local and entries})


def _cut(load: Load, pattern: Counts, spec: ServiceSpec) -> ServiceSpec:
    """A service whose calls are delays."""
    def without_calls(step: AnyStep) -> Iterable[AnyStep]:
        return _call(load, pattern, step) if isinstance(step, CallStep) else [step]

    return spec.model_copy(update={"operations": {name: rewritten(steps, without_calls) for name, steps in spec.operations.items()}})


def _call(load: Load, pattern: Counts, step: CallStep) -> Iterable[AnyStep]:
    """A call as its messages and the time that its answer takes; a repeated or merely possible one as a branch of its own."""
    away = 1 - pattern.get(step.service, 0) / load.counts[step.service]
    inner: list[AnyStep] = [MESSAGE, _delay(load.responses[step.target], away * load.round_trip_ns)]
    if step.times == 1 and step.probability == 1.0:
        return inner
    return [ParallelStep.model_construct(parallel=(tuple(inner),), times=step.times, probability=step.probability)]


def _delay(response: Response, round_trip_ns: float) -> DelayStep:
    """A delay distributed as a response time, the round trip included."""
    mean = response.mean_s * 1e9 + round_trip_ns
    cv = response.cv * response.mean_s * 1e9 / mean if mean > 0 else 0.0
    law: AnyDistribution = Gamma.model_construct(mean=mean, cv=cv) if cv >= LEAST_CV else Constant.model_construct(mean=mean)
    return DelayStep.model_construct(delay=law, times=1, probability=1.0)


def vms_for(case: Case, pattern: Counts) -> PlatformSpec:
    """The platform with as many of the VMs that it states as the replicas of one host need, in memory and in limits of CPU.

    *Model*: by free memory of a VM and its vCPUs; VMs that a platform of the catalogue brings along stay as they are.
    """
    spec, vms = case.platform_spec, case.platform_spec.vms
    if vms is None or not case.platform.hypervisors:
        return spec
    guest = case.platform.hypervisors[-1].guest
    free = max(vms.memory - (guest.memory if guest is not None else 0), 1)
    memory = sum(count * (case.scenario.services[name].memory_limit or 0) for name, count in pattern.items())
    cpus = sum(count * (case.scenario.services[name].cpu_limit or 0.0) for name, count in pattern.items())
    count = max(1, math.ceil(memory / free), math.ceil(cpus / vms.vcpus - 1e-9))
    return spec.model_copy(update={"vms": _vms(vms, count)})


def _vms(vms: VmsSpec, count: int) -> VmsSpec:
    return vms.model_copy(update={"count": count})


def _run(case: Case, workload: WorkloadSpec | None, rate: float) -> RunSpec:
    """The run of the scenario; with a duration instead of a number of requests, no longer than needed where the load does not vary."""
    run = case.scenario.run
    duration = run.duration if run.duration is not None else round((run.requests or 0) / max(case.rate_per_s, 1e-9) * 1e9)
    steady = workload is not None and (workload.closed is not None or (workload.open is not None and workload.open.rate is not None))
    if steady and rate > 0:
        duration = min(duration, max(round(MOST_ARRIVALS / rate * 1e9), 1))
    warmup = None if run.warmup is None or run.warmup >= duration else run.warmup
    return run.lasting(max(duration, 1), warmup=warmup, observe=None, precision=None)

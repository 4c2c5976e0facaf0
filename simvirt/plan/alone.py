"""Whether requests that meet no others would meet the objective: where they do not, more hosts or replicas never help.

*Model*: one client, who lets quotas be refilled between requests, of one replica of each service that requests reach; CPUs that never
    sleep and memory enough. Background threads of a replica are with it wherever it is, but for those that would not have CPUs of their own
    here: they are left out. Latencies of any placement are longer.
*Ignores*: demands that a trace brings; throughput and rejections, which lone requests say nothing about; that background threads on
    other hosts would take nothing from caches.
"""

from __future__ import annotations

from typing import Final

from simvirt.metrics.steadiness import course_of
from simvirt.plan.placed import vms_for
from simvirt.plan.simulation import Simulated, System, summed
from simvirt.plan.sizing import Case, usable_cpus, with_replicas
from simvirt.result.objective import MISSED
from simvirt.runs.run import run
from simvirt.scenario.spec.experiment import parts_of
from simvirt.scenario.spec.models import Constant, Scenario, ServiceSpec, WorkloadSpec
from simvirt.scenario.spec.workload import ClosedSpec
from simvirt.units import format_time

REQUESTS: Final = 500
REPLICATIONS: Final = 4
MEMORY: Final = 1 << 42
"""Memory of a host on which no request waits for pages [bytes]."""
REST: Final = 3
"""Periods of the longest quota, and times that a request takes, between two requests."""
LEAST_REST_NS: Final = 1e6


def never_met(case: Case) -> str | None:
    """Why no number of hosts and replicas meets the objective; None where some may."""
    workload = case.scenario.workload
    if case.scenario.objective is None or workload is None or workload.trace is not None:
        return None
    scenario = alone(case, workload)
    outcomes = tuple(run(scenario, maximum=False).outcomes(case.platform_spec.name))
    if any(o.ledger.swapped for o in outcomes):
        return None
    course = course_of(scenario, outcomes)
    found = Simulated(outcomes, 1.0 if course is None else course.short_by)
    system = summed(case, found, [(dict.fromkeys(scenario.services, 1), 1)])
    return _reason(system)


def alone(case: Case, workload: WorkloadSpec) -> Scenario:
    """The scenario with requests one at a time."""
    base = case.scenario
    reached = dict.fromkeys(service for (service, _), visits in case.analysis.visits.items() if visits > 0)
    services = {name: with_replicas(base.services[name], 1) for name in reached}
    if sum(_background_cpus(case, spec) for spec in services.values()) + 1 > case.host.cores:
        services = {name: spec.model_copy(update={"background": None}) for name, spec in services.items()}
    longest = max((spec.period_ns for spec in services.values() if spec.quota_ns), default=0)
    think = Constant.model_construct(mean=max(REST * longest, REST * case.analysis.response_s * 1e9, LEAST_REST_NS))
    closed = ClosedSpec.model_construct(clients=1, think=think)
    return base.model_copy(update={
        "host": base.host.model_copy(update={"memory": MEMORY, "max_cstate": "none"}),
        "platforms": (vms_for(case, dict.fromkeys(reached, 1)),), "services": services,
        "timeline": (), "failures": None, "state": None, "plan": None, "objective": None, "tenants": None,
        "workload": workload.model_copy(update={"open": None, "rates": None, "closed": closed, "mix": base.mix}),
        "run": base.run.model_copy(update={
            "requests": REQUESTS, "duration": None, "warmup": 0, "replications": REPLICATIONS, "observe": None, "precision": None}),
    })


def _background_cpus(case: Case, spec: ServiceSpec) -> float:
    """CPUs that the background threads of a replica keep busy."""
    return 0.0 if spec.background is None else min(spec.background.threads * spec.background.duty, usable_cpus(case, spec))


def _reason(system: System) -> str | None:
    """The limits of latencies that lone requests miss for sure."""
    missed = {name: v for name, v in system.objective.items() if parts_of(name)[0].startswith("latency") and v.verdict == MISSED}
    found = [f"{name} is {format_time(v.value)} at least" for name, v in missed.items() if v.value is not None]
    return f"requests that meet no others miss the objective: {', '.join(found)}" if found else None

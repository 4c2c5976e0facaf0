"""The closed form beside the platforms of a scenario: where it holds, with what a platform adds, and why not where it does not.

*Model*: on the bare machine the demands are those of the scenario. A container runtime on it adds work to each request, a constant share of
    the demand and the messages; the form is taken at the demand with that work, and messages wait besides.
    A demand d with overhead o is taken as d (1 + o): in units of time longer by 1 + o it is d again.
*Ignores*: that the demand with a constant is no longer distributed as before; from an overhead of MOST on there is no form for that reason.
*Source*: the forms of simvirt.analysis.formulas.
"""

from __future__ import annotations

from typing import Any, Final

from simvirt.analysis.theory import TheoryPrediction, applicable, reason
from simvirt.catalog import Catalog, HostEntry, Platform
from simvirt.catalog.records import S
from simvirt.result.theory import NoTheory, TheoryBeside, TheoryResult
from simvirt.scenario.spec.distributions import Constant
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.spec.steps import CpuStep
from simvirt.scenario.walk import walk

MOST: Final = 0.05
"""Overhead from which a demand is no longer taken to be distributed as before."""
MESSAGES: Final = ("packet_in", "packet_out")


def theory(scenario: Scenario, catalog: Catalog) -> TheoryResult | NoTheory | None:
    """The closed form beside the first platform that it holds on, bare machines first, and what it says of the others."""
    if len(scenario.workloads) > 1:
        return NoTheory(reason="several workloads side by side")
    scenario, = scenario.alone.values()
    if scenario.workload is None:
        return None
    if scenario.several_hosts:
        return NoTheory(reason="several hosts")
    host = catalog.resolve_host(scenario.host)
    plain = applicable(scenario, host)
    if plain is None:
        return NoTheory(reason=reason(scenario, host))
    platforms = {spec.name: catalog.platform(spec) for spec in scenario.platforms}
    found = {name: _beside(scenario, catalog, platform, host, plain) for name, platform in platforms.items()}
    holds = [name for name, said in found.items() if not said.reason]
    if not holds:
        return NoTheory(reason=next(iter(found.values())).reason)
    first = min(holds, key=lambda name: bool(platforms[name].layers))
    others: dict[str, Any] = {"others": rest} if (rest := {name: said for name, said in found.items() if name != first}) else {}
    mine = {"latency_mean_s": found[first].latency_mean_s, "latency_p95_s": found[first].latency_p95_s, "platform": first}
    return TheoryResult.model_validate(plain.document() | mine | others)


def _beside(scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry, plain: TheoryPrediction) -> TheoryBeside:
    """What the closed form says of a platform."""
    if not platform.layers:
        return TheoryBeside(latency_mean_s=plain.latency_mean_s, latency_p95_s=plain.latency_p95_s, overhead=0.0)
    if platform.hypervisors:
        return TheoryBeside(reason="vCPUs that sleep and wake, and threads that serve devices, take time that no closed form knows")
    if any(catalog.platform_costs(platform, host).host_cpu_ns[message] > 0 for message in MESSAGES):
        return TheoryBeside(reason="threads that serve the network take time that no closed form knows")
    overhead, wait_s = _added(scenario, catalog, platform, host)
    if overhead > MOST:
        return TheoryBeside(reason=f"the platform adds {100 * overhead:.2g} % to each demand, which changes its distribution")
    there = applicable(_denser(scenario, 1 + overhead), host)
    if there is None:
        return TheoryBeside(reason="with what the platform adds there is no steady state")
    mean, p95 = (None if time is None else time * (1 + overhead) + wait_s for time in (there.latency_mean_s, there.latency_p95_s))
    return TheoryBeside(latency_mean_s=mean, latency_p95_s=p95, overhead=overhead)


def _added(scenario: Scenario, catalog: Catalog, platform: Platform, host: HostEntry) -> tuple[float, float]:
    """What a platform adds to each demand, as a ratio, and the time that a request's messages wait [s]."""
    from simvirt.analysis.demands import analyse  # with networkx, which runs without a closed form do without

    found = analyse(scenario, catalog, platform, host)
    steps = [(found.visits[name], visit) for name in found.graph for visit in walk(scenario.services[name[0]].operations[name[1]])]
    own = sum(often * visit.expected * visit.step.cpu.mean / S for often, visit in steps if isinstance(visit.step, CpuStep))
    cpu = sum(found.demands[name].cpu_s * often for name, often in found.visits.items())
    latency = catalog.platform_costs(platform, host).latency_ns
    hops = sum(found.visits[name] * found.demands[name].delay_s for name in found.graph)
    return cpu / own - 1, hops + sum(latency[message] for message in MESSAGES) / S


def _denser(scenario: Scenario, factor: float) -> Scenario:
    """The scenario in units of time so many times as long, in which its demands stay as they are: more arrivals, shorter thinking."""
    workload = scenario.workload
    assert workload is not None
    if workload.open is not None and workload.open.rate is not None:
        changed: Any = {"open": workload.open.model_copy(update={"rate": workload.open.rate * factor})}
    else:
        assert workload.closed is not None
        think = Constant.model_construct(mean=workload.closed.think.mean / factor)
        changed = {"closed": workload.closed.model_copy(update={"think": think})}
    return scenario.model_copy(update={"workload": workload.model_copy(update=changed)})

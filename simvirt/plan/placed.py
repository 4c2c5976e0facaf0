"""A placement as a scenario: all of its hosts in one run, with the network between them.

*Model*: where one host carries everything, it is the scenario itself on that host. Else it is the scenario on as many hosts of the model as
    carry anything, each with the replicas that the placement gives it, at one switch that nobody waits for, with the round trip between
    two hosts of the site.
*Ignores*: the scenario's own network and pools, as the hosts are others; that VMs which replicas share may be fewer on some hosts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from simvirt.plan.packing import Counts
from simvirt.plan.sizing import Case, with_replicas
from simvirt.scenario.spec.cluster import HostPoolSpec
from simvirt.scenario.spec.models import PlatformSpec, RunSpec, Scenario, VmsSpec, WorkloadSpec
from simvirt.scenario.spec.network import LinkSpec, NetworkSpec, SwitchSpec
from simvirt.workload.intensity import scaled

MOST_ARRIVALS: Final = 30_000
"""Requests of a replication of one host, where the load does not vary; a longer run is cut to as many."""
EACH_OF_SEVERAL: Final = 15_000
"""The same for each of several hosts, which serve calls of one another, too ..."""
MOST_TOGETHER: Final = 150_000
"""... and for all of them together."""
POOL: Final = "host"
"""Name of the pool of a placement's hosts."""


@dataclass(frozen=True)
class Load:
    """What the whole system carries: replicas of each service, the stated load's multiple, the round trip between its hosts."""

    counts: Counts
    factor: float
    round_trip_ns: float


def scenario_of(case: Case, load: Load, placed: Sequence[Counts]) -> Scenario:
    """The scenario of hosts that carry so many replicas each, none of them nothing."""
    base, rate = case.scenario, load.factor * case.rate_per_s
    services = {name: with_replicas(spec, load.counts[name]) for name, spec in base.services.items() if load.counts.get(name)}
    workload = None if base.workload is None else scaled(base.workload, load.factor)
    found = base.model_copy(update={
        "services": services, "workload": workload, "platforms": (_platform(case, placed),),
        "timeline": (), "failures": None, "state": None, "plan": None,
        "run": _run(case, workload, rate, len(placed)), "objective": None,
    })
    return found if len(placed) == 1 else _on_hosts(found, load, placed)


def _on_hosts(scenario: Scenario, load: Load, placed: Sequence[Counts]) -> Scenario:
    """The scenario on so many of its hosts, with the replicas of each."""
    fields: dict[str, Any] = {name: getattr(scenario.host, name) for name in type(scenario.host).model_fields}
    pool = HostPoolSpec.model_construct(_fields_set=scenario.host.model_fields_set | {"count"}, **fields, count=len(placed))
    across = SwitchSpec.model_construct(latency=round(load.round_trip_ns / 2))
    wires = LinkSpec.model_construct(from_=(f"{POOL}[*]",), to=("switch",), bandwidth=None, latency=0)
    network = NetworkSpec.model_construct(switches={"switch": across}, links=(wires,))
    return scenario.model_copy(update={"only_host": None, "hosts": {POOL: pool}, "network": network}).placed_as(placed)


def _platform(case: Case, placed: Sequence[Counts]) -> PlatformSpec:
    """The platform with as many VMs on each host as the one needs that needs most."""
    return max((vms_for(case, pattern) for pattern in placed), key=lambda spec: 0 if spec.vms is None else spec.vms.count)


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


def _run(case: Case, workload: WorkloadSpec | None, rate: float, hosts: int) -> RunSpec:
    """The run of the scenario; with a duration instead of a number of requests, no longer than needed where the load does not vary."""
    run = case.scenario.run
    duration = run.duration if run.duration is not None else round((run.requests or 0) / max(case.rate_per_s, 1e-9) * 1e9)
    steady = workload is not None and (workload.closed is not None or (workload.open is not None and workload.open.rate is not None))
    if steady and rate > 0:
        duration = min(duration, max(round(_most_arrivals(hosts) / rate * 1e9), 1))
    warmup = None if run.warmup is None or run.warmup >= duration else run.warmup
    return run.lasting(max(duration, 1), warmup=warmup, observe=None, precision=None)


def _most_arrivals(hosts: int) -> int:
    """Requests of a replication of so many hosts at most."""
    return max(MOST_ARRIVALS, min(hosts * EACH_OF_SEVERAL, MOST_TOGETHER))

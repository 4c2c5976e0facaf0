"""The fewest hosts of one model on one platform that carry a load, hold the objective and survive what is to be survived.

*Model*: the analytic placement gives a first number of hosts: as many as hold all replicas with the headroom spared, and as many as hold them to the brim
    once the lost ones are gone. Then both placements are simulated, and where the objective is not met there is more of what is fullest: hosts, or
    replicas of a service that is its own limit.
*Ignores*: the time until replicas of a lost host run elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from simvirt.plan import sizing
from simvirt.plan.packing import Counts, Packing, place, smallest, too_large
from simvirt.plan.simulation import Simulator, System
from simvirt.plan.sizing import Case

MOST_ROUNDS: Final = 60
GROWTH: Final = 0.1
"""By how much of their number replicas or hosts grow where they do not suffice; by one at least."""
IDLE: Final = 0.05
"""A system whose fullest resource is not fuller than this gains nothing from more."""


@dataclass(frozen=True)
class Sizing:
    """A number of hosts that does, with its placement and what the simulation says of it; or the reason why there is none."""

    counts: Counts
    placed: tuple[Counts, ...] = ()
    packing: Packing | None = None
    peak: System | None = None
    lost: System | None = None
    reason: str | None = None
    analytic: int = 0
    """Hosts that the analytic placement asked for."""

    @property
    def hosts(self) -> int:
        """How many hosts there are."""
        return len(self.placed)

    @property
    def feasible(self) -> bool:
        """Whether it does."""
        return self.reason is None


def size(simulator: Simulator, factor: float) -> Sizing:
    """The fewest hosts for the stated load times `factor`."""
    case = simulator.case
    counts = sizing.replicas(case, factor)
    if (why := _impossible(case)) is not None:
        return Sizing(counts, reason=why)
    hosts, first = 0, 0
    for _ in range(MOST_ROUNDS):
        found = _packed(case, counts, factor, hosts)
        if isinstance(found, str):
            return Sizing(counts, reason=found, analytic=first)
        packing, placed, rest = found
        first = first or len(placed)
        peak = simulator.system(placed, counts, factor)
        lost = peak if rest is None or not peak.met else simulator.system(rest, counts, factor)
        if lost.met:
            return Sizing(counts, placed, packing, peak, None if rest is None else lost, analytic=first)
        more = _more(case, counts, lost)
        if isinstance(more, str):
            return Sizing(counts, placed, packing, peak, None if lost is peak else lost, more, first)
        counts, hosts = more or counts, len(placed) if more else len(placed) + max(1, round(GROWTH * len(placed)))
    return Sizing(counts, reason=f"the objective is not met after {MOST_ROUNDS} enlargements", analytic=first)


def _impossible(case: Case) -> str | None:
    """Why no number of hosts of this model can do, as far as that is known before anything is placed."""
    for name, service in case.scenario.services.items():
        if service.cpu_limit is not None and service.cpu_limit > case.host.pcpus:
            return f"{name} may use {service.cpu_limit:g} CPUs, the host has {case.host.pcpus}"
        if service.cpuset and max(service.cpuset) >= case.host.pcpus:
            return f"{name} is bound to CPU {max(service.cpuset)}, the host has {case.host.pcpus}"
    vms = case.platform.vms.on(case.host) if case.platform.vms is not None and case.platform.hypervisors else None
    if vms is not None and vms.memory > case.host.memory * case.plan.memory_ratio:
        return f"a VM has {vms.memory / 2**30:.4g} GiB of memory, the host {case.host.memory / 2**30:.4g} GiB"
    return None


def _packed(case: Case, counts: Counts, factor: float, least: int) -> tuple[Packing, tuple[Counts, ...], tuple[Counts, ...] | None] | str:
    """The bound, the placement with all hosts (at least `least`) and that without the lost ones; or why there is none."""
    items, spare, brim, most = sizing.items(case, counts, factor), sizing.limits(case, True), sizing.limits(case, False), case.plan.max_hosts
    if (name := too_large(items, spare)) is not None:
        resource = sizing.RESOURCES[int((items.shares[name] / spare).argmax())]
        return f"one replica of {name} does not fit on the host (host.{resource})"
    packing, bare = smallest(items, spare, most), smallest(items, brim, most)
    if packing is None or bare is None:
        return f"more than {most} hosts are needed"
    hosts = max(len(packing.hosts), len(bare.hosts) + case.plan.survive, least)
    while hosts <= most:
        placed, _ = place(items, spare, hosts)
        rest = place(items, brim, hosts - case.plan.survive)[0] if case.plan.survive else None
        if placed is not None and (rest is not None or not case.plan.survive):
            return packing, placed, rest
        hosts += 1
    return f"more than {most} hosts are needed"


def _more(case: Case, counts: Counts, system: System) -> Counts | None | str:
    """More replicas where a service is its own limit, None for more hosts; or why neither helps."""
    full = system.binding
    if system.resources[full] < IDLE:
        return f"the objective is not met although nothing is fuller than {IDLE:.0%}: it asks for less than the requests take"
    name = full.rpartition(".")[0]
    if name == "host":
        return None
    if name in case.plan.keep or case.plan.replicas == "stated":
        return f"{full} is {system.resources[full]:.0%} full and the plan keeps the replicas of {name}"
    return counts | {name: counts[name] + max(1, math.ceil(GROWTH * counts[name]))}

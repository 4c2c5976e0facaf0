"""The fewest hosts of one model on one platform that carry a load, hold the objective and survive what is to be survived.

*Model*: the analytic placement gives a first number of hosts: as many as hold all replicas with the headroom spared, and as many
    as hold them to the brim once the lost ones are gone. Then both placements are simulated, and where the objective is not met
    there is more of what is fullest: hosts, or replicas of a service that is its own limit.
*Ignores*: the time until replicas of a lost host run elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from simvirt.lowering.locks import OF_REPLICA
from simvirt.plan import sizing
from simvirt.plan.alone import never_met
from simvirt.plan.packing import TOLERANCE, Counts, Packing, place, smallest, too_large
from simvirt.plan.simulation import Simulator, System
from simvirt.plan.sizing import Case
from simvirt.scenario.fields import MOST_REPLICAS

MOST_ROUNDS: Final = 60
GROWTH: Final = 0.1
"""By how much of their number replicas or hosts grow where they do not suffice; by one at least."""
CROWDED: Final = 0.5
"""Hosts fuller than this slow down what runs on them, so that more of them may help a service that is its own limit."""
IDLE: Final = 0.05
"""A system whose fullest resource is not fuller than this gains nothing from more."""


@dataclass(frozen=True)
class Sizing:
    """A number of hosts that does, with its placement and what the simulation says of it; or the reason why there is none."""

    counts: Counts
    placed: tuple[Counts, ...] = ()
    rest: tuple[Counts, ...] | None = None
    """The placement without the hosts that are lost."""
    packing: Packing | None = None
    peak: System | None = None
    lost: System | None = None
    reason: str | None = None
    analytic: int = 0
    """Hosts that the analytic placement asked for."""
    failed: bool = False
    """Whether the reason is a simulation that failed."""
    kept: str | None = None
    """The full resource of a service that keeps its replicas, where that is the reason."""

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
    if sum(counts.values()) > MOST_REPLICAS:
        return Sizing(counts, reason=f"more than {MOST_REPLICAS:,} replicas are needed")
    if (why := _impossible(case)) is not None:
        return Sizing(counts, reason=why)
    trial = _Trial(simulator, factor)
    for _ in range(MOST_ROUNDS):
        sized = trial.of(counts, trial.least)
        if sized.feasible or not sized.hosts:
            return trial.narrowed(sized)
        if trial.tried == 1 and (why := never_met(case)) is not None:
            return replace(sized, reason=why)
        more = _more(case, counts, sized.lost or sized.peak, factor)
        if isinstance(more, _End):
            return replace(sized, reason=more.reason, kept=more.kept)
        if more is None:
            trial.least, trial.failed = sized.hosts + max(1, round(GROWTH * sized.hosts)), sized.hosts
        else:
            counts, trial.least, trial.failed = more, sized.hosts, 0
    return Sizing(counts, reason=f"the objective is not met after {MOST_ROUNDS} enlargements", analytic=trial.analytic)


@dataclass
class _Trial:
    """Numbers of hosts that are tried for one load."""

    simulator: Simulator
    factor: float
    least: int = 0
    failed: int = 0
    analytic: int = 0
    tried: int = 0

    def of(self, counts: Counts, least: int) -> Sizing:
        """At least so many hosts, placed and simulated; without hosts where nothing can be placed."""
        found = _packed(self.simulator.case, counts, self.factor, least)
        if isinstance(found, str):
            return Sizing(counts, reason=found, analytic=self.analytic)
        packing, placed, rest = found
        self.tried += 1
        self.analytic = self.analytic or len(placed)
        peak = self.simulator.system(placed, counts, self.factor)
        lost = None if rest is None or not peak.met else self.simulator.system(rest, counts, self.factor)
        met = peak.met and (lost is None or lost.met)
        return Sizing(counts, placed, rest, packing, peak, lost, None if met else "the objective is not met", self.analytic)

    def narrowed(self, sized: Sizing) -> Sizing:
        """The smallest number between one that failed and one that does, by halves."""
        low = self.failed
        while low and sized.hosts - low > 1:
            middle = self.of(sized.counts, (low + sized.hosts) // 2)
            if middle.feasible and middle.hosts < sized.hosts:
                sized = middle
            else:
                low = max((low + sized.hosts) // 2, middle.hosts if middle.hosts < sized.hosts else 0)
        return sized


def _impossible(case: Case) -> str | None:
    """Why no number of hosts of this model can do, as far as that is known before anything is placed."""
    found = []
    for name, service in case.scenario.services.items():
        if service.cpu_limit is not None and service.cpu_limit > case.host.pcpus:
            found.append(f"{name} may use {service.cpu_limit:g} CPUs, the host has {case.host.pcpus}")
        if service.cpuset and max(service.cpuset) >= case.host.pcpus:
            found.append(f"{name} is bound to CPU {max(service.cpuset)}, the host has {case.host.pcpus}")
        if service.cpuset_mems and max(service.cpuset_mems) >= case.host.sockets:
            found.append(f"memory of {name} is bound to node {max(service.cpuset_mems)}, the host has {case.host.sockets}")
    vms = case.platform.vms.on(case.host) if case.platform.vms is not None and case.platform.hypervisors else None
    if vms is not None and vms.memory > case.host.memory * case.memory_ratio:
        found.append(f"a VM has {vms.memory / 2**30:.4g} GiB of memory, the host {case.host.memory / 2**30:.4g} GiB")
    return "; ".join(found) or None


def _packed(case: Case, counts: Counts, factor: float, least: int) -> tuple[Packing, tuple[Counts, ...], tuple[Counts, ...] | None] | str:
    """The bound, the placement with all hosts (at least `least`) and that without the lost ones; or why there is none."""
    room, most = sizing.room(case, counts, factor), case.plan.max_hosts
    items, spare, brim = room.items, room.spare, room.brim
    if names := too_large(items, spare):
        return "; ".join(_too_large(room, name) for name in names)
    packing, bare = smallest(items, spare, most), smallest(items, brim, most)
    if packing is None or bare is None:
        return f"more than {most} hosts are needed"
    bound = max(packing.lower_bound, bare.lower_bound + case.plan.survive)
    packing = replace(packing, lower_bound=bound, proven=packing.proven and bare.proven)
    hosts = max(len(packing.hosts), len(bare.hosts) + case.plan.survive, least)
    while hosts <= most:
        placed, _ = place(items, spare, hosts)
        rest = place(items, brim, hosts - case.plan.survive)[0] if case.plan.survive else None
        if placed is not None and (rest is not None or not case.plan.survive):
            return packing, placed, rest
        hosts += 1
    return f"more than {most} hosts are needed"


def _too_large(room: sizing.Room, name: str) -> str:
    """Of what a host has too little for one replica of a service, and how much of it one needs at least."""
    share, spare = room.items.shares[name], room.spare
    lacks = [
        f"host.{room.names[r]}, {share[r]:.0%} of it, {spare[r]:.0%} are free (at least {share[r] / spare[r]:.2f} times as much is needed)"
        for r in np.flatnonzero(share > spare + TOLERANCE)
    ]
    return f"one replica of {name} does not fit on the host: {'; '.join(lacks)}"


@dataclass(frozen=True)
class _End:
    """Why nothing helps; the full resource of a service that keeps its replicas, where it is that."""

    reason: str
    kept: str | None = None


def _kept(case: Case, counts: Counts, system: System, full: str, factor: float) -> str:
    """Why services that keep their replicas cannot carry the load: all that are asked for too much, and the one that is full."""
    name = _service_of(full)
    asked = {kept: share for kept in counts if case.keeps(kept) and (share := sizing.demanded(case, kept, factor)) >= 1}
    found = [f"{kept} is asked for {share:.0%} of its CPU limit" for kept, share in asked.items()]
    found += [] if name in asked else [f"{full} is {system.resources[full]:.0%} full"]
    keeping = [f"{kept} keeps its {_replicas(counts[kept])}: {case.keeps(kept)}" for kept in [*asked, *[name] * (name not in asked)]]
    return "; ".join([*found, *keeping])


def _service_of(resource: str) -> str:
    """The service that a resource belongs to; what is no service's for those of hosts and kernels."""
    return resource.partition(OF_REPLICA)[0] if OF_REPLICA in resource else resource.rpartition(".")[0]


def _replicas(number: int) -> str:
    return f"{number} replica{'s' * (number > 1)}"


def _more(case: Case, counts: Counts, system: System | None, factor: float) -> Counts | _End | None:
    """More replicas where a service is its own limit, None for more hosts; or why neither helps."""
    assert system is not None
    full = system.binding
    if system.resources[full] < IDLE:
        return _End(f"the objective is not met although nothing is fuller than {IDLE:.0%}: it asks for less than the requests take")
    name = _service_of(full)
    if name not in counts:
        return None
    if case.keeps(name) is not None:
        if system.resources["host.cpu"] > CROWDED and sizing.demanded(case, name, factor) < 1:
            return None
        return _End(_kept(case, counts, system, full, factor), full)
    return counts | {name: counts[name] + max(1, math.ceil(GROWTH * counts[name]))}

"""Balance of a cluster of VMs by moving them: how uneven its hosts are loaded, and whether a move is worth what it takes.

*Model*: a host's load is what its VMs demand of what it has. The imbalance of a resource is the standard deviation of the loads over
    hosts; resources count as much as they are used. It has a priority from 5 (slight) to 2; only moves of a priority up to a threshold
    are made, the one first that evens most. A move has to give more than it takes: CPU time that VMs wait for now and would get until
    the next look, against the work of copying memory on both sides and the time for which the VM stands still.
*Ignores*: that a demand may not last, which products guess from its past; networks and disks; shares and limits of resource pools.
*Source*: VMware knowledge base 1007485, priority level of a migration recommendation; A. Gulati et al., VMware Distributed Resource
    Management: Design, Implementation, and Lessons Learned, VMware Technical Journal 1(1), 2012; F. Denneman, Disabling MinGoodness and
    CostBenefit, 2012.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
MANDATORY: Final = 1
"""The priority of a move without which a rule is broken."""
LEAST: Final = 5
"""The priority of the slightest imbalance."""
CPU, MEMORY = range(2)
"""The rows of resources."""
ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Cluster:
    """VMs and hosts: `demand` (resources, VMs) and `room` (resources, hosts) in CPUs and bytes, `stands`: the host of each VM.

    `able` are hosts that take part; `takes` is the CPU time that a move of each VM costs [s], `lasts` how long it goes on [s].
    """

    demand: Numbers
    room: Numbers
    stands: NDArray[np.int64]
    able: NDArray[np.bool_]
    takes: Numbers
    lasts: Numbers

    def wanted(self) -> Numbers:
        """What the VMs of each host demand: (resources, hosts)."""
        return np.stack([np.bincount(self.stands, each, self.room.shape[1]) for each in self.demand])

    def loads(self) -> Numbers:
        """The load of each host: (resources, hosts)."""
        return self.wanted() / self.room

    def moved(self, vm: int, host: int) -> Cluster:
        """The same after a move."""
        stands = self.stands.copy()
        stands[vm] = host
        return Cluster(self.demand, self.room, stands, self.able, self.takes, self.lasts)


def memory_demand(used: float, touched: float, idle: float) -> float:
    """Memory that a VM demands: what it uses, and a share of the rest that it has touched [bytes]."""
    return used + idle * (touched - used)


def imbalance(cluster: Cluster) -> float:
    """How uneven the hosts that take part are loaded: the standard deviation of their loads, resources by how much they are used."""
    loads = cluster.loads()[:, cluster.able]
    return float((_weights(cluster) * loads.std(axis=1)).sum()) if loads.size else 0.0


def _weights(cluster: Cluster) -> Numbers:
    """How much each resource counts: as it is used, in all."""
    used = cluster.wanted()[:, cluster.able].sum(axis=1) / cluster.room[:, cluster.able].sum(axis=1)
    total = float(used.sum())
    found: Numbers = used / total if total > 0 else np.zeros_like(used)
    return found


def priority(uneven: float, hosts: int, step: float) -> int:
    """The priority of moves against an imbalance: 2 where it is large, 5 where it is slight, 6 where there is none."""
    return max(MANDATORY + 1, LEAST + 1 - math.ceil(uneven / step * math.sqrt(hosts) - ROUNDING))


def gains(cluster: Cluster) -> Numbers:
    """By how much a move of each VM to each host would even the loads: (VMs, hosts)."""
    loads, able = cluster.loads(), cluster.able
    hosts, total = int(able.sum()), np.zeros((cluster.stands.size, able.size))
    for weight, each, demand, room in zip(_weights(cluster), loads, cluster.demand, cluster.room, strict=True):
        squares, sums = float((each[able] ** 2).sum()), float(each[able].sum())
        here, left, comes = each[cluster.stands], demand / room[cluster.stands], demand[:, None] / room[None, :]
        after = squares - (here**2 - (here - left) ** 2)[:, None] - each[None, :] ** 2 + (each[None, :] + comes) ** 2
        mean = (sums - left[:, None] + comes) / hosts
        total += weight * (each[able].std() - np.sqrt(np.maximum(after / hosts - mean**2, 0.0)))
    total[:, ~able] = -math.inf
    total[np.arange(cluster.stands.size), cluster.stands] = -math.inf
    return total


def relieved(cluster: Cluster, vm: int, host: int) -> Numbers:
    """How much more of what is demanded would be given after a move, of each resource: CPUs, bytes."""
    found = [
        _missing(each, room, source := int(cluster.stands[vm])) + _missing(each, room, host)
        - _missing(each, room, source, -demand[vm]) - _missing(each, room, host, demand[vm])
        for each, room, demand in zip(cluster.wanted(), cluster.room, cluster.demand, strict=True)
    ]
    return np.array(found)


def _missing(wanted: Numbers, room: Numbers, host: int, more: float = 0.0) -> float:
    """What a host cannot give of what is demanded."""
    return max(0.0, float(wanted[host] + more - room[host]))


def pays(cluster: Cluster, vm: int, host: int, interval: float) -> bool:
    """Whether a move gives more than it takes within an interval [s]; memory that is missing is worth any move."""
    found = relieved(cluster, vm, host)
    gained = float(found[CPU]) * max(0.0, interval - float(cluster.lasts[vm]))
    return bool(gained > cluster.takes[vm] and found[MEMORY] >= 0) or bool(found[MEMORY] > 0)


def best_first(cluster: Cluster) -> Sequence[tuple[int, int]]:
    """Moves that even loads, those first that do most: VM and host."""
    found = gains(cluster)
    order = np.argsort(-found, axis=None, kind="stable")
    vms, hosts = np.unravel_index(order[: int((found > ROUNDING).sum())], found.shape)
    return list(zip(vms.tolist(), hosts.tolist(), strict=True))

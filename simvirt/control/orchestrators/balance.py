"""Balance of a cluster as an orchestrator has it made: which VMs are to move where, of those that are up.

*Model*: a VM that a rule no longer lets stand where it does moves first, to the host with the least load that may take it. Then, while
    the imbalance has a priority up to the threshold, the move is made that evens most of those that pay and that the rules of placement
    let be, reservations included; from and to one host so many at a look, or as many as can end before the next.
*Ignores*: moves of several VMs that would only help together; slots of admission control, which do not depend on where VMs stand.
*Source*: as `simvirt.orchestration.balancing`; F. Denneman, DRS 4.1 adaptive MaxMovesPerHost, 2010.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.orchestrators.interface import Move, Task
from simvirt.orchestration.balancing import CPU, MANDATORY, Cluster, best_first, imbalance, pays, priority
from simvirt.placement import Asked, Hosts
from simvirt.placement.filters import filters
from simvirt.placement.hosts import Mask

S = 1e9


@dataclass
class Balanced:
    """What is to be balanced: tasks in the order of the cluster's VMs, what each asks of its host, hosts as they are, to count in."""

    cluster: Cluster
    tasks: Sequence[Task]
    asked: Sequence[Asked]
    hosts: Hosts
    moved: set[int] = field(default_factory=set)  # VMs
    busy: Counter[int] = field(default_factory=Counter)  # hosts: their moves at this look

    def may_stand(self, vm: int) -> Mask:
        """The hosts on which the rules let a VM stand, seen as if it stood nowhere."""
        task, asked = self.tasks[vm], self.asked[vm]
        here = int(self.cluster.stands[vm])
        self.hosts.remove(task.service, here, asked.reserves)
        able = np.ones(len(self.hosts.names), bool)
        for _, mask in filters(self.hosts, asked):
            able &= mask
        self.hosts.add(task.service, here, asked.reserves)
        return able

    def move(self, vm: int, host: int, why: str) -> Move:
        """A move, which counts for those after it."""
        task, asked, here = self.tasks[vm], self.asked[vm], int(self.cluster.stands[vm])
        self.hosts.remove(task.service, here, asked.reserves)
        self.hosts.add(task.service, host, asked.reserves)
        self.cluster = self.cluster.moved(vm, host)
        self.moved.add(vm)
        self.busy.update((here, host))
        return Move(task.number, host, why)


def balance(balanced: Balanced, constants: OrchestratorEntry) -> Iterator[Move]:
    """The moves of a look, one after the other."""
    yield from _corrected(balanced)
    if constants.threshold is None or constants.threshold <= MANDATORY or int(balanced.cluster.able.sum()) < 2:
        return
    while (found := _next(balanced, constants)) is not None:
        yield found


def _corrected(balanced: Balanced) -> Iterator[Move]:
    """Moves of VMs that a rule does not let stand where they are."""
    for vm, task in enumerate(balanced.tasks):
        here, able = int(balanced.cluster.stands[vm]), balanced.may_stand(vm)
        if not able[here] and able.any():
            load = np.where(able, balanced.cluster.loads()[CPU], np.inf)
            why = f"priority {MANDATORY}: a rule of {task.service} is broken on {balanced.hosts.names[here]}"
            yield balanced.move(vm, int(load.argmin()), why)


def _next(balanced: Balanced, constants: OrchestratorEntry) -> Move | None:
    """The next move; None where hosts are even enough, or no move helps."""
    cluster, uneven = balanced.cluster, imbalance(balanced.cluster)
    level = priority(uneven, int(cluster.able.sum()), float(constants.step or 1.0))
    if constants.threshold is None or level > constants.threshold:
        return None
    interval = float(constants.balance or 0.0) / S
    for vm, host in best_first(cluster):
        if vm in balanced.moved or not _in_time(balanced, vm, host, constants) or not pays(cluster, vm, host, interval):
            continue
        if balanced.may_stand(vm)[host]:
            return balanced.move(vm, host, f"priority {level}: imbalance {uneven:.2g}")
    return None


def _in_time(balanced: Balanced, vm: int, host: int, constants: OrchestratorEntry) -> bool:
    """Whether both hosts may take part in one more move at this look."""
    lasts, interval = float(balanced.cluster.lasts[vm]), float(constants.balance or 0.0) / S
    most = max(int(constants.moves or 1), int(interval / lasts) if lasts > 0 else 0)
    return max(balanced.busy[int(balanced.cluster.stands[vm])], balanced.busy[host]) < most

"""Instances that are ended on purpose where they stand: for their host to go, at once or when their budget lets them, or for its sake.

*Source*: Kubernetes documentation, API-initiated Eviction; kubernetes/kubectl pkg/drain/drain.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.cluster import Cluster
from simvirt.control.lifecycle import Process
from simvirt.control.orchestrators.budgets import may_go
from simvirt.control.orchestrators.interface import Action, Kill, Task
from simvirt.control.tasks import Ledger
from simvirt.scenario.spec.scheduling import PRESSURE

EVICTED: Final = "evicted"
"""Why an instance has ended that a kubelet has ended because memory was short."""


class Stopping(Protocol):
    """What acts on the instances of a cluster and may stop one."""

    cluster: Cluster
    entry: OrchestratorEntry
    ledger: Ledger

    def stop(self, task: Task, why: str) -> None:
        """Stop a task gracefully."""


class Pressed:
    """What an orchestrator takes in of hosts that are short of memory."""

    cluster: Cluster
    entry: OrchestratorEntry
    ledger: Ledger

    def look(self, service: str, at: int | None = None) -> None:
        """Look at a service."""
        raise NotImplementedError

    def carry_out(self, service: str, actions: Iterable[Action]) -> set[int]:
        """Do what is to be done for a service."""
        raise NotImplementedError

    def evicted(self, row: int, why: str) -> bool:
        """Takes in that a kubelet ends an instance, so that another one is started; false where it starts again where it stood."""
        task = self.ledger.task_in(row)
        if task is None or self.entry.looks is None:
            return False
        self.carry_out(task.service, [Kill(task.number, why, EVICTED)])
        return True

    def pressed(self, host: int, under: bool) -> None:
        """Takes in that a host of kubelets is under pressure of memory, which keeps pods away that request nothing, or is not any more."""
        if self.entry.looks is None:
            return
        taints = [tuple(each) for each in self.ledger.hosts.taints] or [()] * len(self.ledger.hosts.names)
        others = tuple(taint for taint in taints[host] if taint.key != PRESSURE.key)
        taints[host] = (*others, PRESSURE) if under else others
        self.ledger.hosts.taints = taints
        for service in self.ledger.by_priority:
            self.look(service)

    def priority_of(self, row: int) -> int:
        """How important an instance is."""
        task = self.ledger.task_in(row)
        return 0 if task is None else self.ledger[task.service].wanted.priority


def evict(acting: Stopping, row: int, why: str) -> None:
    """Stop the instance in a row gracefully, once its budget lets it go, so that another one starts elsewhere; nothing where it goes."""
    task = acting.ledger.task_in(row)
    if task is None or _is_gone(acting, task, why):
        return
    acting.cluster.story.tell("kept", f"{task.service}-{task.slot}", acting.ledger.hosts.names[task.host], "its disruption budget")
    acting.cluster.clock.process(_again(acting, row, task.number, why))


def _again(acting: Stopping, row: int, number: int, why: str) -> Process:
    """Ask a task that was kept to go, until it may, or it is gone."""
    while True:
        yield acting.cluster.clock.timeout(round(acting.entry.evict_again or 1.0))
        task = acting.ledger.task_in(row)
        if task is None or task.number != number or _is_gone(acting, task, why):
            return


def _is_gone(acting: Stopping, task: Task, why: str) -> bool:
    """Whether a task is on its way out now, as nothing keeps it."""
    of = acting.ledger[task.service]
    if task.phase != "stopping":
        if acting.entry.evict_again is not None and not may_go(of.wanted, of.tasks.values(), task):
            return False
        acting.stop(task, why)
    return True

"""Instances that are ended on purpose where they stand, so that their host can go: at once, or when their disruption budget lets them.

*Source*: Kubernetes documentation, API-initiated Eviction; kubernetes/kubectl pkg/drain/drain.go.
"""

from __future__ import annotations

from typing import Protocol

from simvirt.catalog.entries.orchestrators import OrchestratorEntry
from simvirt.control.cluster import Cluster
from simvirt.control.lifecycle import Process
from simvirt.control.orchestrators.budgets import may_go
from simvirt.control.orchestrators.interface import Task
from simvirt.control.tasks import Ledger


class Stopping(Protocol):
    """What acts on the instances of a cluster and may stop one."""

    cluster: Cluster
    entry: OrchestratorEntry
    ledger: Ledger

    def stop(self, task: Task, why: str) -> None:
        """Stop a task gracefully."""


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

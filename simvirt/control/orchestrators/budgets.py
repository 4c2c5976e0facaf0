"""Disruption budgets: how many replicas of a service those who make room on purpose may end now.

*Model*: a budget is about replicas that are ready, of as many as are wanted; drains and hosts that are given back wait for it, preemption
    breaks one where nothing else helps, failures and rollouts do not look at it. What is not ready may end while as many are ready as the
    budget wants (unhealthyPodEvictionPolicy: IfHealthyBudget).
*Source*: kubernetes/kubernetes pkg/controller/disruption, pkg/registry/core/pod/storage/eviction.go; Kubernetes documentation, Disruptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from simvirt.control.orchestrators.interface import Seen, Task, Wanted
from simvirt.orchestration.workloads import desired_healthy, disruptions_allowed


def may_go(wanted: Wanted, tasks: Iterable[Task], task: Task) -> bool:
    """Whether a task of a service may be ended on purpose now."""
    budget = wanted.version.spec.deploy.disruption_budget
    if budget is None:
        return True
    healthy = _healthy(tasks)
    if task.phase != "ready":
        return healthy >= desired_healthy(wanted.replicas, budget.min_available, budget.max_unavailable)
    return disruptions_allowed(wanted.replicas, healthy, budget.min_available, budget.max_unavailable) > 0


def allowed(seen: Seen) -> Mapping[str, int]:
    """How many replicas may be ended on purpose, by services that have a budget."""
    found = {}
    for name, wanted in seen.wants.items():
        if (budget := wanted.version.spec.deploy.disruption_budget) is not None:
            healthy = _healthy(seen.others.get(name, ()))
            found[name] = disruptions_allowed(wanted.replicas, healthy, budget.min_available, budget.max_unavailable)
    return found


def _healthy(tasks: Iterable[Task]) -> int:
    return sum(task.phase == "ready" for task in tasks)

"""The Kubernetes scheduler: filters, then the sum of weighted scores; what it would drive away for a replica of higher priority."""

from __future__ import annotations

from typing import Final

from simvirt.orchestration.restart import Backoff

QUEUE: Final = Backoff(initial_s=1.0, cap_s=10.0, reset_s=float("inf"))
"""How long a pod waits that found no node: podInitialBackoffSeconds and podMaxBackoffSeconds of kube-scheduler's configuration."""
LEAST_NODES: Final = 100
"""A cluster no larger than this is searched whole: minFeasibleNodesToFind."""
LEAST_PERCENT: Final = 5


def nodes_to_score(nodes: int, percent: int = 0) -> int:
    """How many hosts that are able are looked for before scoring; `percent` 0 is the default, which falls as clusters grow.

    *Source*: kubernetes/kubernetes pkg/scheduler/schedule_one.go numFeasibleNodesToFind.
    """
    if nodes < LEAST_NODES or percent >= 100:
        return nodes
    share = percent or max(LEAST_PERCENT, 50 - nodes // 125)
    return max(LEAST_NODES, nodes * share // 100)

"""The Kubernetes scheduler: filters, then the sum of weighted scores.

*Model*: of the hosts that filters leave, the one with the highest sum: few politely meant taints (three times), even topologies and
    affinity (twice each), much left free and evenly used (once each). A service that says nothing of topologies is spread over hosts
    and zones with the cluster's default constraints.
*Ignores*: that only a part of a large cluster is looked at (`nodes_to_score`), images that are there, and that the best of equals is drawn:
    it is the first.
*Source*: kubernetes/kubernetes pkg/scheduler (schedule_one.go, apis/config/v1/default_plugins.go for the weights,
    framework/plugins/podtopologyspread/plugin.go for the default constraints).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from simvirt.orchestration.restart import Backoff
from simvirt.placement.affinity import preferred_scores
from simvirt.placement.hosts import UNSAID, Asked, Counts, Hosts, Mask
from simvirt.placement.resources import balanced, least_allocated
from simvirt.placement.taints import taint_scores
from simvirt.placement.topology import TopologySpread, spread_scores
from simvirt.scenario.spec.scheduling import TopologySpreadSpec

QUEUE: Final = Backoff(initial_s=1.0, cap_s=10.0, reset_s=float("inf"))
"""How long a pod waits that found no node: podInitialBackoffSeconds and podMaxBackoffSeconds of kube-scheduler's configuration."""
LEAST_NODES: Final = 100
"""A cluster no larger than this is searched whole: minFeasibleNodesToFind."""
LEAST_PERCENT: Final = 5
SCORED: Final = ("cpu", "memory")
WEIGHTS: Final = {"taints": 3, "topology": 2, "affinity": 2, "free": 1, "balanced": 1}
"""Weights of the plugins TaintToleration, PodTopologySpread, InterPodAffinity, NodeResourcesFit and NodeResourcesBalancedAllocation."""
DEFAULT_TOPOLOGIES: Final = tuple(
    TopologySpreadSpec.model_construct(topology_key=key, max_skew=skew, when_unsatisfiable="ScheduleAnyway")
    for key, skew in (("host", 3), ("zone", 5))
)
"""What is asked of topologies where a service asks nothing: the scheduler's system defaults."""


def kubernetes(hosts: Hosts, asked: Asked, able: Mask) -> int:
    """Policy: of the hosts that are able the one with the highest sum of scores; of equals the first."""
    return int(np.argmax(np.where(able, scores(hosts, asked, able), -1)))


def scores(hosts: Hosts, asked: Asked, able: Mask) -> Counts:
    """The sum of weighted scores of each host."""
    found = {
        "taints": _by_taints(hosts, asked, able), "topology": _by_topology(hosts, asked, able),
        "affinity": preferred_scores(hosts, asked, able), "free": _by_room(hosts, asked), "balanced": _by_balance(hosts, asked),
    }
    total = np.zeros(len(hosts.names), np.int64)
    for name, weight in WEIGHTS.items():
        total += weight * found[name]
    return total


def _by_taints(hosts: Hosts, asked: Asked, able: Mask) -> Counts:
    """Scores by taints, the most of which on a host that is able is the measure."""
    if not hosts.taints:
        return np.zeros(len(hosts.names), np.int64)
    return taint_scores([each if able[host] else () for host, each in enumerate(hosts.taints)], asked.tolerations)


def _by_topology(hosts: Hosts, asked: Asked, able: Mask) -> Counts:
    """Scores by constraints that only count, or by the defaults where a service has none at all."""
    soft = [each for each in asked.topologies or DEFAULT_TOPOLOGIES if each.when_unsatisfiable == "ScheduleAnyway"]
    if not asked.topologies:
        soft = [each for each in soft if any(value is not None for value in hosts.values_of(each.topology_key))]
    if not soft:
        return np.zeros(len(hosts.names), np.int64)
    constraints = [TopologySpread(each.max_skew, each.topology_key == "host") for each in soft]
    labels = [hosts.values_of(each.topology_key) for each in soft]
    return spread_scores(constraints, labels, [hosts.of_service(asked.service)] * len(soft), able)


def _by_room(hosts: Hosts, asked: Asked) -> Counts:
    """LeastAllocated of CPU and memory; what says nothing counts as a small container."""
    wanted = [hosts.counted_of(name) + counted_as(asked, name) for name in SCORED]
    return least_allocated(np.array(wanted), np.array([hosts.room_of(name) for name in SCORED]), [1, 1])


def _by_balance(hosts: Hosts, asked: Asked) -> Counts:
    """BalancedAllocation of what is really requested; nothing for a replica that requests nothing."""
    if not any(asked.reserves.get(name) for name in SCORED):
        return np.zeros(len(hosts.names), np.int64)
    wanted = [hosts.taken_of(name) + asked.reserves.get(name, 0) for name in SCORED]
    return balanced(np.array(wanted), np.array([hosts.room_of(name) for name in SCORED]))


def counted_as(asked: Asked, resource: str) -> int:
    """What a replica counts as where hosts are scored."""
    return asked.reserves.get(resource, UNSAID[resource])


def nodes_to_score(nodes: int, percent: int = 0) -> int:
    """How many hosts that are able are looked for before scoring; `percent` 0 is the default, which falls as clusters grow.

    *Source*: kubernetes/kubernetes pkg/scheduler/schedule_one.go numFeasibleNodesToFind.
    """
    if nodes < LEAST_NODES or percent >= 100:
        return nodes
    share = percent or max(LEAST_PERCENT, 50 - nodes // 125)
    return max(LEAST_NODES, nodes * share // 100)

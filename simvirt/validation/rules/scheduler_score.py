"""Cases of the kind `scheduler-score`: what the plugins of the Kubernetes scheduler say of nodes.

*Model*: nodes, pods and images of a case become the rows and columns that `simvirt.placement` computes on.
*Ignores*: units: amounts are taken as they are written.
*Source*: kubernetes/kubernetes pkg/scheduler/framework/plugins and their tests (what a case's words mean).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from simvirt.placement import locality, resources, taints, topology
from simvirt.placement.hosts import Counts
from simvirt.scenario.spec.scheduling import Taint, Toleration, untolerated
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Answer, Rules

HOST_KEYS: Final = ("hostname", "kubernetes.io/hostname")
"""Labels of which every node has its own value."""
MIB: Final = 1024**2
Scorer = Callable[[Counts, Counts, list[int]], Counts]


def _whole(nodes: Mapping[str, Any], scores: Sequence[int] | Counts) -> dict[str, int]:
    """Scores by node."""
    return {name: int(score) for name, score in zip(nodes, scores, strict=True)}


# --- resources -----------------------------------------------------------------------------------------------------------


def _allocation(given: Given, scorer: Scorer, *, unsaid: bool = True) -> Answer:
    """Scores of nodes by what is requested of their resources."""
    nodes, weights, pod = given["nodes"], dict(given["resource_weights"]), given["pod_containers"]
    existing = given.get("existing_pods", [])
    counted = [name for name in weights if "/" not in name or resources.counted_request(pod, name) > 0]
    if not counted:
        return {"scores": dict.fromkeys(nodes, 0)}
    requested = np.array([[
        resources.counted_request(pod, name, unsaid=unsaid)
        + sum(resources.counted_request(other["containers"], name, unsaid=unsaid) for other in existing if other["node"] == node)
        for node in nodes] for name in counted], np.int64)
    room = np.array([[nodes[node].get(name, 0) for node in nodes] for name in counted], np.int64)
    return {"scores": _whole(nodes, scorer(requested, room, [weights[name] for name in counted]))}


def least(given: Given) -> Answer:
    """LeastAllocated."""
    return _allocation(given, resources.least_allocated)


def most(given: Given) -> Answer:
    """MostAllocated."""
    return _allocation(given, resources.most_allocated)


def ratio(given: Given) -> Answer:
    """RequestedToCapacityRatio."""
    shape = _points(given["shape"])
    return _allocation(given, lambda requested, room, weights: resources.requested_to_capacity(requested, room, weights, shape))


def balance(given: Given) -> Answer:
    """BalancedAllocation, which counts what is really requested."""
    return _allocation(given, lambda requested, room, weights: resources.balanced(requested, room), unsaid=False)


def shape_function(given: Given) -> Answer:
    """Values of a line through points, where they are asked for."""
    form = given.form or {}
    points = _points(given["points"])
    return {"value_at": {at: int(resources.broken_line(points, np.array(int(at)))) for at in form.get("value_at", {})}}


def _points(points: Sequence[Mapping[str, int]]) -> list[tuple[int, int]]:
    """Points as utilisation and score."""
    return [(point["utilisation"], point["score"]) for point in points]


# --- images, taints ------------------------------------------------------------------------------------------------------


def images(given: Given) -> Answer:
    """ImageLocality."""
    nodes, wanted = given["node_images_MiB"], given["pod_images"]
    sizes = {name: size for node in nodes.values() for name, size in node.items()}
    held = np.array([[str(image) in {str(name) for name in nodes[node]} for node in nodes] for image in wanted], bool)
    size = np.array([{str(name): size for name, size in sizes.items()}.get(str(image), 0) for image in wanted]) * MIB
    low = given.get("min_threshold_MiB", locality.LEAST_SIZE // MIB) * MIB
    high = given.get("max_threshold_MiB_per_container", locality.MOST_SIZE // MIB) * MIB
    return {"scores": _whole(nodes, locality.image_scores(held, size, low, high))}


def taint_scores(given: Given) -> Answer:
    """TaintToleration as a score."""
    nodes = given["node_taints"]
    return {"scores": _whole(nodes, taints.taint_scores([_taints(each) for each in nodes.values()], _tolerations(given)))}


def taint_filter(given: Given) -> Answer:
    """TaintToleration as a filter: of one node, or of several by name."""
    nodes, tolerations = given["node_taints"], _tolerations(given)
    if isinstance(nodes, Mapping):
        return {"feasible": {name: not untolerated(_taints(each), tolerations) for name, each in nodes.items()}}
    return {"feasible": not untolerated(_taints(nodes), tolerations)}


def _taints(written: Sequence[Given]) -> list[Taint]:
    return [Taint(each["key"], str(each.get("value", "")), each["effect"]) for each in written]


def _tolerations(given: Given) -> list[Toleration]:
    return [
        Toleration(
            each.get("key") or "", each.get("operator") or "Equal", str(each.get("value") or ""), each.get("effect") or None)
        for each in given.get("tolerations") or []
    ]


# --- topologies ----------------------------------------------------------------------------------------------------------


def spread(given: Given) -> Answer:
    """PodTopologySpread as a score: of releases that round it, and of those before."""
    nodes, written = given["nodes"], given["constraints"]
    counted = [(each, _constraint(each)) for each in written if each.get("when_unsatisfiable", "ScheduleAnyway") == "ScheduleAnyway"]
    labels = [_labels([node["labels"] for node in nodes.values()], each["topology_key"]) for each, _ in counted]
    pods = given["matching_pods"]
    matching = [_matching(nodes, pods, each["selector_label"]) for each, _ in counted]
    candidates = np.array([node.get("candidate", True) for node in nodes.values()], bool)
    found: dict[str, dict[str, int]] = {}
    for name, rounded in (("scores", True), ("scores_releases_before_rounding", False)):
        scores = topology.spread_scores([each for _, each in counted], labels, matching, candidates, rounded=rounded)
        found[name] = {node: score for node, score in _whole(nodes, scores).items() if nodes[node].get("candidate", True)}
    return found


def spread_filter(given: Given) -> Answer:
    """PodTopologySpread as a filter, with one constraint or several."""
    nodes, several = given["nodes"], "constraints" in given
    written = [each for each in (given["constraints"] if several else [given["constraint"]]) if _hard(each)]
    own = given.get("incoming_pod_matches_selector", True)
    itself = list(own) if isinstance(own, list) else [bool(own)] * len(written)
    labels = [_labels(list(nodes.values()), each["topology_key"]) for each in written]
    pods = given["matching_pods"]
    matching = [_matching(nodes, pods, each.get("selector_label")) for each in written]
    able = topology.may_spread([_constraint(each) for each in written], labels, matching, itself)
    return {"feasible": {name: bool(may) for name, may in zip(nodes, able, strict=True)}}


def _hard(constraint: Given) -> bool:
    return bool(constraint.get("when_unsatisfiable", "DoNotSchedule") == "DoNotSchedule")


def _constraint(each: Given) -> topology.TopologySpread:
    return topology.TopologySpread(each.get("max_skew", 1), each["topology_key"] in HOST_KEYS, each.get("min_domains"))


def _labels(nodes: Sequence[Given], key: str) -> Any:
    """The label of each node, which may lie among its labels."""
    return np.array([dict((node.get("labels") or node).every()).get(key) for node in nodes], object)


def _matching(nodes: Mapping[str, Any], pods: Mapping[str, Any], label: str | None) -> Counts:
    """Pods on each node that a selector matches: a number, or lists of the labels that each pod has."""
    def number(found: Any) -> int:
        return found if isinstance(found, int) else sum(label is None or label in pod for pod in found)
    return np.array([number(pods.get(name, 0)) for name in nodes], np.int64)


RULES: Final = Rules("scheduler-score", {
    "LeastAllocated": least, "MostAllocated": most, "RequestedToCapacityRatio": ratio, "BalancedAllocation": balance,
    "shape_function": shape_function, "ImageLocality": images, "TaintToleration": taint_scores, "TaintToleration filter": taint_filter,
    "PodTopologySpread": spread, "PodTopologySpread filter": spread_filter,
})

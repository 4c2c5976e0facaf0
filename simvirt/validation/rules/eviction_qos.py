"""Cases of the kind `eviction-qos`: classes of pods, their cgroups, whom a node in need gives up, and what it keeps back.

*Model*: quantities of a case are read as Kubernetes writes them, CPU in thousandths.
*Ignores*: limits that a case does not give: a memory limit is answered only where one is given or none is meant.
*Source*: kubernetes/kubernetes pkg/kubelet and pkg/apis/core/v1/helper/qos tests (what cases' words mean).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from simvirt.orchestration import eviction, qos
from simvirt.validation.rules.cases import Given
from simvirt.validation.rules.rule import Answer, NotKnown, Rules

_QUANTITY: Final = re.compile(r"([+-]?[0-9.]+)([a-zA-Z]*)")
UNITS: Final[Mapping[str, float]] = {
    "": 1.0, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40,
}


def quantity(written: Any) -> float:
    """An amount as Kubernetes writes it: `100m`, `1.5Gi`, `2`."""
    found = _QUANTITY.fullmatch(str(written).strip())
    if found is None or found[2] not in UNITS:
        raise NotKnown(f"no quantity: {written}")
    return float(found[1]) * UNITS[found[2]]


def _amounts(written: Mapping[str, Any] | None) -> dict[str, float]:
    return {name: quantity(amount) * (1000 if name == "cpu" else 1) for name, amount in (written or {}).items()}


# --- classes and cgroups -------------------------------------------------------------------------------------------------


def qos_class(given: Given) -> Answer:
    """The class of a pod."""
    written = [*given["containers"], *given.get("init_containers", [])]
    containers = [qos.Resources(_amounts(each.get("requests")), _amounts(each.get("limits"))) for each in written]
    return {"qos_class": qos.qos_class(containers)}


def oom_score_adj(given: Given) -> Answer:
    """What the kernel adds to a container's badness."""
    critical = bool(given.get("node_critical", False))
    requested, memory = int(given.get("memory_request_bytes", 0)), int(given["node_memory_bytes"])
    return {"oom_score_adj": qos.oom_score_adj(given["qos_class"], requested, memory, node_critical=critical)}


def cfs_quota(given: Given) -> Answer:
    """The quota of a limit."""
    return {"quota_us": qos.cfs_quota_us(given["limit_millicores"], int(given.get("period_us", qos.PERIOD_US)))}


def pod_cgroup(given: Given) -> Answer:
    """The cgroup of a pod: of its containers, or of one."""
    containers = given.get("containers", [given])
    found = qos.pod_cgroup([_container(each) for each in containers])
    answer: dict[str, Any] = {"cpu_quota_us": found.cpu_quota_us, "cpu_shares": found.cpu_shares, "cpu_weight_v2": found.cpu_weight}
    unsaid = any("cpu_limit_m" in each and each["cpu_limit_m"] and not _says_memory(each) for each in containers)
    if unsaid and "memory_limit_bytes" in (given.form or {}):
        raise NotKnown("given has a limit of CPU and none of memory")
    return {**answer, "memory_limit_bytes": found.memory_limit}


def _says_memory(container: Given) -> bool:
    """Whether the limit of memory of a container is given."""
    return "memory_limit" in container or "memory_limit_bytes" in container


def _container(each: Given) -> qos.Resources:
    """A container whose amounts are in thousandths of a CPU and bytes."""
    memory = each.get("memory_limit", each.get("memory_limit_bytes"))
    limits = {"cpu": float(each.get("cpu_limit_m") or 0), "memory": quantity(memory) if memory is not None else 0.0}
    return qos.Resources({"cpu": float(each.get("cpu_request_m") or 0)}, limits)


def cpu_weight(given: Given) -> Answer:
    """The weight of shares, or of a request."""
    shares = given["cpu_shares"] if "cpu_shares" in given else qos.cpu_shares(given["cpu_request_m"])
    given.get("cpu_request_m")
    return {"cpu_weight_v2": qos.cpu_weight(shares), "cpu_shares": shares, "cpu_weight_v2_later": qos.cpu_weight_later(shares)}


# --- eviction ------------------------------------------------------------------------------------------------------------


def eviction_order(given: Given) -> Answer:
    """Pods in the order in which they are evicted; where two are alike but for their excess, either may be first."""
    pods = []
    for each in given["pods"]:
        each.get("qos")
        pods.append(eviction.Candidate(each["name"], each.get("request_Mi", 0), each.get("usage_Mi", 0), each.get("priority", 0)))
    found = eviction.eviction_order(pods, given.get("signal", "memory.available"))
    return {"first_to_last": [pod.name for pod in found], "also_ok": [[pod.name for pod in _without_excess(found)]]}


def _without_excess(pods: Sequence[eviction.Candidate]) -> list[eviction.Candidate]:
    """The other order that the documentation allows: of pods within their requests the one that uses less comes first."""
    def key(pod: eviction.Candidate) -> tuple[bool, int, float]:
        within = pod.used <= pod.requested
        return within, pod.priority, pod.used if within else pod.requested - pod.used
    return sorted(pods, key=key)


def eviction_order_basis(given: Given) -> Answer:
    """By what pods are ordered."""
    return {"basis": list(eviction.order_basis(given["signal"]))}


def eviction_target(given: Given) -> Answer:
    """What has to be available again, as Kubernetes writes it, to a tenth."""
    least = given.get("evictionMinimumReclaim", {})
    hard = given["evictionHard"].every()
    return {"reclaims_until": {signal: _gib(quantity(limit), quantity(least.get(signal, "0"))) for signal, limit in hard}}


def _gib(threshold: float, least: float) -> str:
    """A sum in the unit that suits it."""
    total = eviction.reclaims_until(threshold, least)
    unit = "Gi" if total >= UNITS["Gi"] else "Mi"
    return f"{round(total / UNITS[unit], 1):g}{unit}"


def memory_available(given: Given) -> Answer:
    """The signal of memory."""
    return {"memory_available_Mi": eviction.memory_available(given["capacity_Mi"], given["usage_Mi"], given["inactive_file_Mi"])}


# --- what is kept back -----------------------------------------------------------------------------------------------------


def eks_reserved(given: Given) -> Answer:
    """EKS."""
    cpu = {"cpu_m": eviction.reserved_cpu_m(given["vcpus"])} if "vcpus" in given else {}
    memory = {"memory_Mi": eviction.eks_memory_mib(given["max_pods"])} if "max_pods" in given else {}
    return {**cpu, **memory, "eviction_hard_memory": eviction.HARD["memory.available"]}


def gke_reserved_memory(given: Given) -> Answer:
    """GKE, memory."""
    kept = eviction.gke_memory_gib(given["memory_GiB"])
    threshold = quantity(eviction.HARD["memory.available"]) / UNITS["Gi"]
    return {
        "kube_reserved_GiB": kept, "eviction_hard_MiB": threshold * 1024, "total_GiB": round(kept + threshold, 4),
        "allocatable_GiB": round(given["memory_GiB"] - kept - threshold, 4),
    }


def gke_reserved_cpu(given: Given) -> Answer:
    """GKE, CPU."""
    kept = eviction.reserved_cpu_m(given["cores"])
    return {"reserved_m": kept, "allocatable_m": given["cores"] * 1000 - kept}


def aks_reserved_memory_before_1_29(given: Given) -> Answer:
    """AKS until 1.28, memory."""
    kept = eviction.aks_memory_gb_before_1_29(given["memory_GB"])
    return {"kube_reserved_GB": kept, "eviction_hard_Mi": eviction.AKS_HARD_MI_BEFORE_1_29}


def aks_reserved_memory(given: Given) -> Answer:
    """AKS since 1.29, memory."""
    kept = eviction.aks_memory_mb(given["memory_GB"] * 1000.0, given["max_pods"])
    return {"kube_reserved_MB": kept, "kube_reserved_GB": kept / 1000.0, "eviction_hard_Mi": eviction.AKS_HARD_MI}


def aks_reserved_cpu(given: Given) -> Answer:
    """AKS, CPU."""
    kept = eviction.aks_cpu_m(given["cores"])
    return {"reserved_m": kept, "allocatable_m": given["cores"] * 1000 - kept}


def defaults(given: Given) -> Answer:
    """Constants that a kubelet has where nothing is said."""
    if given["kind"] != "kubelet hard eviction":
        raise NotKnown(f"no defaults of {given['kind']}")
    return {
        **eviction.HARD, "grace_s": 0, "housekeeping_interval_s": eviction.HOUSEKEEPING_S,
        "pressure_transition_s": eviction.PRESSURE_TRANSITION_S,
    }


RULES: Final = Rules("eviction-qos", {
    "qos_class": qos_class, "oom_score_adj": oom_score_adj, "cfs_quota": cfs_quota, "pod_cgroup": pod_cgroup, "cpu_weight": cpu_weight,
    "eviction_order": eviction_order, "eviction_order_basis": eviction_order_basis, "eviction_target": eviction_target,
    "memory_available": memory_available, "eks_reserved": eks_reserved, "gke_reserved_memory": gke_reserved_memory,
    "gke_reserved_cpu": gke_reserved_cpu, "aks_reserved_memory_before_1_29": aks_reserved_memory_before_1_29,
    "aks_reserved_memory": aks_reserved_memory, "aks_reserved_cpu": aks_reserved_cpu, "defaults": defaults,
})

"""What a kubelet does when its node runs short, and what it keeps back so that it does not.

*Model*: thresholds on what is available, met as soon as there is less or once there has been for a grace period, and until there is as
    much more as has to be reclaimed; the node's condition outlasts them by a transition period. Pods that use more than they requested go
    first, then those of low priority, then those that exceed their request the most. What is kept back of a node's memory and CPU follows
    each provider's published rates.
*Ignores*: images and logs that are deleted before pods.
*Source*: Kubernetes documentation, Node-pressure Eviction; kubernetes/kubernetes pkg/kubelet/eviction (helpers.go,
    eviction_manager.go);
    awslabs/amazon-eks-ami nodeadm/internal/kubelet/config.go; Google Cloud documentation, Plan GKE node sizes; Microsoft Learn, Node
    resource reservations in AKS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

HARD: Final[Mapping[str, str]] = {
    "memory.available": "100Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%", "imagefs.available": "15%",
}
"""Hard thresholds of a kubelet that is given none."""
HOUSEKEEPING_S: Final = 10.0
"""How often a kubelet looks at its thresholds [s]."""
PRESSURE_TRANSITION_S: Final = 300.0
"""How long a node's condition stays after the pressure is gone [s]."""
WITHOUT_REQUESTS: Final = ("nodefs.inodesFree", "imagefs.inodesFree", "containerfs.inodesFree", "pid.available")
"""Signals for which nothing can be requested."""
Rates = Sequence[tuple[float, float]]
"""How much of a resource is kept back at what rate, step by step; the last step has no end."""
INF: Final = float("inf")
GKE_MEMORY: Final[Rates] = ((4, 0.25), (4, 0.20), (8, 0.10), (112, 0.06), (INF, 0.02))
"""Parts of a node's memory [GiB] that GKE keeps back, and AKS before 1.29 [GB]."""
CORES: Final[Rates] = ((1, 0.06), (1, 0.01), (2, 0.005), (INF, 0.0025))
"""Parts of a node's cores that GKE and EKS keep back."""
AKS_CPU_M: Final = ((1, 60), (2, 100), (4, 140), (8, 180), (16, 260), (32, 420), (64, 740))
"""Cores of an AKS node, and what is kept back of them [milli-CPU]."""

AKS_HARD_MI_BEFORE_1_29, AKS_HARD_MI = 750, 100
"""Thresholds of memory at which AKS evicts [MiB]."""


# --- eviction ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pod that might be evicted: what it requested and uses of what is short, and its priority."""

    name: str
    requested: float
    used: float
    priority: int = 0


def order_basis(signal: str) -> tuple[str, ...]:
    """By what pods are ordered when a signal falls below its threshold."""
    return ("priority",) if signal in WITHOUT_REQUESTS else ("usage above request", "priority", "usage minus request")


def eviction_order(pods: Sequence[Candidate], signal: str = "memory.available") -> list[Candidate]:
    """Pods in the order in which they are evicted."""
    if signal in WITHOUT_REQUESTS:
        return sorted(pods, key=lambda pod: (pod.priority, -pod.used))
    return sorted(pods, key=lambda pod: (pod.used <= pod.requested, pod.priority, pod.requested - pod.used))


@dataclass(frozen=True, slots=True)
class Threshold:
    """Less than this has to be available for so long [s], and ending pods goes on until as much more is available."""

    least: float
    grace_s: float = 0.0
    minimum: float = 0.0


@dataclass(frozen=True, slots=True)
class Pressure:
    """What a kubelet remembers: when each threshold was first found crossed [s], which are met, when any was found crossed last [s]."""

    since: tuple[float | None, ...] = ()
    met: tuple[bool, ...] = ()
    last_s: float | None = None

    @property
    def acts(self) -> bool:
        """Whether a pod has to go."""
        return any(self.met)

    def holds(self, now_s: float, transition_s: float) -> bool:
        """Whether the node counts as under pressure."""
        return self.last_s is not None and now_s - self.last_s <= transition_s


def observed(thresholds: Sequence[Threshold], before: Pressure, available: float, now_s: float) -> Pressure:
    """What a kubelet knows after a look at what is available."""
    met = before.met or (False,) * len(thresholds)
    since = before.since or (None,) * len(thresholds)
    ends = [reclaims_until(one.least, one.minimum) if old else one.least for one, old in zip(thresholds, met, strict=True)]
    first = tuple((now_s if began is None else began) if available < end else None for began, end in zip(since, ends, strict=True))
    now_met = tuple(began is not None and now_s - began >= one.grace_s for began, one in zip(first, thresholds, strict=True))
    crossed = any(began is not None for began in first)
    return Pressure(first, now_met, now_s if crossed else before.last_s)


def working_set(usage: float, inactive_file: float) -> float:
    """Memory that counts as used: what is charged without the files' pages that were not looked at lately."""
    return max(0.0, usage - inactive_file)


def memory_available(capacity: float, usage: float, inactive_file: float) -> float:
    """The signal `memory.available`."""
    return capacity - working_set(usage, inactive_file)


def reclaims_until(threshold: float, minimum: float = 0.0) -> float:
    """What has to be available again before evicting ends: the threshold and the minimum to reclaim beyond it."""
    return threshold + minimum


# --- what is kept back -----------------------------------------------------------------------------------------------------


def stepped(amount: float, rates: Rates) -> float:
    """The sum of parts of an amount, each step at its own rate."""
    kept, left = 0.0, amount
    for size, rate in rates:
        kept += min(left, size) * rate
        left = max(0.0, left - size)
    return kept


def eks_memory_mib(max_pods: int) -> float:
    """What EKS keeps back of memory [MiB]: 255 and 11 per pod."""
    return 255.0 + 11.0 * max_pods


def reserved_cpu_m(cores: float) -> float:
    """What EKS and GKE keep back of CPU [milli-CPU]."""
    return 1000.0 * stepped(cores, CORES)


def gke_memory_gib(memory_gib: float) -> float:
    """What GKE keeps back of memory [GiB], without the threshold of eviction; 255 MiB of a machine below 1 GiB."""
    return 255.0 / 1024.0 if memory_gib < 1.0 else stepped(memory_gib, GKE_MEMORY)


def aks_memory_gb_before_1_29(memory_gb: float) -> float:
    """What AKS kept back of memory before 1.29 [GB], without the 750 MiB of its threshold."""
    return stepped(memory_gb, GKE_MEMORY)


def aks_memory_mb(memory_mb: float, max_pods: int) -> float:
    """What AKS keeps back of memory since 1.29 [MB]: 20 per pod and 50, at most a quarter; its threshold is 100 MiB."""
    return min(20.0 * max_pods + 50.0, 0.25 * memory_mb)


def aks_cpu_m(cores: int) -> int:
    """What AKS keeps back of CPU [milli-CPU]: the row of its table at or below the node's cores."""
    return max((kept for size, kept in AKS_CPU_M if size <= cores), default=AKS_CPU_M[0][1])

"""Requests and limits of a pod as classes, cgroups and the kernel's choice of what to kill.

*Model*: the class follows from requests and limits of CPU and memory of all containers; requests of CPU become shares and weights,
    limits become quotas, requests of memory become the score by which the kernel chooses.
*Ignores*: huge pages, devices, and memory.min and memory.high of the memory QoS feature.
*Source*: kubernetes/kubernetes pkg/apis/core/v1/helper/qos/qos.go, pkg/kubelet/qos/policy.go, pkg/kubelet/cm/helpers_linux.go;
    KEP 2254 (cgroup v2: weights from shares).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

QosClass = Literal["Guaranteed", "Burstable", "BestEffort"]
COUNTED: Final = ("cpu", "memory")
"""Resources that decide on the class."""
PERIOD_US: Final = 100_000
"""Period of a quota [us]."""
LEAST_QUOTA_US: Final = 1_000
LEAST_SHARES, MOST_SHARES, SHARES_PER_CPU = 2, 262_144, 1024
LEAST_WEIGHT, MOST_WEIGHT = 1, 10_000
BEST_EFFORT_ADJ, GUARANTEED_ADJ = 1000, -997
"""oom_score_adj of the outer classes."""
Amounts = Mapping[str, float]
"""Resources and how much of them: CPUs in thousandths, bytes."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What a container requests, and what it is limited to."""

    requests: Amounts = field(default_factory=dict)
    limits: Amounts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cgroup:
    """What a pod's cgroup is given; None where nothing bounds it. `cpu_shares` become `cpu_weight` in cgroup v2."""

    cpu_shares: int
    cpu_weight: int
    cpu_quota_us: int | None
    memory_limit: int | None


def qos_class(containers: Sequence[Resources]) -> QosClass:
    """The class of a pod of some containers, those that only initialise it included."""
    requests, limits = _summed([each.requests for each in containers]), _summed([each.limits for each in containers])
    if not requests and not limits:
        return "BestEffort"
    bounded = all(each.limits.get(name, 0) > 0 for each in containers for name in COUNTED)
    return "Guaranteed" if bounded and requests == limits else "Burstable"


def _summed(amounts: Sequence[Amounts]) -> dict[str, float]:
    """What counts of several containers, without what is zero."""
    total = {name: sum(each.get(name, 0) for each in amounts) for name in COUNTED}
    return {name: amount for name, amount in total.items() if amount > 0}


def defaulted(container: Resources) -> Resources:
    """A container as the API server fills it in: what is limited and not requested is requested."""
    return Resources({**container.limits, **container.requests}, container.limits)


def oom_score_adj(of: QosClass, memory_request: int, node_memory: int, *, node_critical: bool = False) -> int:
    """What the kernel adds to the badness of a container's processes: -997 to 1000, higher is killed sooner [bytes]."""
    if node_critical or of == "Guaranteed":
        return GUARANTEED_ADJ
    if of == "BestEffort":
        return BEST_EFFORT_ADJ
    adjusted = 1000 - 1000 * memory_request // node_memory
    return max(1000 + GUARANTEED_ADJ, min(adjusted, BEST_EFFORT_ADJ - 1))


def cpu_shares(request_m: float) -> int:
    """Shares of cgroup v1 for a request [thousandths of a CPU]."""
    return LEAST_SHARES if request_m <= 0 else min(MOST_SHARES, max(LEAST_SHARES, int(request_m * SHARES_PER_CPU / 1000)))


def cpu_weight(shares: int) -> int:
    """Weight of cgroup v2 for shares of v1: the linear map of KEP 2254."""
    return LEAST_WEIGHT + (shares - LEAST_SHARES) * (MOST_WEIGHT - LEAST_WEIGHT) // (MOST_SHARES - LEAST_SHARES)


def cpu_weight_later(shares: int) -> int:
    """The same as runtimes since crun 1.23 and runc 1.3.2 map it, so that 1024 shares are a weight of 100.

    *Source*: opencontainers/cgroups ConvertCPUSharesToCgroupV2Value: a quadratic in the logarithm through (2, 1), (1024, 100) and
        (262144, 10000).
    """
    if shares <= LEAST_SHARES:
        return LEAST_WEIGHT
    if shares >= MOST_SHARES:
        return MOST_WEIGHT
    log = math.log2(shares)
    return math.ceil(10 ** ((log * log + 125 * log) / 612.0 - 7.0 / 34.0))


def cfs_quota_us(limit_m: float, period_us: int = PERIOD_US) -> int:
    """Quota of a limit [thousandths of a CPU] in a period; 0 for none."""
    return max(LEAST_QUOTA_US, int(limit_m * period_us / 1000)) if limit_m > 0 else 0


def pod_cgroup(containers: Sequence[Resources]) -> Cgroup:
    """The cgroup of a pod: requests add up, limits only where every container has one."""
    requested = sum(each.requests.get("cpu", 0) for each in containers)
    shares = cpu_shares(requested)
    bounds = {name: _bound([each.limits.get(name, 0) for each in containers]) for name in COUNTED}
    quota = None if bounds["cpu"] is None else cfs_quota_us(bounds["cpu"])
    return Cgroup(shares, cpu_weight(shares), quota, None if bounds["memory"] is None else int(bounds["memory"]))


def _bound(limits: Sequence[float]) -> float | None:
    """The sum of limits; None where one is missing."""
    return sum(limits) if limits and all(limit > 0 for limit in limits) else None

"""Rules of Kubernetes' other workloads: StatefulSets, Jobs, DaemonSets, disruption budgets.

*Model*: a StatefulSet goes by ordinals; a Job waits twice as long after each failure in a row; a budget counts healthy pods.
*Ignores*: volumes of StatefulSets; indexed Jobs, and parallel ones but for the count of their pods.
*Source*: kubernetes/kubernetes pkg/controller/{statefulset,job,disruption}; its API documentation for percentages of StatefulSets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from simvirt.orchestration.rollout import Amount, amount
from simvirt.scenario.spec.deploy import BACKOFF_LIMIT

Action = Literal["create", "rolling update", "scale down", "delete"]
BACKOFF_S: Final = 10.0
"""Wait after a Job's first failure [s] (DefaultJobPodFailureBackOff)."""
MOST_BACKOFF_S: Final = 600.0
"""Longest wait after a failure in the code [s] (MaxJobPodFailureBackOff)."""
DOCUMENTED_BACKOFF_S: Final = 360.0
"""Longest wait after a failure in the documentation [s], which the code does not keep."""


# --- StatefulSets ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ordinals:
    """The ordinals that an action touches in their order, how many at a time, and those that it leaves."""

    order: tuple[int, ...]
    at_a_time: int
    kept: tuple[int, ...] = ()


def stateful_at_a_time(replicas: int, max_unavailable: Amount) -> int:
    """Pods that may be unavailable during an update of a StatefulSet: rounded up, at least one, which is also the default."""
    return max(1, amount(1 if max_unavailable is None else max_unavailable, replicas, up=True))


def stateful(
    action: Action, replicas: int, partition: int = 0, parallel: bool = False, max_unavailable: Amount = None, remain: int = 0
) -> Ordinals:
    """What an action does to the pods of a StatefulSet: it grows from the first, everything else begins at the last.

    `parallel` pods do not wait for each other when the set grows or shrinks, but they do in an update; `remain` pods remain of a
    smaller set.
    """
    if action == "create":
        return Ordinals(tuple(range(replicas)), replicas if parallel else 1)
    if action == "rolling update":
        kept = tuple(range(min(partition, replicas)))
        return Ordinals(tuple(reversed(range(len(kept), replicas))), stateful_at_a_time(replicas, max_unavailable), kept)
    return Ordinals(tuple(reversed(range(remain, replicas))), replicas if parallel else 1, tuple(range(remain)))


# --- Jobs ------------------------------------------------------------------------------------------------------------------


def job_delay(failures: int, base_s: float = BACKOFF_S, most_s: float = MOST_BACKOFF_S) -> float:
    """How long a Job waits after so many failures in a row [s]."""
    return min(base_s * 2.0 ** min(failures - 1, 64), most_s) if failures > 1 else base_s * (failures > 0)


def job_remaining(failures: int, since_s: float, base_s: float = BACKOFF_S, most_s: float = MOST_BACKOFF_S) -> float:
    """How long a Job still waits, so many seconds after its last failure [s]."""
    return max(0.0, job_delay(failures, base_s, most_s) - since_s)


def failures_in_a_row(before: int, succeeded: Sequence[float], failed: Sequence[float]) -> int:
    """Failures since the last success: all of them and those before where nothing succeeded, else those later than it."""
    return sum(at > max(succeeded) for at in failed) if succeeded else before + len(failed)


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How a Job ends: pods that were created, whether it failed, and its waits before each pod after the first [s]."""

    pods: int
    failed: bool
    delays_s: tuple[float, ...]


def job_outcome(
    failing: int | None, limit: int = BACKOFF_LIMIT, completions: int = 1, in_place: bool = False, base_s: float = BACKOFF_S,
    most_s: float = MOST_BACKOFF_S,
) -> JobOutcome:
    """A Job whose first pods fail, one at a time: all of them where `failing` is None.

    Where containers are restarted `in_place` (restartPolicy: OnFailure), a pod fails and the Job with it after so many restarts.
    """
    failures = limit + 1 if failing is None else min(failing, limit + 1)
    failed = failures > limit
    delays = tuple(job_delay(number, base_s, most_s) for number in range(1, failures + (not failed)))
    if in_place:
        return JobOutcome(1 if failed else completions, failed, ())
    return JobOutcome(failures + (0 if failed else completions), failed, delays)


# --- disruption budgets ----------------------------------------------------------------------------------------------------


def desired_healthy(expected: int, min_available: Amount = None, max_unavailable: Amount = None) -> int:
    """Pods that a budget wants healthy of those expected; shares are rounded up."""
    if max_unavailable is not None:
        return max(0, expected - amount(max_unavailable, expected, up=True))
    return amount(min_available, expected, up=True)


def disruptions_allowed(expected: int, healthy: int, min_available: Amount = None, max_unavailable: Amount = None) -> int:
    """Pods that may be evicted now; none where none are expected."""
    return max(0, healthy - desired_healthy(expected, min_available, max_unavailable)) if expected else 0

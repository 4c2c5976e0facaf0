"""When machines are bought and given back for what waits: rules of Kubernetes' cluster autoscaler and of Karpenter.

*Model*: pods that wait are gathered until none came for a while, or for long enough in all (Karpenter). The cluster autoscaler stops all
    of its work while too much of a cluster is unready. A machine goes once it has been unneeded for long enough throughout and none was
    added lately: empty ones first, several at once, then one that has to be emptied. Constants are defaults that cases are held against;
    those of a simulation are the catalogue's (data/machine_autoscalers.yaml).
*Ignores*: machines that do not come, and the waits after that, which are held against cases and act in no simulation.
*Source*: kubernetes/autoscaler cluster-autoscaler/FAQ.md; aws/karpenter-provider-aws website/content/en/preview, settings and nodeclaims.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MINUTE: Final = 60.0
UNNEEDED_S: Final = 10 * MINUTE
"""How long a machine is little used before it goes back [s] (--scale-down-unneeded-time)."""
AFTER_ADD_S: Final = 10 * MINUTE
"""No machine goes back for so long after one was added [s] (--scale-down-delay-after-add)."""
AFTER_FAILURE_S: Final = 3 * MINUTE
"""No machine goes back for so long after that failed [s] (--scale-down-delay-after-failure)."""
UNREADY_S: Final = 20 * MINUTE
"""How long an unready machine stands before it goes back [s] (--scale-down-unready-time)."""
LITTLE_USED: Final = 0.5
"""What is requested of a machine over what it has, below which it is little used (--scale-down-utilization-threshold)."""
AT_ONCE: Final = 10
"""Empty machines that go back together at most (--max-empty-bulk-delete)."""
GRACE_S: Final = 10 * MINUTE
"""How long pods may take to end when their machine goes back [s] (--max-graceful-termination-sec)."""
EVICTION_S: Final = 2 * MINUTE
"""How long it is tried to move a pod [s] (--max-pod-eviction-time)."""
PROVISION_S: Final = 15 * MINUTE
"""How long a machine may take until it is there [s] (--max-node-provision-time)."""
BACKOFF_S: Final = 5 * MINUTE
"""Wait after a machine did not come [s] (--initial-node-group-backoff-duration)."""
MOST_BACKOFF_S: Final = 30 * MINUTE
"""Longest wait [s] (--max-node-group-backoff-duration)."""
RESET_S: Final = 180 * MINUTE
"""Time without failures after which waits begin anew [s] (--node-group-backoff-reset-timeout)."""
OK_UNREADY: Final = 3
"""Unready machines that never matter (--ok-total-unready-count)."""
MOST_UNREADY: Final = 0.45
"""Ratio of unready machines beyond which nothing is done (--max-total-unready-percentage)."""
IDLE_S: Final = 1.0
"""Karpenter: pods are gathered until none came for so long [s] (BATCH_IDLE_DURATION)."""
GATHER_S: Final = 10.0
"""Karpenter: and for so long at most [s] (BATCH_MAX_DURATION)."""
REGISTRATION_S: Final = 15 * MINUTE
"""Karpenter: a machine that has not joined by then is given up [s] (nodeclaims.md)."""
NO_CAPACITY_S: Final = 3 * MINUTE
"""Karpenter: for so long it is remembered that there is none of a kind [s] (nodepools.md)."""


def gathered_until(arrivals_s: Sequence[float], idle_s: float = IDLE_S, most_s: float = GATHER_S) -> float:
    """When pods that arrived at these instants are looked at together, those that come later than that not among them [s]."""
    first, closes = arrivals_s[0], arrivals_s[0] + idle_s
    for at in arrivals_s[1:]:
        if at > closes:
            break
        closes = at + idle_s
    return min(closes, first + most_s)


def stops(machines: int, unready: int, ok: int = OK_UNREADY, most: float = MOST_UNREADY) -> bool:
    """Whether the cluster autoscaler does nothing: more are unready than ever matter, and too large a part of all."""
    return unready > ok and unready > most * machines


@dataclass(frozen=True, slots=True)
class Going:
    """A machine that may go: which, of which pool, and whether nothing stands on it."""

    machine: int
    pool: str
    empty: bool


def since_when(before: Mapping[int, float], unneeded: Iterable[int], now_s: float) -> dict[int, float]:
    """Since when each unneeded machine has been so without a break [s]."""
    return {machine: before.get(machine, now_s) for machine in unneeded}


def leaving(
    due: Sequence[Going], above: Mapping[str, int], places: int, drains: int, under_way: Collection[Going] = ()
) -> list[Going]:
    """Which of the machines that are due go now: the empty ones first, at most as many as their pools have `above` their least number.

    There are so many `places` for machines that go at once, of them `drains` for those that have to be emptied; some are under way.
    """
    left, found = dict(above), list[Going]()
    free, draining = places - len(under_way), drains - sum(not one.empty for one in under_way)
    for one in sorted(due, key=lambda one: not one.empty):
        if len(found) < free and left.get(one.pool, 0) > 0 and (one.empty or draining > 0):
            found.append(one)
            left[one.pool] -= 1
            draining -= not one.empty
    return found

"""One sync of the horizontal pod autoscaler: from metrics and the current count to the next count.

*Model*: bounds come before metrics; the largest proposal counts; a metric that fails stops shrinking, all of them stop everything;
    then the count is stabilised and limited, and a change is noted.
*Ignores*: the scale subresource's conflicts, and the autoscaler's conditions other than the reason of its limit.
*Source*: kubernetes/kubernetes pkg/controller/podautoscaler/horizontal.go (reconcileAutoscaler), as of 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from simvirt.orchestration.hpa import MetricError, Proposal
from simvirt.orchestration.hpa_behaviour import (
    Entry,
    Limits,
    Log,
    Reason,
    legacy_limited,
    legacy_stabilised,
    limited,
    noted,
    stabilised,
)

SYNC_S: Final = 15.0
"""Period of the controller's sync [s] (--horizontal-pod-autoscaler-sync-period)."""
WINDOW_S: Final = 300.0
"""How long recommendations to have more hold [s] (--horizontal-pod-autoscaler-downscale-stabilization)."""
Metric = Callable[[], Proposal]
"""What asks a metric for a proposal; it raises MetricError where the metric fails."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The next count, why it is not what was asked for, what was asked for, and the log afterwards.

    `limited_by` is None where no metric was asked, `wanted` where none gave a proposal.
    """

    replicas: int
    limited_by: Reason | None
    wanted: int | None
    log: Log


def proposed(current: int, metrics: Sequence[Metric]) -> int | None:
    """The largest proposal of metrics; None where all fail, or some fail and the others would shrink."""
    found, failed = 0, 0
    for metric in metrics:
        try:
            found = max(found, metric().replicas)
        except MetricError:
            failed += 1
    return None if failed == len(metrics) or (failed and found < current) else found


def first_log(current: int, now_s: float) -> Log:
    """What an autoscaler remembers when it first sees its target: that it recommends the current count."""
    return Log((Entry(current, now_s),))


def reconcile(
    current: int, metrics: Sequence[Metric], limits: Limits, log: Log, now_s: float, behaves: bool = True, from_zero: bool = False,
) -> Decision:
    """One sync at an instant [s]; without stated behaviour (`behaves`) with the limits of old.

    A target of no replicas stays as it is (somebody switched it off), unless the autoscaler itself scaled it to zero and a metric
    that needs no pods can bring it back (`from_zero`).
    """
    if not current and not from_zero:
        return Decision(0, None, None, log)
    bounded = min(max(current, limits.low), limits.high) if current else 0
    if bounded != current:
        return Decision(bounded, None, None, _changed(log, current, bounded, limits, now_s, behaves))
    wanted = proposed(current, metrics)
    if wanted is None:
        return Decision(current, None, None, log)
    replicas, reason, log = _normal(wanted, current, limits, log, now_s, behaves)
    replicas = max(replicas, limits.low) if from_zero and not current else replicas
    return Decision(replicas, reason, wanted, _changed(log, current, replicas, limits, now_s, behaves))


def _normal(wanted: int, current: int, limits: Limits, log: Log, now_s: float, behaves: bool) -> tuple[int, Reason, Log]:
    """A proposal stabilised and limited, and the log with it."""
    entry = Entry(wanted, now_s)
    if not behaves:
        stable = legacy_stabilised(wanted, WINDOW_S, log.recommendations, now_s)
        return *legacy_limited(stable, current, limits), replace(log, recommendations=noted(log.recommendations, entry, WINDOW_S))
    stable = stabilised(wanted, current, limits, log.recommendations, now_s)
    window = max(limits.up.window_s, limits.down.window_s)
    return *limited(stable, current, limits, log, now_s), replace(log, recommendations=noted(log.recommendations, entry, window))


def _changed(log: Log, before: int, after: int, limits: Limits, now_s: float, behaves: bool) -> Log:
    """The log with a change, where there is one and limits look at it."""
    if after == before or not behaves:
        return log
    if after > before:
        return replace(log, ups=noted(log.ups, Entry(after - before, now_s), limits.up.longest_s))
    return replace(log, downs=noted(log.downs, Entry(before - after, now_s), limits.down.longest_s))

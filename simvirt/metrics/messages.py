"""What became of messages between two snapshots, and whether none was lost on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from simvirt.gauges import Snapshot
from simvirt.metrics.answers import S, ends_of, mean_s
from simvirt.metrics.outcome import Messages
from simvirt.metrics.statistics import mean_interval, quantile_interval
from simvirt.plane import DataPlane
from simvirt.result.document import Latency
from simvirt.result.messages import SubscriptionUse

QUANTILES: Final = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
ENDS: Final = {"redelivered": "returned", "dead_lettered": "dead", "dropped": "dropped", "lost": "lost", "repeated": "repeated"}
"""Ratio of a result -> the kernel's count."""
NUMBERS: Final = ("published_per_s", "consumed_per_s", "wait_s", "waiting", "longest", "utilisation", *ENDS)


def messages(plane: DataPlane, first: Snapshot, last: Snapshot, span: float) -> dict[str, Messages]:
    """What became of the messages of each subscription, by topic and operation."""
    return {one.name: _messages(plane, row, first, last, span) for row, one in enumerate(plane.lowered.subscriptions)}


def _messages(plane: DataPlane, row: int, first: Snapshot, last: Snapshot, span: float) -> Messages:
    """The messages of one subscription."""
    now = {name: values[row] for name, values in last.messages.items()}
    over = {name: values[row] - first.messages[name][row] for name, values in last.messages.items()}
    came, histogram = int(over["published"]), over["histogram"]
    numbers: dict[str, float | None] = {
        "published_per_s": came / span, "consumed_per_s": float(over["consumed"]) / span,
        "wait_s": mean_s(over["wait"], int(over["delivered"])), "waiting": float(over["area"]) / S / span,
        "longest": float(now["longest"]), "utilisation": consumers_used(plane, row, first, last),
    }
    numbers |= {name: float(over[count]) / came if came else None for name, count in ENDS.items()}
    return Messages(numbers, mean_s(over["latency_sum"], int(over["consumed"])), histogram, ends_of(histogram, plane, "subscriptions", row))


def consumers_used(plane: DataPlane, row: int, first: Snapshot, last: Snapshot) -> float:
    """Time that consumers worked, over what those have together that are stated, or more where more have worked."""
    one, rows = plane.lowered.subscriptions[row], plane.instances_of(plane.lowered.subscriptions[row].service)
    worked = int(np.count_nonzero((last.thread_time - first.thread_time)[rows]))
    many = max(plane.lowered.scenario.services[one.service].replicas, worked if len(rows) > 1 else 1)
    busy = float(last.messages["busy"][row] - first.messages["busy"][row])
    return busy / max(last.at - first.at, 1) / (one.of.concurrency * many)


def used(plane: DataPlane, first: Snapshot, last: Snapshot) -> dict[str, float]:
    """Utilisation of the consumers of each subscription, by name."""
    return {one.name: consumers_used(plane, row, first, last) for row, one in enumerate(plane.lowered.subscriptions)}


def conservation(last: Snapshot) -> str:
    """Whether all messages that came are done, dropped, lost, dead, in line or in hand; "ok", or what is wrong."""
    if not last.messages:
        return "ok"
    went = np.sum([last.messages[name] for name in ("consumed", "dropped", "lost", "dead", "waiting", "under_way")], axis=0)
    wrong = np.flatnonzero(last.messages["published"] != went)
    return f"line {wrong[0]}: {last.messages['published'][wrong[0]]} published, {went[wrong[0]]} accounted for" if len(wrong) else "ok"


def subscription_use(found: Sequence[Messages]) -> SubscriptionUse:
    """A subscription's part of the result."""
    histograms, ends = [one.histogram for one in found], [one.ends_ns for one in found]
    tails = {name: quantile_interval(histograms, q, ends=ends) for name, q in QUANTILES.items()}
    return SubscriptionUse(
        latency_s=Latency(mean=mean_interval([one.latency_mean_s for one in found]), **tails),
        **{name: mean_interval([one.numbers[name] for one in found]) for name in NUMBERS},
    )

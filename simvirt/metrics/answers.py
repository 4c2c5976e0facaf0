"""What became of requests between two snapshots: of all of them, of each workload, of each operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simvirt.gauges import Snapshot
from simvirt.kernel import constants as k
from simvirt.metrics.outcome import CATEGORIES, Answers
from simvirt.metrics.statistics import bucket_bounds, bucket_of
from simvirt.plane import DataPlane

S = 1e9  # ns in a second


@dataclass(frozen=True)
class Spread:
    """Means of consecutive latencies [s] and histograms of equally long pieces of the window: what tells how sure its numbers are."""

    batches_s: np.ndarray
    pieces: np.ndarray


@dataclass(frozen=True)
class Seen:
    """The window between two snapshots of a run that ended at a third."""

    plane: DataPlane
    first: Snapshot
    last: Snapshot
    end: Snapshot

    def over(self, name: str, rows: Sequence[int]) -> np.ndarray:
        """What a count of request classes grew by in the window, for some of them."""
        found: np.ndarray = (getattr(self.last, name) - getattr(self.first, name))[list(rows)]
        return found

    def answers(self, course: Spread, rows: range) -> dict[str, Any]:
        """What became of the requests of some classes: how many were answered, how long that took, and where the time went."""
        span = (self.last.at - self.first.at) / S or float("nan")
        completed = int(self.over("completed", rows).sum())
        lowest, highest = self.ends(rows)
        histogram, spent = self.over("histogram", rows), self.over("spent", rows)
        return {
            "requests": completed,
            "warmup_s": self.first.at / S,
            "simulated_s": self.end.at / S,
            "latency_mean_s": mean_s(self.over("latency_sum", rows).sum(), completed),
            "latency_max_s": highest / S if completed else None,
            "histogram": histogram.sum(axis=0),
            "ends_ns": (lowest, highest),
            "batches_s": course.batches_s,
            "pieces": course.pieces,
            **self.by_operation(rows),
            "throughput_per_s": completed / span,
            "offered_per_s": int(self.over("arrived", rows).sum()) / span,
            "rejected": ratio(self.over("rejected", rows).sum(), completed),
            "failed": ratio(self.over("failed", rows).sum(), completed),
            "breakdown_s": {name: mean_s(spent[:, part].sum(), completed) for part, name in enumerate(CATEGORIES)},
        }

    def by_operation(self, rows: Sequence[int]) -> dict[str, dict[str, Any]]:
        """The same of each operation that requests enter at, whichever workload they are of."""
        of: dict[str, list[int]] = {}
        for row in rows:
            of.setdefault(self.plane.lowered.classes[row].operation, []).append(row)
        lost = {name: self.over("rejected", mine) + self.over("failed", mine) for name, mine in of.items()}
        return {
            "classes": {name: self.over("histogram", mine).sum(axis=0) for name, mine in of.items()},
            "class_ends_ns": {name: self.ends(mine) for name, mine in of.items()},
            "class_means_s": {
                name: mean_s(self.over("latency_sum", mine).sum(), int(self.over("completed", mine).sum())) for name, mine in of.items()
            },
            "class_lost": {name: int(count.sum()) for name, count in lost.items()},
        }

    def ends(self, rows: Sequence[int]) -> tuple[int, int]:
        """The smallest and the largest latency of some classes [ns]."""
        ends = [ends_of(histogram, self.plane, "tallies", row) for row, histogram in zip(rows, self.over("histogram", rows), strict=True)]
        return min((low for low, _ in ends), default=k.NEVER), max((high for _, high in ends), default=0)


def classes_of_loads(plane: DataPlane) -> list[slice]:
    """The rows of each workload's classes; nothing where there is at most one without a name."""
    if not plane.lowered.scenario.workloads:
        return []
    of = [of.load for of in plane.lowered.classes]
    return [slice(of.index(load), of.index(load) + of.count(load)) for load in dict.fromkeys(of)]


def workloads_seen(seen: Seen, courses: Sequence[Spread]) -> dict[str, Answers]:
    """What became of the requests of each workload, by name."""
    slices, n = classes_of_loads(seen.plane), len(seen.plane.lowered.classes)
    return {
        name: Answers(**seen.answers(course, range(n)[rows]))
        for name, course, rows in zip(seen.plane.lowered.scenario.workloads, courses, slices, strict=True)
    }


def mean_s(total: Any, count: int) -> float | None:
    """Mean of times whose total is in ns [s]; None of none."""
    return float(total) / S / count if count else None


def ratio(part: Any, rest: int) -> float:
    """A part over the whole, 0 of nothing."""
    return float(part) / float(part + rest) if part + rest else 0.0


def ends_of(histogram: np.ndarray, plane: DataPlane, table: str, row: int) -> tuple[int, int]:
    """Smallest and largest latency of the window [ns]: the run's own where they lie in the window's first and last bucket."""
    used = np.flatnonzero(histogram)
    if len(used) == 0:
        return k.NEVER, 0
    lower, width = bucket_bounds(used[[0, -1]])
    low, high = (int(plane.read(table, name)[row]) for name in ("latency_min", "latency_max"))
    return low if bucket_of(low) == used[0] else int(lower[0]), high if bucket_of(high) == used[-1] else int(lower[1] + width[1] - 1)

"""Scores of hosts by how much of them is requested, as the Kubernetes scheduler computes them.

*Model*: resources are rows, hosts are columns: what is requested with the pod on the host, and what a host has; whole numbers, whose
    divisions are cut off. A resource that a host has none of does not count there.
*Ignores*: devices that are claimed (dynamic resource allocation), and overheads of pods.
*Source*: kubernetes/kubernetes pkg/scheduler/framework/plugins/noderesources (resource_allocation.go, least_allocated.go,
    most_allocated.go, requested_to_capacity_ratio.go, balanced_allocation.go) and plugins/helper (shape_score.go, normalize_score.go).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simvirt.placement.hosts import UNSAID, Counts, Mask

MOST: Final = 100
"""The highest score of a host."""
SHAPE_MOST: Final = 10
"""The highest score in the shape of a ratio of requested to capacity."""
Shape = Sequence[tuple[int, int]]
"""Utilisation in percent and score, growing in utilisation."""


def counted_request(containers: Sequence[Mapping[str, int]], resource: str, *, unsaid: bool = True) -> int:
    """What containers request of a resource together; what they do not say counts as a small container's where `unsaid`."""
    missing = UNSAID.get(resource, 0) if unsaid else 0
    return sum(container.get(resource, missing) for container in containers)


def least_allocated(requested: Counts, room: Counts, weights: Sequence[int]) -> Counts:
    """High where little is requested: the mean share that stays free; none of a resource that would not suffice."""
    free = np.where(requested <= room, room - requested, 0)
    return _weighted(free * MOST // np.maximum(room, 1), room > 0, weights)


def most_allocated(requested: Counts, room: Counts, weights: Sequence[int]) -> Counts:
    """High where much is requested: the mean share, at most all of it."""
    return _weighted(np.minimum(requested, room) * MOST // np.maximum(room, 1), room > 0, weights)


def requested_to_capacity(requested: Counts, room: Counts, weights: Sequence[int], shape: Shape) -> Counts:
    """What a shape says of each resource's utilisation, as a rounded mean of those that score at all."""
    line = [(at, score * (MOST // SHAPE_MOST)) for at, score in shape]
    used = np.where(requested > room, MOST, requested * MOST // np.maximum(room, 1))
    each = np.where(room > 0, broken_line(line, used), 0)
    weight = np.asarray(weights, np.int64)[:, None] * (each > 0)
    total = np.maximum(weight.sum(0), 1)
    return np.asarray(np.floor((each * weight).sum(0) / total + 0.5), np.int64)


def broken_line(shape: Shape, at: Counts) -> Counts:
    """A line through points in whole numbers, flat before the first and after the last."""
    found = np.full(np.shape(at), shape[-1][1], np.int64)
    for (low, under), (high, over) in reversed(list(pairwise(shape))):
        rise = (over - under) * (at - low)
        found = np.where(at <= high, under + np.sign(rise) * (np.abs(rise) // (high - low)), found)
    return np.where(at <= shape[0][0], shape[0][1], found)


def balanced(requested: Counts, room: Counts) -> Counts:
    """High where resources are used alike: one less the standard deviation of their shares."""
    counts = room > 0
    share = np.where(counts, np.minimum(requested / np.maximum(room, 1), 1.0), 0.0)
    number = np.maximum(counts.sum(0), 1)
    mean = share.sum(0) / number
    spread = np.sqrt((np.where(counts, share - mean, 0.0) ** 2).sum(0) / number)
    two = np.abs(_widest(share, counts)) / 2
    return np.asarray((1 - np.where(number == 2, two, spread)) * MOST, np.int64)


def normalised(scores: Counts, *, reverse: bool = False) -> Counts:
    """Scores as parts of the highest, or what is left to it where less is better."""
    highest = int(scores.max(initial=0))
    scaled = scores * MOST // highest if highest else scores
    return MOST - scaled if reverse else scaled


def _widest(share: NDArray[np.float64], counts: Mask) -> NDArray[np.float64]:
    """Difference between the largest and the smallest share that counts."""
    low = np.where(counts, share, np.inf).min(0)
    return np.where(np.isfinite(low), np.where(counts, share, 0.0).max(0) - low, 0.0)


def _weighted(each: Counts, counts: Mask, weights: Sequence[int]) -> Counts:
    """The weighted mean of what counts, cut off; zero where nothing does."""
    weight = np.asarray(weights, np.int64)[:, None] * counts
    found: Counts = (each * weight).sum(0) // np.maximum(weight.sum(0), 1)
    return found

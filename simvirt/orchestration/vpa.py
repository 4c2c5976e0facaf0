"""What CPUs a replica should request: the recommender of Kubernetes' vertical pod autoscaler, and when its updater acts.

*Model*: usage goes into a histogram whose buckets grow by a ratio; a sample weighs as much as was requested, and half as much after each
    half-life. The target is a percentile and a margin; the bounds between which nothing is changed are others, wider while there is little
    history. A percentile is the end of the bucket that it lies in.
*Ignores*: memory, recommendations for it and after OOM kills; containers of a pod beside the first; checkpoints.
*Source*: kubernetes/autoscaler vertical-pod-autoscaler/pkg/recommender (logic/recommender.go, logic/estimator.go, util/histogram.go,
    util/decaying_histogram.go, model/aggregations_config.go), pkg/updater/priority.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

DAY_S: Final = 86400.0
LEAST_WEIGHT: Final = 0.1
"""The least weight of a sample: minSampleWeight, model/aggregations_config.go."""
SAMPLES_OF_A_DAY: Final = 1440
"""Samples of a whole day, one a minute: logic/estimator.go (getConfidence)."""


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets whose widths grow by a ratio from the first one on, up to a largest value."""

    first: float
    growth: float
    most: float

    @property
    def count(self) -> int:
        """How many there are."""
        return math.ceil(self._place(self.most)) + 1

    def _place(self, value: float) -> float:
        return math.log(value * (self.growth - 1.0) / self.first + 1.0) / math.log(self.growth)

    def of(self, value: float) -> int:
        """The bucket that a value lies in."""
        return 0 if value < self.first else min(int(self._place(value)), self.count - 1)

    def start(self, bucket: int) -> float:
        """Where a bucket begins."""
        return self.first * (self.growth**bucket - 1.0) / (self.growth - 1.0)


@dataclass
class History:
    """Weights by bucket that halve in every half-life, when the first and last sample came [s], and how many there were."""

    buckets: Buckets
    half_life_s: float
    weights: dict[int, float] = field(default_factory=dict)
    first_s: float | None = None
    last_s: float = 0.0
    samples: int = 0

    def add(self, value: float, requested: float, at_s: float) -> None:
        """Take a sample in."""
        if self.first_s is None:
            self.first_s = at_s
        self.weights = {bucket: weight * 2.0 ** ((self.last_s - at_s) / self.half_life_s) for bucket, weight in self.weights.items()}
        bucket = self.buckets.of(value)
        self.weights[bucket] = self.weights.get(bucket, 0.0) + max(LEAST_WEIGHT, requested)
        self.last_s, self.samples = at_s, self.samples + 1

    def percentile(self, ratio: float) -> float:
        """The end of the bucket below which so much of the weight lies; 0 without a sample."""
        threshold, below = ratio * sum(self.weights.values()), 0.0
        for bucket in sorted(self.weights):
            below += self.weights[bucket]
            if below >= threshold:
                return self.buckets.start(bucket + 1 if bucket < self.buckets.count - 1 else bucket)
        return 0.0

    @property
    def days(self) -> float:
        """How long a history it is, by time and by samples [d]."""
        since = 0.0 if self.first_s is None else (self.last_s - self.first_s) / DAY_S
        return min(since, self.samples / SAMPLES_OF_A_DAY)


@dataclass(frozen=True, slots=True)
class Rules:
    """Percentiles of target, lower and upper bound, the margin, and the least CPUs."""

    target: float
    lower: float
    upper: float
    margin: float
    least: float


@dataclass(frozen=True, slots=True)
class Recommendation:
    """CPUs to be requested, and the bounds beyond which a request is changed."""

    target: float
    lower: float
    upper: float

    def within(self, low: float, high: float) -> Recommendation:
        """The same within what is allowed."""
        return Recommendation(*(min(max(value, low), high) for value in (self.target, self.lower, self.upper)))

    def moves(self, requested: float) -> bool:
        """Whether a request is out of bounds, and the target is another one."""
        return not self.lower <= requested <= self.upper and self.target != requested


def recommend(history: History, rules: Rules) -> Recommendation | None:
    """What a history asks for; None without one."""
    if not history.samples:
        return None
    ratios, days = (rules.target, rules.lower, rules.upper), history.days
    target, low, high = (max(history.percentile(ratio) * (1.0 + rules.margin), rules.least) for ratio in ratios)
    return Recommendation(target, low * (1.0 + 0.001 / days) ** -2 if days else 0.0, high * (1.0 + 1.0 / days) if days else math.inf)

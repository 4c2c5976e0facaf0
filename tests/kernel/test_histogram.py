"""Latency buckets against their formula."""

import math
import random

from simvirt.kernel import histogram as h
from simvirt.kernel.constants import N_BUCKETS
from simvirt.metrics.statistics import bucket_bounds, bucket_of

VALUES = [0, 1, 63, 64, 127, 128, 129, 255, 256, *(2**e + d for e in range(8, 62) for d in (-1, 0, 1))]


def by_formula(value: int) -> int:
    """The definition: e = max(0, floor(log2 v) - 6), bucket = (e << 6) + (v >> e)."""
    e = max(0, value.bit_length() - 1 - 6)
    return (e << 6) + (value >> e)


def test_edges_of_octaves() -> None:
    assert not [value for value in VALUES if not h.bucket_of(value) == by_formula(value) == bucket_of(value)]


def test_random_values_lie_in_their_buckets() -> None:
    rng = random.Random(1)
    for _ in range(5000):
        value = int(math.exp(rng.uniform(0, math.log(2**62 - 1))))
        bucket = h.bucket_of(value)
        lower, width = bucket_bounds([bucket])
        assert bucket == by_formula(value) < N_BUCKETS
        assert lower[0] <= value < lower[0] + width[0]
        assert width[0] <= max(1, value / 64)


def test_octave_is_the_highest_bit() -> None:
    for value in VALUES[1:]:
        assert h.octave(value) == value.bit_length() - 1


def test_record_counts_where_it_is_told() -> None:
    counts = [0] * (2 * N_BUCKETS)
    h.record(counts, N_BUCKETS, 1000)
    assert counts.index(1) == N_BUCKETS + by_formula(1000)
    assert sum(counts) == 1

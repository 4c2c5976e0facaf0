"""Latency histograms: 64 buckets an octave, so that a bucket's middle is within 0.8 % of every value in it."""

from simvirt.kernel.constants import SUB_BUCKETS_LOG2
from simvirt.kernel.tables import IntArray


def octave(value: int) -> int:
    """Position of the highest bit of a positive number."""
    bit: int = 0
    if value >> 32:
        value >>= 32
        bit += 32
    if value >> 16:
        value >>= 16
        bit += 16
    if value >> 8:
        value >>= 8
        bit += 8
    if value >> 4:
        value >>= 4
        bit += 4
    if value >> 2:
        value >>= 2
        bit += 2
    return bit + (value >> 1)


def bucket_of(value: int) -> int:
    """Bucket of a latency in ns."""
    if value < 128:
        return value
    shift: int = octave(value) - SUB_BUCKETS_LOG2
    return (shift << SUB_BUCKETS_LOG2) + (value >> shift)


def record(histogram: IntArray, first: int, value: int) -> None:
    """Count a latency in the histogram whose buckets start at `first`."""
    histogram[first + bucket_of(value)] += 1

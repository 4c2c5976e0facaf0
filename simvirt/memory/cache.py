"""The page cache's hit ratio from its size and how popular the blocks are: Che's approximation over Zipf's law.

*Model*: a block of popularity p is found in an LRU cache if it was read within the cache's characteristic time T: hit = 1 - exp(-p T);
    T is where the expected number of blocks in the cache fills it. Data sets that share a cache share T. Ranks are grouped into bins
    that grow geometrically, so that a set of millions of blocks costs as much as one of thousands.
*Ignores*: read-ahead, sequential scans, writes that fill the cache, and that Linux keeps two lists.
*Source*: Che, Tung and Wang, Hierarchical Web Caching Systems, IEEE JSAC 20(7), 2002; Fricker, Robert and Roberts, A Versatile and
    Accurate Approximation for LRU Cache Performance, ITC 24, 2012; Breslau et al., Web Caching and Zipf-like Distributions, INFOCOM 1999.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

EXACT = 256  # ranks that have a bin of their own
GROWTH = 1.02  # of the bins beyond them
STEPS = 60  # of the bisection for the characteristic time


@dataclass(frozen=True, slots=True)
class DataSet:
    """Blocks that are read again and again: their number, the size of one [bytes], the exponent of their popularity."""

    blocks: int
    size: int
    zipf: float

    @property
    def bytes(self) -> int:
        """All blocks together [bytes]."""
        return self.blocks * self.size


@lru_cache(maxsize=256)
def popularity(blocks: int, zipf: float) -> tuple[np.ndarray, np.ndarray]:
    """(blocks in each bin, popularity of one block in it): rank r is asked for in proportion to r ** -zipf; all together 1."""
    edges = [*range(1, min(blocks, EXACT) + 1)]
    while edges[-1] < blocks:
        edges.append(min(blocks, math.ceil(edges[-1] * GROWTH)))
    upper = np.array(edges, dtype=float)
    lower = np.concatenate([[0.0], upper[:-1]])
    count = upper - lower
    weight = _mass(lower + 0.5, upper + 0.5, zipf)
    weight[: min(blocks, EXACT)] = upper[: min(blocks, EXACT)] ** -zipf
    return count, weight / weight.sum() / count


def _mass(low: np.ndarray, high: np.ndarray, zipf: float) -> np.ndarray:
    """Sum of r ** -zipf over the ranks between two half-integers, by the midpoint rule backwards: the integral."""
    if abs(zipf - 1.0) < 1e-9:
        mass: np.ndarray = np.log(high / low)
        return mass
    power: np.ndarray = (high ** (1.0 - zipf) - low ** (1.0 - zipf)) / (1.0 - zipf)
    return power


def hit_ratios(sets: Sequence[DataSet], rates: Sequence[float], capacity: float) -> list[float]:
    """Share of the reads of each data set that a cache of some bytes serves, when they are read at some rates."""
    if not sets or capacity <= 0:
        return [0.0] * len(sets)
    if capacity >= sum(data.bytes for data in sets):
        return [1.0] * len(sets)
    time = characteristic_time(sets, rates, capacity)
    return [_hits(data, rate * time) for data, rate in zip(sets, rates, strict=True)]


def characteristic_time(sets: Sequence[DataSet], rates: Sequence[float], capacity: float) -> float:
    """How long a block stays that nobody reads; in the inverse of the rates' unit, by bisection of its logarithm."""
    live = [(data, rate) for data, rate in zip(sets, rates, strict=True) if rate > 0]
    if not live or capacity >= sum(data.bytes for data, _ in live):
        return math.inf
    total = sum(rate for _, rate in live)
    low, high = math.log(1e-6 / total), math.log(1e18 / total)
    for _ in range(STEPS):
        middle = (low + high) / 2
        if sum(_filled(data, rate * math.exp(middle)) for data, rate in live) < capacity:
            low = middle
        else:
            high = middle
    return math.exp((low + high) / 2)


def _filled(data: DataSet, asked: float) -> float:
    """Bytes of a data set that were read at least once in `asked` reads."""
    count, each = popularity(data.blocks, data.zipf)
    return float(-data.size * (count * np.expm1(-each * asked)).sum())


def _hits(data: DataSet, asked: float) -> float:
    """Share of reads whose block was read in the `asked` reads before."""
    if math.isinf(asked):
        return 1.0
    count, each = popularity(data.blocks, data.zipf)
    return float(-(count * each * np.expm1(-each * asked)).sum())


@dataclass(frozen=True, slots=True)
class Missed:
    """What a cache lets pass of a data set: reads at a rate, a block that nobody reads for a time is gone; `copies` sets are alike."""

    data: DataSet
    rate: float
    time: float
    copies: int

    @property
    def passing(self) -> tuple[np.ndarray, np.ndarray]:
        """(popularity of a block times its ratio of misses, blocks) of each bin."""
        count, each = popularity(self.data.blocks, self.data.zipf)
        return each * np.exp(-np.minimum(each * self.rate * self.time, 700.0)), count


def hits_beneath(missed: Sequence[Missed], capacity: float) -> list[float]:
    """Ratio of what caches let pass that a cache of some bytes beneath them serves.

    *Model*: a block is asked for there when it has gone above, which takes the time above; it is found if it was asked for in the time
        beneath less that. Both caches hold it then.
    *Source*: Che, Tung and Wang, Hierarchical Web Caching Systems, IEEE JSAC 20(7), 2002, section III.
    """
    live = [one for one in missed if one.rate > 0 and math.isfinite(one.time)]
    total = sum(one.data.bytes * one.copies for one in live)
    if capacity <= 0:
        return [0.0] * len(missed)
    low, high = math.log(1e-6), math.log(1e18)
    for _ in range(STEPS if total > capacity else 0):
        middle = (low + high) / 2
        filled = sum(_filled_beneath(one, math.exp(middle)) for one in live)
        low, high = (middle, high) if filled < capacity else (low, middle)
    time = math.inf if total <= capacity else math.exp((low + high) / 2)
    return [_found_beneath(one, time) for one in missed]


def _filled_beneath(one: Missed, time: float) -> float:
    """Bytes of a data set that were let pass at least once in some time."""
    passing, count = one.passing
    return -one.data.size * one.copies * float((count * np.expm1(-passing * one.rate * time)).sum())


def _found_beneath(one: Missed, time: float) -> float:
    """Ratio of the passing reads whose block was asked for in the time beneath less that above."""
    if math.isinf(time) or math.isinf(one.time):
        return 1.0
    passing, count = one.passing
    asked = -np.expm1(-passing * one.rate * max(0.0, time - one.time))
    whole = float((passing * count).sum())
    return float((passing * count * asked).sum() / whole) if whole > 0 else 1.0

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

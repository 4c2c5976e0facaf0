"""Che's approximation against its exact sum, an LRU cache that is simulated, and limits that are known."""

from __future__ import annotations

import random
from collections import OrderedDict

import numpy as np
import pytest

from simvirt.memory.cache import DataSet, Missed, characteristic_time, hit_ratios, hits_beneath, popularity

BLOCK = 4096


def exact(blocks: int, zipf: float, capacity: int) -> float:
    """The same approximation, rank by rank."""
    p = np.arange(1, blocks + 1, dtype=float) ** -zipf
    p /= p.sum()
    low, high = 1e-3, 1e15
    for _ in range(200):
        middle = (low * high) ** 0.5
        low, high = (middle, high) if -np.expm1(-p * middle).sum() < capacity else (low, middle)
    return float((p * -np.expm1(-p * low)).sum())


@pytest.mark.parametrize("zipf", [0.0, 0.6, 0.9, 1.0, 1.3])
@pytest.mark.parametrize("blocks", [3, 257, 100_000])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.95])
def test_bins_lose_nothing(zipf: float, blocks: int, share: float) -> None:
    capacity = max(1, int(share * blocks))
    if capacity < blocks:
        found, = hit_ratios([DataSet(blocks, BLOCK, zipf)], [7.0], capacity * BLOCK)
        assert found == pytest.approx(exact(blocks, zipf, capacity), abs=2e-3)


@pytest.mark.parametrize("zipf", [0.0, 0.8, 1.1])
def test_popularities_add_up(zipf: float) -> None:
    count, each = popularity(1_000_000, zipf)
    assert count.sum() == 1_000_000
    assert (count * each).sum() == pytest.approx(1.0)
    assert (np.diff(each) <= 1e-18).all()


@pytest.mark.parametrize(("zipf", "capacity"), [(0.7, 200), (0.9, 200), (1.1, 50), (0.0, 1000)])
def test_an_lru_cache_behaves_so(zipf: float, capacity: int) -> None:
    """300 thousand reads of 2000 blocks; Fricker et al. report errors of a few per mille."""
    blocks, reads = 2000, 300_000
    p = np.arange(1, blocks + 1, dtype=float) ** -zipf
    asked = np.random.default_rng(1).choice(blocks, reads, p=p / p.sum())
    cache: OrderedDict[int, None] = OrderedDict()
    hits = 0
    for turn, block in enumerate(asked):
        if block in cache:
            cache.move_to_end(block)
            hits += turn >= reads // 3
        else:
            cache[block] = None
            if len(cache) > capacity:
                cache.popitem(last=False)
    found, = hit_ratios([DataSet(blocks, BLOCK, zipf)], [1.0], capacity * BLOCK)
    assert found == pytest.approx(hits / (reads - reads // 3), abs=0.01)


def test_all_blocks_alike_hit_in_proportion_to_the_size() -> None:
    found, = hit_ratios([DataSet(10_000, BLOCK, 0.0)], [3.0], 2_500 * BLOCK)
    assert found == pytest.approx(0.25, abs=1e-3)


def test_a_cache_that_holds_all_misses_nothing_and_none_hits_nothing() -> None:
    data = DataSet(100, BLOCK, 0.9)
    assert hit_ratios([data], [1.0], 100 * BLOCK) == [1.0]
    assert hit_ratios([data], [1.0], 0) == [0.0]


def test_the_hit_ratio_rises_with_the_cache() -> None:
    found = [hit_ratios([DataSet(50_000, BLOCK, 0.9)], [1.0], share * 50_000 * BLOCK)[0] for share in np.linspace(0.01, 0.99, 30)]
    assert (np.diff(found) > 0).all()


def test_sets_share_a_cache_by_how_often_they_are_read() -> None:
    both = [DataSet(10_000, BLOCK, 0.8)] * 2
    even = hit_ratios(both, [5.0, 5.0], 4_000 * BLOCK)
    assert even[0] == even[1] == pytest.approx(hit_ratios(both[:1], [5.0], 2_000 * BLOCK)[0], abs=2e-3)
    busy, idle = hit_ratios(both, [50.0, 5.0], 4_000 * BLOCK)
    assert busy > even[0] > idle


def test_the_unit_of_time_does_not_matter() -> None:
    data = [DataSet(1000, BLOCK, 0.9)]
    assert hit_ratios(data, [1.0], 100 * BLOCK) == pytest.approx(hit_ratios(data, [1e-9], 100 * BLOCK))
    assert characteristic_time(data, [2.0], 100 * BLOCK) == pytest.approx(characteristic_time(data, [1.0], 100 * BLOCK) / 2)


@pytest.mark.parametrize(("above", "beneath"), [(100, 800), (300, 400), (300, 100), (50, 2000), (0, 300)])
def test_a_cache_beneath_a_cache(above: int, beneath: int) -> None:
    """What the lower of two LRU caches serves of what the upper one lets pass, against both as they are."""
    data = DataSet(blocks=2000, size=1, zipf=0.9)
    time = characteristic_time([data], [1.0], above) if above else 0.0
    found, = hits_beneath([Missed(data, 1.0, time, 1)], beneath)
    draws = random.Random(1).choices(range(2000), [(rank + 1) ** -0.9 for rank in range(2000)], k=60_000)
    upper, lower, asked, served = OrderedDict[int, None](), OrderedDict[int, None](), 0, 0
    for at, block in enumerate(draws):
        if not use(upper, block, above):
            hit = use(lower, block, beneath)
            asked, served = asked + (at > 20_000), served + (hit and at > 20_000)
    assert found == pytest.approx(served / asked, abs=0.06)


def use(cache: OrderedDict[int, None], block: int, size: int) -> bool:
    """Ask an LRU cache for a block, which it has afterwards; whether it had it."""
    hit = block in cache
    cache[block] = None
    cache.move_to_end(block)
    if len(cache) > size:
        cache.popitem(last=False)
    return hit


def test_guests_with_their_own_data_share_the_cache_beneath() -> None:
    """Four guests have four times the data: a cache four times as large serves as much."""
    data = DataSet(blocks=2000, size=1, zipf=0.9)
    time = characteristic_time([data], [1.0], 100)
    one, four = (hits_beneath([Missed(data, 1.0, time, n)], n * 500)[0] for n in (1, 4))
    assert one == pytest.approx(four)
    assert hits_beneath([Missed(data, 1.0, time, 4)], 4 * 2000) == [1.0]
    assert hits_beneath([Missed(data, 1.0, time, 4)], 0) == [0.0]

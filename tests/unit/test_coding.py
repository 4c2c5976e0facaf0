"""What crosses the network of memory that is sent: closed forms of compression and of differences, and rounds that see what crosses."""

from __future__ import annotations

import pytest

from simvirt.migration.coding import Coding
from simvirt.migration.precopy import Copied, copying
from simvirt.migration.rules import Rules
from simvirt.migration.writes import Writes

MIB = 2.0**20


def test_pages_cross_as_they_are_unless_something_is_done() -> None:
    assert Coding().crosses(10 * MIB, True) == 10 * MIB and Coding().work(10 * MIB, True) == (0.0, 0.0)


def test_compression_makes_all_pages_smaller_and_costs_both_sides() -> None:
    packed = Coding(ratio=0.25, pack=8.0, unpack=4.0)
    assert packed.crosses(8 * MIB, False) == packed.crosses(8 * MIB, True) == 2 * MIB
    assert packed.work(8 * MIB, False) == (2048 * 8.0, 2048 * 4.0)


@pytest.mark.parametrize(("size", "share"), [(16 * MIB, 1.0), (64 * MIB, 1.0), (128 * MIB, 0.5), (640 * MIB, 0.1)])
def test_differences_are_sent_of_as_many_pages_as_the_cache_holds(size: float, share: float) -> None:
    kept = Coding(cache=64 * MIB, delta=0.2, pack=3.0, unpack=1.0)
    assert kept.crosses(size, False) == size and kept.work(size, False) == (0.0, 0.0)
    assert kept.crosses(size, True) == pytest.approx(size * (1 - 0.8 * share))
    assert kept.work(size, True) == pytest.approx((size / 4096 * 3.0, size / 4096 * share))


@pytest.mark.parametrize("delta", [1.0, 0.5, 0.2])
def test_a_guest_that_writes_too_fast_for_the_network_converges_where_differences_are_small(delta: float) -> None:
    """Every round sends a share of what was dirtied, so that each is q times delta as long as the one before."""
    writes, bandwidth, kept = Writes(150 * MIB), 100 * MIB, Coding(cache=1e12, delta=delta)
    steps = copying(1000 * MIB, Rules(downtime=0.3))
    send, again, rounds = next(steps), False, 0
    while rounds < 60:
        crosses = kept.crosses(send.size, again)
        again, rounds = True, rounds + 1
        try:
            send = steps.send((crosses / bandwidth, writes.dirtied(crosses / bandwidth), crosses))
        except StopIteration as end:
            found: Copied = end.value
            assert found.rounds[2].sent == pytest.approx(1000 * MIB * (1.5 * delta) ** 2)
            break
    assert (rounds < 60) == (1.5 * delta < 1)

"""Live migration as formulas: rounds that shrink, rules that end them, guests that are slowed, memory that follows."""

from __future__ import annotations

import math

import pytest

from simvirt.catalog import Catalog
from simvirt.catalog.entries.migrators import MigratorEntry
from simvirt.control.moves import rules_of
from simvirt.migration.postcopy import fault_time, missing
from simvirt.migration.precopy import ENDLESS, pre_copy
from simvirt.migration.rules import Pace, Rules, Throttle, estimated_downtime
from simvirt.migration.together import ends
from simvirt.migration.writes import PAGE, Writes

MIB, GIB = 2.0**20, 2.0**30


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_rounds_shrink_as_a_geometric_series(share: float) -> None:
    """Each round sends what was dirtied in the one before: r, r q, r q^2 and so on, until the rest takes no longer than the limit."""
    size, bandwidth, limit = 4096 * MIB, 128 * MIB, 0.3
    course = pre_copy(size, Writes(share * bandwidth), bandwidth, Rules(downtime=limit))
    n = math.ceil(math.log(limit * bandwidth / size) / math.log(share))
    assert [one.sent for one in course.rounds] == pytest.approx([size * share**i for i in range(n)])
    assert course.downtime == pytest.approx(size * share**n / bandwidth) and course.downtime <= limit
    assert course.sent == pytest.approx(size * (1 - share ** (n + 1)) / (1 - share))
    assert course.total == pytest.approx(course.sent / bandwidth)


def test_a_guest_that_writes_as_fast_as_it_is_sent_never_converges_unless_it_is_slowed() -> None:
    writes, limit = Writes(200 * MIB), Rules(downtime=0.3)
    endless = pre_copy(GIB, writes, 128 * MIB, limit)
    assert not endless.converges and endless.why == ENDLESS
    slowed = pre_copy(GIB, writes, 128 * MIB, Rules(downtime=0.3, throttle=Throttle()))
    shares = [one.throttled for one in slowed.rounds]
    assert slowed.converges and slowed.downtime <= 0.3 and shares == sorted(shares) and 0 < shares[-1] <= 0.99
    stunned = pre_copy(GIB, writes, 128 * MIB, Rules(downtime=0.3, stun=0.7))
    assert stunned.converges and len(stunned.rounds) < len(slowed.rounds)


def test_what_is_dirtied_is_capped_by_the_writable_working_set() -> None:
    writes = Writes(100 * MIB, 64 * MIB)
    assert writes.dirtied(0.001) == pytest.approx(0.1 * MIB, rel=1e-3)
    assert writes.dirtied(1000) == pytest.approx(64 * MIB)
    assert writes.dirtied(1.0, 0.5) == pytest.approx(Writes(50 * MIB, 64 * MIB).dirtied(1.0))
    course = pre_copy(GIB, Writes(1000 * MIB, 8 * MIB), 128 * MIB, Rules(downtime=0.1))
    assert course.converges and course.downtime == pytest.approx(8 / 128, rel=1e-6)


@pytest.mark.parametrize(("rules", "rounds", "why"), [
    (Rules(rounds=5), 5, "most rounds"), (Rules(factor=1.6), 3, "most bytes"), (Rules(patience=12.0), 2, "most time"), (Rules(least=100 * MIB), 4, "hardly anything"),
])
def test_other_rules_end_the_rounds(rules: Rules, rounds: int, why: str) -> None:
    course = pre_copy(GIB, Writes(64 * MIB), 128 * MIB, rules)
    assert len(course.rounds) == rounds and why in course.why


def test_a_sender_that_limits_itself_follows_what_is_dirtied() -> None:
    """The first round at the lowest rate, each further one a step above what was dirtied in the one before."""
    course = pre_copy(100e6, Writes(5e6), 1e9, Rules(pace=Pace(10e6, 5e6, 50e6), least=1e6))
    first, second = course.rounds[:2]
    assert first.bandwidth == pytest.approx(10e6) and second.bandwidth == pytest.approx(5e6 + 5e6)
    assert course.downtime == pytest.approx(course.rounds[-1].dirtied / 50e6)
    hurried = pre_copy(100e6, Writes(60e6), 1e9, Rules(pace=Pace(100e6, 5e6, 50e6)))
    assert len(hurried.rounds) == 1 and "dirtied faster" in hurried.why


def test_products_end_their_rounds_as_their_sources_say() -> None:
    catalog = Catalog.load()

    def of(name: str) -> Rules:
        return rules_of(catalog.typed("migrators", name, MigratorEntry))

    busy = Writes(64 * MIB)
    assert len(pre_copy(GIB, busy, 128 * MIB, of("xl")).rounds) == 5
    assert len(pre_copy(64 * GIB, Writes(120 * MIB), 128 * MIB, of("xend")).rounds) < 29
    assert pre_copy(GIB, busy, 1024 * MIB, of("qemu")).rounds[0].bandwidth == pytest.approx(128 * MIB)
    assert pre_copy(GIB, busy, 1024 * MIB, of("libvirt")).rounds[0].bandwidth == pytest.approx(1024 * MIB)
    assert estimated_downtime(5418, 1986.83) == pytest.approx(2.727, abs=1e-3)


def test_a_page_that_has_not_come_is_asked_for() -> None:
    assert fault_time(100e-6, 1.25e9, 80e-6) == pytest.approx(100e-6 + PAGE / 1.25e9 + 80e-6)
    assert [missing(part * GIB, GIB) for part in (0.0, 0.25, 1.0, 2.0)] == [1.0, 0.75, 0.0, 0.0]


def test_migrations_share_a_link_and_wait_for_their_turn() -> None:
    assert ends([1e9] * 4, 1e9, 4) == pytest.approx([4.0] * 4)
    assert ends([1e9] * 4, 1e9, 1) == pytest.approx([1.0, 2.0, 3.0, 4.0])
    assert ends([1e9] * 4, 1e9, 2) == pytest.approx([2.0, 2.0, 4.0, 4.0])
    assert ends([1e9, 2e9], 1e9, 2) == pytest.approx([2.0, 3.0])
    assert ends([1e9] * 2, 1e12, 2, setup=1.0, serial=0.5) == pytest.approx([1.5, 2.0], abs=1e-2)

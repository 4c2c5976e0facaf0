"""The calendar against a sorted list."""

import random

import pytest
from helpers.twins import table

from simvirt.kernel import calendar as c
from simvirt.kernel import tables as t
from simvirt.kernel.constants import NEVER, NONE


def check_heap(cal: t.Calendar) -> None:
    """Slots and heap agree, and every parent rings before its children; an open root has neither."""
    first = int(cal.heap[0] == NONE)
    for slot in range(first, first + cal.size[0]):
        assert cal.slot[cal.heap[slot]] == slot
        if (slot - 1) >> 1 >= first:
            assert c.rings_before(cal, cal.heap[(slot - 1) >> 1], cal.heap[slot])


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("instants", [3, 1000])  # few instants: many ring at the same one
def test_calendar_against_a_sorted_list(seed: int, instants: int) -> None:
    rng = random.Random(seed)
    n = rng.choice([1, 2, 7, 60])
    cal = table(t.Calendar, n, size=[0])
    twin: dict[int, int] = {}
    for _ in range(400):
        timer, move = rng.randrange(n), rng.random()
        if move < 0.55:
            at = rng.randrange(instants)
            c.set_timer(cal, timer, at)
            twin[timer] = at
        elif move < 0.6:
            c.set_timer(cal, timer, NEVER)
            twin.pop(timer, None)
        elif move < 0.8:
            c.clear_timer(cal, timer)
            twin.pop(timer, None)
        elif twin:
            c.next_instant(cal)
            first = min(twin, key=lambda other: (twin[other], other))
            assert c.pop_timer(cal) == first
            del twin[first]
        order = sorted((at, other) for other, at in twin.items())
        assert cal.size[0] == len(twin)
        if rng.random() < 0.3:  # else the next move meets the root that a timer has left open
            assert c.next_instant(cal) == (order[0][0] if order else NEVER)
            assert not order or cal.heap[0] == order[0][1]
        assert [cal.at[i] for i in range(n)] == [twin.get(i, NEVER) for i in range(n)]
        assert [cal.slot[i] != NONE for i in range(n)] == [i in twin for i in range(n)]
        check_heap(cal)

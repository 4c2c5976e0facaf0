"""Migrations that are given up: without progress, and after too long."""

from __future__ import annotations

import pytest

from simvirt.migration.precopy import Copied, copying
from simvirt.migration.rules import MOST_TIME, NO_PROGRESS, Rules

GIB = 2.0**30


def copied(rules: Rules, dirtied: list[float], seconds: float = 10.0) -> Copied:
    """What comes of rounds of the same length that leave so much each, the last one for ever."""
    steps = copying(GIB, rules)
    next(steps)
    for left in [*dirtied, *dirtied[-1:] * 1000]:
        try:
            steps.send((seconds, left))
        except StopIteration as end:
            found: Copied = end.value
            return found
    raise AssertionError("endless")


def test_it_is_given_up_once_nothing_less_is_left_for_so_long() -> None:
    found = copied(Rules(progress=30.0, cancels=True), [900.0, 800.0, 850.0, 700.0, 900.0])
    assert found.cancelled and found.why == NO_PROGRESS and len(found.rounds) == 7
    assert not copied(Rules(progress=30.0), [900.0]).cancelled


@pytest.mark.parametrize("cancels", [True, False])
def test_after_its_time_for_each_gib_it_is_given_up_or_stands_still_for_the_rest(cancels: bool) -> None:
    found = copied(Rules(patience=45.0, cancels=cancels), [500.0])
    assert (found.why, found.cancelled, len(found.rounds)) == (MOST_TIME, cancels, 5)


def test_what_ends_otherwise_is_not_given_up() -> None:
    assert not copied(Rules(rounds=2, cancels=True), [500.0]).cancelled

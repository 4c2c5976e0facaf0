"""What the utilisation law says of threads, beside what runs kept up with."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from simvirt.metrics.saturated import NOT_NARROWED, Saturation
from simvirt.runs.law import bounded


def outcomes(*throughputs: float) -> Any:
    """Replications in which that much is answered while threads are held half of the time."""
    return [SimpleNamespace(resources={"s.threads": 0.5}, throughput_per_s=x, unstable=None, full_at_s=None) for x in throughputs]


@pytest.mark.parametrize("answered", [(0.0,), (0.0, 0.0)])
def test_where_nothing_is_answered_the_law_says_nothing(answered: tuple[float, ...]) -> None:
    found = Saturation(None, 90.0, 130.0, "host.cpu", NOT_NARROWED)
    assert bounded(found, outcomes(*answered)) == found


def test_threads_that_carry_less_than_short_runs_showed_bound_what_is_stated() -> None:
    assert bounded(Saturation(130.0, 125.0, 134.0, "host.cpu"), outcomes(49.9, 50.0, 50.1)).per_s == pytest.approx(100)


def test_runs_that_kept_up_with_a_little_more_leave_a_range() -> None:
    found = bounded(Saturation(106.0, 105.0, 108.0, "host.cpu"), outcomes(49.9, 50.0, 50.1))
    assert (found.per_s, found.high_per_s, found.reason) == (None, 108.0, NOT_NARROWED)
    assert found.low_per_s == pytest.approx(100)

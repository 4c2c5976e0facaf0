"""How long latencies remember, against autoregressive series whose correlation is known, and what follows for a run."""

from __future__ import annotations

import numpy as np
import pytest

from simvirt.metrics import steadiness as st


def autoregressive(a: float, n: int, seed: int) -> np.ndarray:
    """x' = a x + noise: integrated autocorrelation time (1 + a) / (1 - a), variance 1."""
    noise = np.random.default_rng(seed).normal(size=n) * np.sqrt(1 - a * a)
    found = np.empty(n)
    x = noise[0] / np.sqrt(1 - a * a)
    for i in range(n):
        found[i] = x
        x = a * x + noise[i]
    return found


@pytest.mark.parametrize("a", [0.0, 0.5, 0.9])
def test_correlation_time_of_an_autoregressive_series(a: float) -> None:
    found = [st.correlation_time([autoregressive(a, 4000, 10 * seed + k) for k in range(5)]) for seed in range(10)]
    assert np.mean(found) == pytest.approx((1 + a) / (1 - a), rel=0.1)


def test_what_does_not_vary_remembers_nothing() -> None:
    assert st.correlation_time([np.full(100, 3.0)] * 2) == 1.0
    assert st.correlation_time([]) == 1.0 == st.correlation_time([np.array([1.0])])


def test_a_drift_is_remembered_all_along() -> None:
    assert st.correlation_time([np.linspace(0, 1, 500)]) > 500 / st.LEAST


def test_reduction_keeps_the_mean_and_has_no_more_than_asked() -> None:
    x = np.arange(4096.0)
    assert len(st.reduced(x)) == st.PIECES
    assert st.reduced(x).mean() == x.mean()
    assert st.reduced(x[:7]).tolist() == x[:7].tolist()
    assert len(st.reduced(np.arange(1500.0))) == 750


def test_a_course_is_short_or_long_against_its_memory() -> None:
    assert st.Course(60.0, 4.0).short
    assert not st.Course(60.0, 2.0).short
    assert st.Course(60.0, 2.0).short_of_wish
    assert not st.Course(60.0, 1.0).short_of_wish
    assert st.Course(60.0, 4.0).needed_s == 320.0

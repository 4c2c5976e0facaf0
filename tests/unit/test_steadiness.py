"""How long latencies remember, against autoregressive series whose correlation is known, and what follows for a run."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from simvirt.metrics import steadiness as st
from simvirt.metrics.statistics import N_BUCKETS, bucket_of


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


def replications(seeds: int, a: float = 0.9, level: float = 10.0) -> list[Any]:
    """Replications of which only the batches and the mean are known."""
    series = [level + autoregressive(a, 2000, 100 + seed) for seed in range(seeds)]
    return [SimpleNamespace(batches_s=x, latency_mean_s=float(x.mean())) for x in series]


def test_batches_show_the_variance_of_a_mean() -> None:
    found = replications(60)
    between = np.var([o.latency_mean_s for o in found], ddof=1)
    assert st.own_variance(found) == pytest.approx(19 / 2000, rel=0.2)
    assert st.own_variance(found) == pytest.approx(between, rel=0.5)
    assert st.own_variance([SimpleNamespace(batches_s=np.arange(5.0))]) == 0.0


def in_pieces(seed: int, pieces: int, n: int) -> np.ndarray:
    """Histograms of pieces of n exponential latencies of 10 ms in the mean."""
    draws = np.random.default_rng(seed).exponential(1e7, (pieces, n)).astype(np.int64)
    return np.array([np.bincount([bucket_of(v) for v in piece], minlength=N_BUCKETS) for piece in draws])


def test_pieces_show_the_variance_of_the_share_above_a_value() -> None:
    found = [SimpleNamespace(pieces=in_pieces(seed, 40, 50)) for seed in range(5)]
    share = np.exp(-1.0)
    assert st.variance_of_share(found, 0.01) == pytest.approx(share * (1 - share) / 2000, rel=0.25)
    assert st.variance_of_share([SimpleNamespace(pieces=in_pieces(1, st.LEAST - 1, 50))], 0.01) == 0.0
    assert st.variance_of_share(found, 100.0) == 0.0


def test_pieces_that_remember_show_more_variance() -> None:
    """Each piece five times over: a replication knows a fifth of what it seems to."""
    once = [SimpleNamespace(pieces=in_pieces(seed, 40, 50)) for seed in range(5)]
    again = [SimpleNamespace(pieces=np.repeat(o.pieces, 5, axis=0)) for o in once]
    assert st.variance_of_share(again, 0.01) == pytest.approx(st.variance_of_share(once, 0.01), rel=0.3)

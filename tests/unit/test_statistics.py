"""Estimates, quantiles, warm-up, comparisons, stopping: against direct computation, scipy and repeated sampling."""

import math

import numpy as np
import pytest

from simvirt.metrics import statistics as s

# -- intervals


def test_mean_interval_is_students():
    from scipy.stats import t

    values = [4.1, 3.9, 4.3, 4.0, 4.2]
    e = s.mean_interval(values)
    low, high = t.interval(0.95, 4, loc=np.mean(values), scale=np.std(values, ddof=1) / math.sqrt(5))
    assert (e.value, e.low, e.high) == pytest.approx((4.1, low, high))


def test_mean_interval_holds_the_mean_in_95_of_100_samples():
    rng = np.random.default_rng(1)
    inside = sum(e.low <= 0 <= e.high for e in (s.mean_interval(x) for x in rng.normal(size=(2000, 5))))
    assert abs(inside - 1900) < 4 * math.sqrt(2000 * 0.95 * 0.05)


def test_one_replication_has_no_interval_and_none_has_no_value():
    assert s.mean_interval([4.0]) == s.Estimate(4.0, None, None)
    assert s.mean_interval([]) == s.UNKNOWN
    assert s.mean_interval([math.nan, None]) == s.UNKNOWN
    assert s.mean_interval([math.nan, 4.0, 4.0]) == s.Estimate(4.0, 4.0, 4.0)


def test_an_end_is_never_below_zero_where_no_value_is():
    e = s.mean_interval([0.1, 3.0])
    assert (e.value, e.low) == (1.55, 0.0)
    assert s.relative_half_width(e) == pytest.approx((e.high - e.value) / 1.55)
    assert s.mean_interval([-0.1, 3.0]).low < -10
    assert s.mean_interval([0.98, 0.9, 1.0], most=1.0).high == 1.0
    assert s.mean_interval([0.98, 0.9, 1.0]).high > 1.0


def test_the_larger_variance_counts():
    values = [4.1, 3.9, 4.3, 4.0, 4.2]
    narrow, wide = (s.relative_half_width(s.mean_interval(values, within=v)) for v in (0.01, 0.04))
    assert narrow == s.relative_half_width(s.mean_interval(values))
    assert wide == pytest.approx(s.student(4) * 0.2 / math.sqrt(5) / 4.1)
    assert s.replications_needed(values, 0.02, within=0.04) > s.replications_needed(values, 0.02)


def test_relative_half_width():
    assert s.relative_half_width(s.Estimate(-10.0, -11.0, -9.0)) == pytest.approx(0.1)
    assert s.relative_half_width(s.Estimate(0.0, 0.0, 0.0)) == 0
    assert s.relative_half_width(s.Estimate(0.0, -1.0, 1.0)) == math.inf
    assert s.relative_half_width(s.Estimate(1.0)) == math.inf


# -- comparisons


def test_equal_platforms_have_ratio_one_exactly():
    assert s.paired_ratio([4.1, 3.9, 4.3], [4.1, 3.9, 4.3]) == s.Estimate(1.0, 1.0, 1.0)


def test_a_constant_factor_has_no_width_whatever_the_luck():
    e = s.paired_ratio([8.2, 7.8, 8.6], [4.1, 3.9, 4.3])
    assert (e.low, e.high) == pytest.approx((2.0, 2.0))


def test_the_ends_of_a_paired_ratio_are_where_students_test_turns():
    rng = np.random.default_rng(2)
    x = rng.normal(10, 2, 6)
    y = 1.3 * x + rng.normal(0, 0.5, 6)
    e = s.paired_ratio(y, x)
    for end in (e.low, e.high):
        d = y - end * x
        assert abs(d.mean()) / (d.std(ddof=1) / math.sqrt(6)) == pytest.approx(s.student(5))


def test_pairs_are_far_narrower_than_independent_samples():
    rng = np.random.default_rng(3)
    x = rng.normal(10, 2, 5)
    y = 1.05 * x + rng.normal(0, 0.02, 5)
    assert s.relative_half_width(s.paired_ratio(y, x)) < s.relative_half_width(s.mean_interval(y)) / 10


def test_ratio_to_what_may_be_zero_has_no_interval():
    assert s.paired_ratio([1.0, 2.0], [0.0, 0.0]) == s.UNKNOWN
    assert s.paired_ratio([1.0, 2.0, 1.0], [5.0, -4.0, 1.0]).low is None
    assert s.paired_ratio([3.0], [2.0]) == s.Estimate(1.5)
    with pytest.raises(ValueError, match="equally many"):
        s.paired_ratio([1.0], [1.0, 2.0])


# -- histograms


def test_every_value_lies_in_the_bucket_it_is_put_in():
    rng = np.random.default_rng(4)
    for v in [0, 1, 127, 128, 129, 255, 256, 2**62, 2**63 - 1, *(int(2**x) for x in rng.uniform(0, 62.9, 2000))]:
        bucket = s.bucket_of(v)
        lower, width = s.bucket_bounds(bucket)
        assert 0 <= bucket < s.N_BUCKETS
        assert lower <= v < int(lower) + int(width)


def test_buckets_follow_each_other_without_gap():
    lower, width = s.bucket_bounds(np.arange(s.N_BUCKETS))
    assert (lower[1:] == (lower + width)[:-1]).all()


def histogram(values_ns):
    return np.bincount([s.bucket_of(int(v)) for v in values_ns], minlength=s.N_BUCKETS)


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9, 0.99, 0.999])
def test_quantile_is_within_a_bucket_of_the_samples(q):
    values = np.random.default_rng(5).lognormal(14, 1, 50_000).astype(np.int64)
    assert s.quantile(histogram(values), q) == pytest.approx(np.quantile(values, q) / 1e9, rel=1 / 64)


def test_quantile_of_small_values_is_exact_and_of_nothing_is_none():
    assert s.quantile(histogram([100] * 7), 0.5) == 100e-9
    assert s.quantile(histogram([1, 2, 3, 4]), 0.5) == 2e-9
    assert s.quantile(np.zeros(s.N_BUCKETS, dtype=np.int64), 0.5) is None


def test_a_quantile_needs_ten_samples_beyond_it():
    assert s.quantile_supported(histogram([5] * 1000), 0.99)
    assert not s.quantile_supported(histogram([5] * 999), 0.99)


def exponential(n, seed):
    return histogram(np.random.default_rng(seed).exponential(10_000_000, n).astype(np.int64))


def test_a_quantile_is_that_of_all_replications_together():
    one, other = histogram([100] * 30), histogram([120] * 10)
    assert s.quantile_interval([one, other], 0.5).value == 100e-9
    assert s.quantile_interval([one, np.zeros(s.N_BUCKETS, dtype=np.int64)], 0.5) == s.Estimate(100e-9)
    assert s.quantile_interval([np.zeros(s.N_BUCKETS, dtype=np.int64)] * 2, 0.5) == s.UNKNOWN


def test_the_share_above_a_quantile_is_what_is_left_of_one():
    counts = exponential(100_000, 1)
    for q in (0.1, 0.5, 0.95):
        assert s.share_above(counts, s.quantile(counts, q)) == pytest.approx((1 - q) * 100_000, abs=100)


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_intervals_of_quantiles_cover_them_as_often_as_they_say(q):
    true = -math.log(1 - q) * 0.01
    found = [s.quantile_interval([exponential(500, 10 * seed + k) for k in range(5)], q) for seed in range(400)]
    covered = np.mean([e.low <= true <= e.high for e in found])
    assert 0.92 <= covered <= 0.985  # three standard errors around 95 %


def test_what_replications_say_themselves_makes_an_interval_wider_where_they_agree_by_chance():
    alike, values = [exponential(500, 1)] * 5, []
    own = s.quantile_interval(alike, 0.9, within=lambda value_s: values.append(value_s) or 0.9 * 0.1 / 500)
    assert s.quantile_interval(alike, 0.9) == s.Estimate(own.value, own.value, own.value)
    assert values == [own.value]
    half = s.student(4) * math.sqrt(0.9 * 0.1 / 500 / 5)
    assert (own.low, own.high) == (s.quantile(sum(alike), 0.9 - half), s.quantile(sum(alike), 0.9 + half))


@pytest.mark.parametrize("q", [0.5, 0.9, 0.999])
def test_a_quantile_lies_between_the_smallest_and_the_largest_value(q):
    value = 5_000_000
    assert s.quantile(histogram([value] * 1000), q, (value, value)) == value / 1e9
    assert s.quantile_interval([histogram([value] * 9)] * 3, q, ends=[(value, value)] * 3) == s.Estimate(0.005, 0.005, 0.005)
    values = np.random.default_rng(8).lognormal(14, 1, 300).astype(np.int64)
    found = s.quantile(histogram(values), q, (values.min(), values.max()))
    assert values.min() <= found * 1e9 <= values.max()


# -- stability


def mm1_backlog(rho, n=20_000, seed=1):
    """Requests in the system at n equal steps of a discrete queue with utilisation rho."""
    rng = np.random.default_rng(seed)
    steps = rng.poisson(rho * 5, n) - 5
    work = np.cumsum(steps)
    return work - np.minimum(np.minimum.accumulate(work), 0)


def test_an_overloaded_backlog_grows():
    assert all(s.growing(mm1_backlog(1.1, seed=k)) for k in range(20))


def test_a_stable_backlog_does_not_grow():
    assert sum(s.growing(mm1_backlog(0.9, seed=k)) for k in range(50)) == 0


def test_trend_of_noise_is_a_normal_score():
    scores = [s.trend(np.random.default_rng(k).normal(size=200)) for k in range(300)]
    assert abs(np.mean(scores)) < 0.25
    assert 0.8 < np.std(scores) < 1.2
    assert s.trend([1.0, 2.0]) == 0


def test_batch_means_leave_an_incomplete_batch_out():
    assert s.batch_means(range(12), 5).tolist() == [2.0, 7.0]


# -- when to stop


def test_enough_asks_every_interval():
    narrow, wide = s.Estimate(1.0, 0.99, 1.01), s.Estimate(1.0, 0.9, 1.1)
    assert s.enough([narrow], 0.02)
    assert not s.enough([narrow, wide], 0.02)
    assert not s.enough([s.Estimate(1.0)], 0.02)


def test_replications_needed_is_the_first_that_would_do():
    values = [9.0, 10.0, 11.0, 10.5, 9.5]
    spread = np.std(values, ddof=1) / 10
    n = s.replications_needed(values, 0.02)
    assert s.student(n - 1) * spread / math.sqrt(n) <= 0.02 < s.student(n - 2) * spread / math.sqrt(n - 1)


def test_next_replications_grows_at_most_twofold_and_stops():
    noisy, calm = [5.0, 15.0, 10.0, 2.0], [10.0, 10.001, 10.0, 9.999]
    assert s.next_replications({"mean": calm}, 0.02, 100) == 4
    assert s.next_replications({"mean": calm, "p99": noisy}, 0.02, 100) == 8
    assert s.next_replications({"p99": noisy}, 0.02, 6) == 6
    assert s.next_replications({"mean": [4.0]}, 0.02, 100) == 3
    assert s.next_replications({}, 0.02, 100) == 2

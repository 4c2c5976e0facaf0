"""From replications to intervals: estimates, quantiles, comparisons and when to stop.

Everything here is a pure function of arrays. Times inside histograms are integer nanoseconds; what comes out is in seconds.
A number that cannot be known (one replication has no interval, no sample has no mean) is None, never NaN: results go into JSON.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simvirt.result.document import UNKNOWN, Estimate

CONFIDENCE = 0.95
N_BUCKETS = 3712  # 64 buckets an octave, x (64 - 6): enough for any latency that fits 63 bits of nanoseconds
SAMPLES_BEYOND = 10  # a quantile with fewer samples beyond it is a guess
NS_PER_S = 1e9
QUANTILES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99, "p999": 0.999}
"""Quantiles of latencies by their names in results."""
Ends = tuple[int | float, int | float]
"""The smallest and the largest of some times [ns]."""
UNBOUNDED: Ends = (0.0, math.inf)
Values = ArrayLike | Sequence[float | None]  # one a replication; None or NaN where it could not measure


# -- intervals ------------------------------------------------------------------------------------------------------------------


def student(degrees: int, confidence: float = CONFIDENCE) -> float:
    """The two-sided critical value of Student's t with `degrees` degrees of freedom."""
    from scipy.special import stdtrit  # a third of the import time of scipy.stats

    return float(stdtrit(degrees, 0.5 + confidence / 2))


def _known(values: Values) -> NDArray[np.float64]:
    """The values as floats, without those that a replication could not measure (None, NaN)."""
    array = [math.nan if v is None else float(v) for v in np.atleast_1d(np.asarray(values, dtype=object))]
    return np.array([v for v in array if not math.isnan(v)], dtype=float)


def mean_interval(values: Values, confidence: float = CONFIDENCE, *, within: float = 0.0, most: float = math.inf) -> Estimate:
    """The mean of independent replications with Student's interval.

    One value gives no interval, none gives no value; values that a replication could not measure (NaN, None) are left out. `within` is
    the variance of a value as its own replication shows it: the larger of it and that between replications counts, because few of them
    may agree by chance. An end is not below 0 where no value is, nor above `most`, which values cannot exceed.
    For a single long run, pass the means of some 20 to 40 batches.
    Source: Law, Simulation Modeling and Analysis, 5th ed. 2015, eq. 4.12 and section 9.4.1.
    """
    known = _known(values)
    if known.size == 0:
        return UNKNOWN
    mean = float(known.mean())
    if known.size == 1 or not math.isfinite(mean):
        return Estimate(mean if math.isfinite(mean) else None)
    half = student(known.size - 1, confidence) * spread(known, within) / math.sqrt(known.size)
    low = mean - half if known.min() < 0 else max(mean - half, 0.0)
    return Estimate(mean, low, min(mean + half, max(most, mean)))


def spread(known: NDArray[np.float64], within: float = 0.0) -> float:
    """Standard deviation of replications, at least that of the variance `within` one."""
    return max(float(known.std(ddof=1)), math.sqrt(within))


def relative_half_width(estimate: Estimate) -> float:
    """The longer half of the interval over the size of the value; infinite where there is no interval, 0 for an exact zero."""
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return math.inf
    half = max(estimate.high - estimate.value, estimate.value - estimate.low)  # an end may have been cut
    return 0.0 if half == 0 else half / abs(estimate.value) if estimate.value else math.inf


def paired_ratio(values: Sequence[float], baseline: Sequence[float], confidence: float = CONFIDENCE) -> Estimate:
    """mean(values) / mean(baseline), where value i and baseline i have common random numbers.

    The interval is every ratio R that Student's test on the paired differences values - R x baseline does not reject (Fieller), so the
    random variation that both share cancels. A baseline that cannot be distinguished from zero gives no interval.
    Source: Fieller, Some problems in interval estimation, J. R. Stat. Soc. B 16 (1954); Law 2015, section 10.2.1 (paired-t).
    """
    y, x = np.asarray(values, dtype=float), np.asarray(baseline, dtype=float)
    if x.shape != y.shape:
        raise ValueError(f"pairs need equally many replications, not {y.size} and {x.size}")
    both = ~(np.isnan(x) | np.isnan(y))
    y, x = y[both], x[both]
    if x.size == 0 or x.mean() == 0:
        return UNKNOWN
    ratio = float(y.mean() / x.mean())
    return Estimate(ratio, *_fieller(y, x, confidence)) if x.size > 1 else Estimate(ratio)


def _fieller(y: NDArray[np.float64], x: NDArray[np.float64], confidence: float) -> tuple[float | None, float | None]:
    """The two roots R of  (ȳ - R x̄)² = t² var(y - R x) / n, or None, None where they do not enclose an interval.

    Written around the ratio r = ȳ/x̄ with d = y - r x, whose mean is zero, so that nearly equal platforms lose no digits.
    """
    r, mean_x = y.mean() / x.mean(), x.mean()
    d = (y - y.mean()) - r * (x - mean_x)
    dx = x - mean_x
    k = student(x.size - 1, confidence) ** 2 / (x.size * (x.size - 1)) / mean_x**2
    a, b, c = 1 - k * (dx @ dx), k * (d @ dx), -k * (d @ d)  # a u² + 2 b u + c = 0 with u = R - r
    if a <= 0:
        return None, None
    root = math.sqrt(max(b * b - a * c, 0.0))
    return float(r + (-b - root) / a), float(r + (-b + root) / a)


# -- histograms and quantiles ---------------------------------------------------------------------------------------------------


def bucket_bounds(bucket: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lowest value and width of histogram buckets [ns]: exact below 128 ns, then 64 equal buckets an octave (an error below 1/64)."""
    b = np.asarray(bucket, dtype=np.int64)
    octave = np.maximum((b >> 6) - 1, 0)
    return (b - (octave << 6)) << octave, np.left_shift(np.int64(1), octave)


def bucket_of(value_ns: int) -> int:
    """The histogram bucket that holds a value: the twin of the kernel's, for tests and for small data."""
    octave = max(0, int(value_ns).bit_length() - 7)
    return (octave << 6) + (int(value_ns) >> octave)


def quantile(counts: NDArray[np.int64], q: float, ends: Ends = UNBOUNDED) -> float | None:
    """The q-quantile of a log-bucketed histogram [s], interpolated inside its bucket; None for an empty histogram.

    At most 1/64 from the sample's own quantile, and between the smallest and the largest sample [ns], the `ends`. Ask
    `quantile_supported` whether the samples carry it.
    """
    total = int(counts.sum())
    if total == 0:
        return None
    cumulative = np.cumsum(counts)
    rank = min(max(q * total, 1.0), float(total))
    bucket = int(np.searchsorted(cumulative, rank))
    inside = (rank - (cumulative[bucket] - counts[bucket])) / counts[bucket]
    lower, width = bucket_bounds(bucket)
    found = float(lower) + (float(width) - 1) * float(inside)
    return min(max(found, float(ends[0])), float(ends[1])) / NS_PER_S


def samples_beyond(n: int, q: float) -> float:
    """How many of n samples lie above the q-quantile."""
    return n * (1 - q)


def quantile_supported(counts: NDArray[np.int64], q: float, beyond: int = SAMPLES_BEYOND) -> bool:
    """Whether enough samples lie beyond the quantile for it to mean something (10 by default)."""
    return samples_beyond(int(counts.sum()), q) >= beyond - 1e-9


def share_above(counts: NDArray[np.int64], value_s: float) -> NDArray[np.float64]:
    """How many samples of each histogram lie above a value [s]; those of the value's own bucket in part, as `quantile` sees them."""
    lower, width = bucket_bounds(np.arange(counts.shape[-1]))
    inside = np.clip((lower + width - value_s * NS_PER_S) / width, 0.0, 1.0)
    found: NDArray[np.float64] = counts @ inside
    return found


def quantile_interval(
    histograms: Sequence[NDArray[np.int64]], q: float, confidence: float = CONFIDENCE, ends: Sequence[Ends] | None = None,
    within: Callable[[float], float] | None = None,
) -> Estimate:
    """The q-quantile of independent replications taken together, with an interval; `ends` of each as of `quantile`.

    Student's interval is that of the share of samples above the quantile, which hardly is skewed, and its ends are read off the samples
    as quantiles. `within` tells the variance of that share as replications themselves show it, for a value [s]: the larger of it and
    that between them counts, because few of them may agree by chance. Where an end lies beyond all samples, they do not bound it: the
    interval then holds Student's for the quantiles of the replications, too. One replication gives no interval.
    Source: Woodruff, Confidence intervals for medians and other position measures, JASA 47 (1952); Asmussen, Glynn, Stochastic
    Simulation 2007, section III.5 (sectioning: the quantile of all sections, not the mean of theirs); Nakayama 2014.
    """
    known = [k for k, histogram in enumerate(histograms) if histogram.any()]
    each = np.array([histograms[k] for k in known], dtype=np.int64)
    bounds = UNBOUNDED if ends is None or not known else (min(ends[k][0] for k in known), max(ends[k][1] for k in known))
    whole = each.sum(axis=0)
    value = quantile(whole, q, bounds) if known else None
    if value is None or len(known) < 2:
        return Estimate(value)
    above, n = share_above(each, value), each.sum(axis=1)
    deviations = (above - above.sum() / n.sum() * n) / n.mean()
    error = spread(deviations, within(value) if within is not None else 0.0) / math.sqrt(len(known))
    half = student(len(known) - 1, confidence) * error
    if half == 0:
        return Estimate(value, value, value)
    low, high = (quantile(whole, min(max(at, 0.0), 1.0), bounds) or 0.0 for at in (q - half, q + half))
    if q - half > 0 and q + half < 1:
        return Estimate(value, low, high)
    own = mean_interval([quantile(histograms[k], q, bounds if ends is None else ends[k]) for k in known], confidence)
    return Estimate(value, min(low, own.low or 0.0), max(high, own.high or 0.0))


# -- stability ------------------------------------------------------------------------------------------------------------------


def batch_means(samples: ArrayLike, size: int) -> NDArray[np.float64]:
    """Means of consecutive batches of `size` samples; a last incomplete batch is left out."""
    array = np.asarray(samples, dtype=float)
    n = array.size // size
    means: NDArray[np.float64] = array[: n * size].reshape(n, size).mean(axis=1)
    return means


def trend(series: ArrayLike, pieces: int = 20) -> float:
    """How surely a series rises: the normal score of Kendall's rank test on the means of `pieces` pieces (3 is sure, 0 is no trend).

    Pieces long against the correlation of a queue are nearly independent; shorter ones overstate a rise.
    Source: Mann, Nonparametric tests against trend, Econometrica 13 (1945).
    """
    array = np.asarray(series, dtype=float)
    means = batch_means(array, max(1, array.size // pieces))
    n = means.size
    if n < 4:
        return 0.0
    score = sum(float(np.sign(means[i + 1 :] - means[i]).sum()) for i in range(n - 1))
    return float(score - np.sign(score)) / math.sqrt(n * (n - 1) * (2 * n + 5) / 18)


def growing(series: ArrayLike, surely: float = 3.3, factor: float = 1.5) -> bool:
    """Whether a backlog (requests in the system, at equal steps) grows without end.

    It rises surely (Kendall), and its last quarter is well above its second, so that neither noise nor a filling start is called a growth.
    """
    array = np.asarray(series, dtype=float)
    quarter = array.size // 4
    if quarter == 0 or trend(array) < surely:
        return False
    return bool(array[-quarter:].mean() > factor * array[quarter : 2 * quarter].mean())


# -- when to stop ---------------------------------------------------------------------------------------------------------------


def enough(estimates: Sequence[Estimate], precision: float) -> bool:
    """Whether every interval is within +- precision of its value (0.02 is 2 %)."""
    return all(relative_half_width(e) <= precision for e in estimates)


def replications_needed(
    values: Values, precision: float, confidence: float = CONFIDENCE, limit: int = 1000, within: float = 0.0
) -> int:
    """The fewest replications whose interval would be within +- precision, if the variance stays what it is now.

    Source: Law 2015, section 9.4.1, eq. 9.2 (relative precision, with the interval's half width as the measure).
    """
    known = _known(values)
    if known.size < 2 or known.mean() == 0:
        return limit
    relative = spread(known, within) / abs(float(known.mean()))
    n = max(int(known.size), 2)
    if relative <= 0:
        return n
    n = max(n, math.ceil((1.96 * relative / precision) ** 2)) if confidence == CONFIDENCE else n
    while n < limit and student(n - 1, confidence) * relative / math.sqrt(n) > precision:
        n += 1
    return min(n, limit)


def next_replications(
    measures: Mapping[str, Values], precision: float, maximum: int, within: Mapping[str, float] | None = None
) -> int:
    """How many replications to have in total next, for all measures to become `precision` narrow; the present number if they are.

    `within` has variances of measures as of `mean_interval`. Grows at most twofold at a time, because a variance from few replications
    is itself a guess, and never beyond `maximum`.
    """
    done = max((np.atleast_1d(np.asarray(v, dtype=object)).size for v in measures.values()), default=0)
    own = {name: (within or {}).get(name, 0.0) for name in measures}
    if done >= maximum or (done and enough([mean_interval(v, within=own[name]) for name, v in measures.items()], precision)):
        return done
    wanted = max((replications_needed(v, precision, limit=maximum, within=own[name]) for name, v in measures.items()), default=2)
    return min(max(wanted, done + 1, 2), max(2 * done, 3), maximum)

"""Arrival instants of open workloads: every rate profile is piecewise constant, and arrivals are its inverse.

Model: operational time grows at the arrival rate; arrivals happen at unit-exponential (Poisson) or unit (deterministic) steps of it.
    Inverting the integrated rate gives the instants (Cinlar 1975, time-change of a Poisson process). Diurnal rates are averaged over
    1/288 of their period (5 minutes of a day); MMPP sojourns are exponential.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from simvirt.scenario.bounds import CHANGES_OF_A_PERIOD, LATEST_NS
from simvirt.workload.streams import ARRIVALS, RATES, Generators

CHUNK = 1024
"""Segments that are made at a time, at least: where a rate changes often beside its arrivals there are millions."""
Segments = tuple[np.ndarray, np.ndarray]  # durations [ns], rates [1/ns]


class Instants(Protocol):
    """A source of arrival instants."""

    def take(self, n: int) -> np.ndarray:
        """The next n instants [ns], int64; fewer at the end of the load."""


def piecewise(spec: Any) -> Iterator[Segments]:
    """Segments of a piecewise-constant rate, repeated from the start."""
    return _repeated(np.array([part.for_ for part in spec], dtype=float), np.array([part.rate / 1e9 for part in spec], dtype=float))


def diurnal(spec: Any) -> Iterator[Segments]:
    """Segments of a sinusoidal rate: mean x (1 + amplitude x cos(2 pi (t - peak) / period)), averaged exactly over each."""
    step = spec.period / CHANGES_OF_A_PERIOD
    wave = 2 * math.pi / spec.period

    def integral(t: float) -> float:
        return float(t + spec.amplitude * math.sin(wave * (t - spec.peak_ns)) / wave)

    rates = [spec.mean / 1e9 * (integral((k + 1) * step) - integral(k * step)) / step for k in range(CHANGES_OF_A_PERIOD)]
    return _repeated(np.full(len(rates), step), np.maximum(rates, 0.0))


def _repeated(durations: np.ndarray, rates: np.ndarray) -> Iterator[Segments]:
    """Segments of a cycle, whole cycles at a time."""
    times = -(-CHUNK // len(rates))
    return itertools.repeat((np.tile(durations, times), np.tile(rates, times)))


def mmpp(spec: Any, generator: np.random.Generator) -> Iterator[Segments]:
    """Segments of a Markov-modulated Poisson process that goes round its states, starting in the first."""
    for durations, rates in _repeated(np.array(spec.sojourn, dtype=float), np.array(spec.rates, dtype=float) / 1e9):
        yield durations * generator.standard_exponential(len(durations)), rates


def profile(times_ns: np.ndarray, rates_per_s: np.ndarray) -> Iterator[Segments]:
    """Segments of a rate file: each rate holds until the next time; the last as long as the one before."""
    ends = np.append(times_ns[1:], 2 * times_ns[-1] - times_ns[-2] if len(times_ns) > 1 else np.inf)
    if times_ns[0] > 0:
        yield np.array([times_ns[0]], dtype=float), np.zeros(1)
    yield (ends - times_ns).astype(float), rates_per_s / 1e9


def louder(segments: Iterator[Segments], changes: Sequence[tuple[float, float]]) -> Iterator[Segments]:
    """Segments whose rates are multiplied, from each instant [ns] on, by a factor; changes in the order of their instants."""
    at = np.array([instant for instant, _ in changes])
    factors = np.array([1.0, *(factor for _, factor in changes)])
    since = 0.0
    for durations, rates in segments:
        ends = since + np.cumsum(durations)
        edges = np.unique(np.concatenate([[since], ends, at[(at > since) & (at < ends[-1])]]))
        own = rates[np.minimum(np.searchsorted(ends, edges[:-1], side="right"), len(rates) - 1)]
        yield np.diff(edges), own * factors[np.searchsorted(at, edges[:-1], side="right")]
        since = float(ends[-1])


class ModulatedArrivals:
    """Arrivals at a piecewise-constant rate."""

    def __init__(self, segments: Iterator[Segments], steps: np.random.Generator | None) -> None:
        self._segments = segments
        self._steps = steps
        self._operational = 0.0  # operational time of the last arrival
        self._starts = np.zeros(1)  # segment starts [ns] ...
        self._integral = np.zeros(1)  # ... and integrated rates there
        self._rates = np.zeros(0)
        self._ended = False

    def take(self, n: int) -> np.ndarray:
        """The next n instants [ns], fewer when the profile ends."""
        steps = np.ones(n) if self._steps is None else self._steps.standard_exponential(n)
        wanted = self._operational + np.cumsum(steps)
        self._operational = float(wanted[-1])
        self._extend(self._operational)
        integral, starts, rates = self._integral, self._starts, self._rates
        wanted = wanted[wanted < integral[-1]] if self._ended else wanted
        row = np.searchsorted(integral, wanted, side="right") - 1
        row = np.minimum(row, len(rates) - 1)
        instants = starts[row] + (wanted - integral[row]) / rates[row]
        self._forget(int(row[-1]) if len(row) else 0)
        return np.asarray(np.floor(np.minimum(instants, LATEST_NS)), dtype=np.int64)

    def _extend(self, operational: float) -> None:
        """Draw segments until the integrated rate covers an operational time, or the clock ends."""
        starts, integrals, rates = [self._starts], [self._integral], [self._rates]
        while integrals[-1][-1] <= operational and not self._ended:
            segments = next(self._segments, None)
            if segments is None or starts[-1][-1] > LATEST_NS:
                self._ended = True
                break
            start = np.cumsum(np.append(starts[-1][-1], segments[0]))
            kept = int(np.count_nonzero(start[:-1] <= LATEST_NS))
            starts.append(start[1 : kept + 1])
            integrals.append(np.cumsum(np.append(integrals[-1][-1], segments[0][:kept] * segments[1][:kept]))[1:])
            rates.append(segments[1][:kept])
        self._starts, self._integral, self._rates = (np.concatenate(parts) for parts in (starts, integrals, rates))

    def _forget(self, row: int) -> None:
        """Drop segments that lie behind."""
        self._starts, self._integral, self._rates = self._starts[row:], self._integral[row:], self._rates[row:]


class SteadyArrivals:
    """Arrivals at one rate for ever."""

    def __init__(self, rate_per_s: float, steps: np.random.Generator | None) -> None:
        self._gap = 1e9 / rate_per_s
        self._steps = steps
        self._whole, self._part = 0, 0.0  # instant of the last arrival

    def take(self, n: int) -> np.ndarray:
        """The next n instants [ns]."""
        gaps = np.full(n, self._gap) if self._steps is None else self._steps.standard_exponential(n) * self._gap
        since = np.minimum(self._part + np.cumsum(gaps), LATEST_NS)
        instants = np.minimum(self._whole + np.floor(since).astype(np.int64), LATEST_NS)
        last = math.floor(since[-1])
        self._whole, self._part = min(self._whole + last, LATEST_NS), float(since[-1]) - last
        return instants


def open_arrivals(workload: Any, generators: Generators, changes: Sequence[tuple[float, float]] = ()) -> Instants:
    """The arrival instants of an open workload or a rate file; from each of some instants [ns] on its rates are a multiple of theirs."""
    spec = workload.open or workload.rates
    steps = generators.stream(ARRIVALS) if spec.arrivals == "poisson" else None
    if not changes and workload.rates is None and spec.rate is not None:
        return SteadyArrivals(spec.rate, steps)
    segments = _segments(workload, generators)
    return ModulatedArrivals(louder(segments, changes) if changes else segments, steps)


def _segments(workload: Any, generators: Generators) -> Iterator[Segments]:
    """Segments of the rate of an open workload or a rate file."""
    from simvirt.scenario.reading.tracefile import read_rates

    spec = workload.open
    if workload.rates is not None:
        rates = read_rates(workload.rates)
        return profile(rates.at_ns, rates.per_s)
    if spec.rate is not None:
        return iter([(np.array([np.inf]), np.array([spec.rate / 1e9]))])
    if spec.piecewise is not None:
        return piecewise(spec.piecewise)
    return diurnal(spec.diurnal) if spec.diurnal is not None else mmpp(spec.mmpp, generators.stream(RATES))

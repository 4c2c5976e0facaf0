"""Arrival instants of open workloads: every rate profile is piecewise constant, and arrivals are its inverse.

Model: operational time grows at the arrival rate; arrivals happen at unit-exponential (Poisson) or unit (deterministic) steps of it.
    Inverting the integrated rate gives the instants (Cinlar 1975, time-change of a Poisson process). Diurnal rates are averaged over
    1/288 of their period (5 minutes of a day); MMPP sojourns are exponential.
"""

import itertools
import math
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from simvirt.scenario.bounds import CHANGES_OF_A_PERIOD, LATEST_NS
from simvirt.workload.streams import ARRIVALS, RATES, Generators

Segment = tuple[float, float]  # duration [ns], rate [1/ns]


class Instants(Protocol):
    """A source of arrival instants."""

    def take(self, n: int) -> np.ndarray:
        """The next n instants [ns], int64; fewer at the end of the load."""


def piecewise(spec: Any) -> Iterator[Segment]:
    """Segments of a piecewise-constant rate, repeated from the start."""
    return itertools.cycle([(float(part.for_), part.rate / 1e9) for part in spec])


def diurnal(spec: Any) -> Iterator[Segment]:
    """Segments of a sinusoidal rate: mean x (1 + amplitude x cos(2 pi (t - peak) / period)), averaged exactly over each."""
    step = spec.period / CHANGES_OF_A_PERIOD
    wave = 2 * math.pi / spec.period

    def integral(t: float) -> float:
        return float(t + spec.amplitude * math.sin(wave * (t - spec.peak_ns)) / wave)

    rates = [spec.mean / 1e9 * (integral((k + 1) * step) - integral(k * step)) / step for k in range(CHANGES_OF_A_PERIOD)]
    return itertools.cycle([(step, max(rate, 0.0)) for rate in rates])


def mmpp(spec: Any, generator: np.random.Generator) -> Iterator[Segment]:
    """Segments of a Markov-modulated Poisson process that goes round its states, starting in the first."""
    for state in itertools.cycle(range(len(spec.rates))):
        yield float(spec.sojourn[state]) * float(generator.standard_exponential()), spec.rates[state] / 1e9


def profile(times_ns: np.ndarray, rates_per_s: np.ndarray) -> Iterator[Segment]:
    """Segments of a rate file: each rate holds until the next time; the last as long as the one before."""
    ends = np.append(times_ns[1:], 2 * times_ns[-1] - times_ns[-2] if len(times_ns) > 1 else np.inf)
    if times_ns[0] > 0:
        yield float(times_ns[0]), 0.0
    yield from zip((ends - times_ns).astype(float), rates_per_s / 1e9, strict=True)


class ModulatedArrivals:
    """Arrivals at a piecewise-constant rate."""

    def __init__(self, segments: Iterator[Segment], steps: np.random.Generator | None) -> None:
        self._segments = segments
        self._steps = steps
        self._operational = 0.0  # operational time of the last arrival, from the start of the current table
        self._starts = [0.0]  # segment starts [ns] ...
        self._integral = [0.0]  # ... and integrated rates there
        self._rates: list[float] = []
        self._ended = False

    def take(self, n: int) -> np.ndarray:
        """The next n instants [ns], fewer when the profile ends."""
        steps = np.ones(n) if self._steps is None else self._steps.standard_exponential(n)
        wanted = self._operational + np.cumsum(steps)
        self._operational = float(wanted[-1])
        self._extend(self._operational)
        integral, starts, rates = np.array(self._integral), np.array(self._starts), np.array(self._rates)
        wanted = wanted[wanted < integral[-1]] if self._ended else wanted
        row = np.searchsorted(integral, wanted, side="right") - 1
        row = np.minimum(row, len(rates) - 1)
        instants = starts[row] + (wanted - integral[row]) / rates[row]
        self._forget(int(row[-1]) if len(row) else 0)
        return np.asarray(np.floor(np.minimum(instants, LATEST_NS)), dtype=np.int64)

    def _extend(self, operational: float) -> None:
        """Draw segments until the integrated rate covers an operational time, or the clock ends."""
        while self._integral[-1] <= operational and not self._ended:
            segment = next(self._segments, None)
            if segment is None or self._starts[-1] > LATEST_NS:
                self._ended = True
                return
            duration, rate = segment
            self._rates.append(rate)
            self._starts.append(self._starts[-1] + duration)
            self._integral.append(self._integral[-1] + duration * rate)

    def _forget(self, row: int) -> None:
        """Drop segments that lie behind."""
        del self._starts[:row], self._integral[:row], self._rates[:row]


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


def open_arrivals(workload: Any, generators: Generators) -> Instants:
    """The arrival instants of an open workload or a rate file."""
    from simvirt.scenario.reading.tracefile import read_rates

    spec = workload.open or workload.rates
    steps = generators.stream(ARRIVALS) if spec.arrivals == "poisson" else None
    if workload.rates is not None:
        rates = read_rates(workload.rates)
        return ModulatedArrivals(profile(rates.at_ns, rates.per_s), steps)
    if spec.rate is not None:
        return SteadyArrivals(spec.rate, steps)
    if spec.piecewise is not None:
        return ModulatedArrivals(piecewise(spec.piecewise), steps)
    if spec.diurnal is not None:
        return ModulatedArrivals(diurnal(spec.diurnal), steps)
    return ModulatedArrivals(mmpp(spec.mmpp, generators.stream(RATES)), steps)

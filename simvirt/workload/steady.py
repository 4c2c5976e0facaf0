"""Requests at one steady rate whose draws have their means in every stretch: what a short run needs to tell what a system sustains.

*Model*: demands, gaps between arrivals and the like are drawn as everywhere, then every stretch of `STRETCH` consecutive values is
    multiplied by what gives it the mean of its distribution (moment matching). Probabilities fall one into each of as many equal parts
    of [0, 1) (stratified sampling), classes follow an irrational rotation. So the work of a few thousand requests is that of the long
    run, within a stretch, and the throughput at saturation, which depends on means alone, hardly varies by chance.
*Ignores*: that the extremes of a heavy tail are slightly off; the throughput at which a bounded queue begins to reject depends on them.
*Source*: Boyle, Broadie, Glasserman, Monte Carlo methods for security pricing, Journal of Economic Dynamics and Control 21 (1997);
    Glasserman, Monte Carlo Methods in Financial Engineering 2003, sections 4.3 and 4.5.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from simvirt.workload.arrivals import SteadyArrivals
from simvirt.workload.draws import RequestStream, Trace, Variable, Variables, sampler_of
from simvirt.workload.sampling import Sampler
from simvirt.workload.streams import ARRIVALS, CLASSES, Generators

STRETCH: Final = 256
RUSH: Final = 1.5
GOLDEN: Final = (5**0.5 - 1) / 2
"""The rotation whose multiples are spread most evenly (Kuipers, Niederreiter, Uniform Distribution of Sequences 1974)."""


class Stretches:
    """Values that are made a stretch at a time and handed out in any number."""

    def __init__(self, draw: Sampler, mean: float | None) -> None:
        self._draw, self._mean, self._kept = draw, mean, np.zeros(0)

    def __call__(self, n: int) -> np.ndarray:
        """The next n values."""
        missing = -(-(n - len(self._kept)) // STRETCH)
        if missing > 0:
            self._kept = np.concatenate([self._kept, self._stretches(missing).ravel()])
        taken, self._kept = self._kept[:n], self._kept[n:]
        return taken

    standard_exponential = __call__

    def _stretches(self, number: int) -> np.ndarray:
        """Some stretches, one a row."""
        values = np.reshape(self._draw(number * STRETCH), (number, STRETCH))
        if self._mean is None:
            jitter = np.reshape(self._draw(number * STRETCH), (number, STRETCH))
            return np.asarray((np.argsort(values, axis=1) + jitter) / STRETCH)
        means = values.mean(axis=1, keepdims=True)
        return np.asarray(values * np.divide(self._mean, means, out=np.ones_like(means), where=means > 0))


def matched(variable: Variable, generators: Generators, k: int) -> Sampler:
    """Sampler of a variable of class k, a stretch at a time; uniform ones are stratified."""
    mean = None if variable.distribution is None else float(variable.distribution.mean)
    return Stretches(sampler_of(variable, generators, k), mean)


class Rushed:
    """Arrivals that come `RUSH` times as fast in the beginning."""

    def __init__(self, arrivals: SteadyArrivals, until_ns: int) -> None:
        self._arrivals, self._until = arrivals, until_ns

    def take(self, n: int) -> np.ndarray:
        """The next n instants [ns]."""
        at = self._arrivals.take(n)
        saved = int((RUSH - 1) * self._until)
        return np.where(at < self._until + saved, (at / RUSH).astype(np.int64), at - saved)


class SteadyStream(RequestStream):
    """Requests of a workload at a rate of one's own; a trace gives its operations and demands, again from the start after the last.

    Draws have their means in every stretch where they are to be `even`; else they are as in any replication. In the first `rush_ns`
    requests come `RUSH` times as fast.
    """

    def __init__(
        self, workload: Any, rate_per_s: float, weights: list[float], variables: list[Variables], trace_columns: list[int | None],
        generators: Generators, classes: list[str], width: int, tenants: int, first: int, even: bool,
        rush_ns: int = 0,
    ) -> None:
        super().__init__(workload, weights, variables, trace_columns, None, generators, classes, width, tenants, first)
        self._think, self._even = None, even
        if even:
            self._samplers = [[matched(v, generators, k) for v in of_class.variables] for k, of_class in enumerate(variables)]
        steady = SteadyArrivals(rate_per_s, _gaps(workload, generators.stream(ARRIVALS), even))
        self._instants = Rushed(steady, rush_ns) if rush_ns else steady
        self._rotation = float(generators.stream(CLASSES).random())
        self._trace = None if workload.trace is None else Repeated(workload.trace, trace_columns, classes)

    def _take_instants(self, n: int) -> np.ndarray:
        """Arrival instants; of a trace its next rows as well."""
        if self._trace is not None:
            self._trace.take(n)
        assert self._instants is not None
        return self._instants.take(n)

    def _take_classes(self, n: int) -> np.ndarray:
        """Request classes: those of the trace, or the next steps of a rotation among their shares."""
        if not self._even or (self._trace is not None and self._trace.category is not None):
            return super()._take_classes(n)
        at = (self._rotation + GOLDEN * np.arange(n)) % 1.0
        self._rotation = float((self._rotation + GOLDEN * n) % 1.0)
        return np.minimum(np.searchsorted(self._shares, at, side="right"), len(self._shares) - 1).astype(np.int64)


def _gaps(workload: Any, draws: np.random.Generator, even: bool) -> Any:
    """What draws the gaps between arrivals; None where they are equal."""
    source = workload.open or workload.rates
    if source is not None and source.arrivals == "deterministic":
        return None
    return Stretches(draws.standard_exponential, 1.0) if even else draws


class Repeated(Trace):
    """The rows of a trace without their instants, again and again."""

    @property
    def ended(self) -> bool:
        """Never."""
        return False

    def take(self, n: int) -> np.ndarray:
        """The numbers of the next n rows."""
        rows = (self._next + np.arange(n)) % len(self._at)
        self._rows, self._next = rows, int((self._next + n) % len(self._at))
        if self._operation is not None:
            self.category = np.asarray(self._operation[rows], dtype=np.int64)
        return rows

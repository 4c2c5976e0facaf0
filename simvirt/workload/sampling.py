"""Samplers: a distribution and its generators become a function that draws n values in ns.

Drawing n and then m values gives the same numbers as drawing n + m at once, so that the size of blocks changes nothing.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from simvirt.scenario.bounds import LATEST_NS
from simvirt.scenario.spec.distributions import Distribution

Sampler = Callable[[int], np.ndarray]
BOUNDED = ("constant", "uniform")  # kinds whose values lie within what a scenario states


def sampler(distribution: Distribution, first: np.random.Generator, second: np.random.Generator) -> Sampler:
    """Function n -> float64 array of n draws [ns]; `second` is used where one draw needs two variables.

    A draw of a heavy tail beyond the end of the clock is one that lasts until then: no run can tell them apart.
    """
    draw = _MAKERS[distribution.kind](distribution, first, second)
    if distribution.kind in BOUNDED:
        return draw
    return lambda n: np.minimum(draw(n), float(LATEST_NS))


def _constant(d: Any, first: np.random.Generator, second: np.random.Generator) -> Sampler:
    return lambda n: np.full(n, float(d.mean))


def _exponential(d: Any, first: np.random.Generator, second: np.random.Generator) -> Sampler:
    mean = float(d.mean)
    return lambda n: first.standard_exponential(n) * mean


def _lognormal(d: Any, first: np.random.Generator, second: np.random.Generator) -> Sampler:
    variance = math.log1p(d.cv**2)
    mu, sigma = math.log(d.mean) - variance / 2 if d.mean > 0 else -math.inf, math.sqrt(variance)
    return lambda n: np.exp(mu + sigma * first.standard_normal(n))


def _gamma(d: Any, first: np.random.Generator, second: np.random.Generator) -> Sampler:
    if d.cv == 0:
        return _constant(d, first, second)
    shape = 1.0 / d.cv**2
    return lambda n: first.standard_gamma(shape, n) * (d.mean / shape)


def _pareto(d: Any, first: np.random.Generator, second: np.random.Generator) -> Sampler:
    scale = d.mean * (d.shape - 1) / d.shape
    return lambda n: scale * (1.0 - first.random(n)) ** (-1.0 / d.shape)


def _hyperexponential(d: Any, first: np.random.Generator, second: np.random.Generator) -> Sampler:
    """Two phases with balanced means (Whitt 1982): the phase that is chosen more often is the faster one."""
    squared = d.cv**2
    p = 0.5 * (1.0 + math.sqrt((squared - 1.0) / (squared + 1.0)))
    means = np.array([d.mean / (2 * p), d.mean / (2 * (1 - p))])
    return lambda n: first.standard_exponential(n) * means[(second.random(n) >= p).astype(np.int64)]


def _uniform(d: Any, first: np.random.Generator, second: np.random.Generator) -> Sampler:
    return lambda n: d.low + (d.high - d.low) * first.random(n)


def _empirical(d: Any, first: np.random.Generator, second: np.random.Generator) -> Sampler:
    values = d.values()
    return lambda n: values[(first.random(n) * len(values)).astype(np.int64)]


_MAKERS: dict[str, Callable[[Any, np.random.Generator, np.random.Generator], Sampler]] = {
    "constant": _constant,
    "exponential": _exponential,
    "lognormal": _lognormal,
    "gamma": _gamma,
    "pareto": _pareto,
    "hyperexponential": _hyperexponential,
    "uniform": _uniform,
    "empirical": _empirical,
}

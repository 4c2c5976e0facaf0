"""What operations ask of a CPU, as closed forms need it: mean, variation and distribution function of the time of a request.

Times in a scenario are ns, here seconds.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simvirt.analysis.formulas import Cdf
from simvirt.scenario.spec.steps import AnyStep, CpuStep

NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class CpuDemand:
    """The CPU time that one request asks of a service."""

    mean_s: float
    cv: float
    exponential: bool = False
    cdf: Cdf | None = None


def demand_of(steps: Sequence[AnyStep]) -> CpuDemand | None:
    """What an operation of CPU steps alone asks for, each done once."""
    parts = [distribution_of(s.cpu) if isinstance(s, CpuStep) and s.times == 1 and s.probability == 1 else None for s in steps]
    known = [p for p in parts if p is not None]
    if not known or len(known) < len(parts):
        return None
    if len(known) == 1:
        return known[0]
    mean = sum(p.mean_s for p in known)
    return CpuDemand(mean, math.sqrt(sum((p.mean_s * p.cv) ** 2 for p in known)) / mean if mean else 0.0)


def mixture(demands: Sequence[tuple[float, CpuDemand]]) -> CpuDemand:
    """The demand of a request that is one of several operations, by shares."""
    if len(demands) == 1:
        return demands[0][1]
    mean = sum(share * d.mean_s for share, d in demands)
    second = sum(share * d.mean_s**2 * (1 + d.cv**2) for share, d in demands)
    return CpuDemand(mean, math.sqrt(max(second / mean**2 - 1, 0.0)))


def distribution_of(law: Any) -> CpuDemand | None:
    """A distribution's mean, variation and, where one is at hand, distribution function; None for empirical ones."""
    if law.kind == "empirical" or not law.mean:
        return None
    mean = float(law.mean) / NS_PER_S
    cv = _variation(law.kind, law)
    return CpuDemand(mean, cv, law.kind == "exponential", _cdf(law.kind, law, mean, cv))


def _variation(kind: str, law: Any) -> float:
    """The coefficient of variation of a distribution; infinite for a Pareto with shape up to 2."""
    if kind == "pareto":
        shape = float(law.shape)
        return math.sqrt(1 / (shape * (shape - 2))) if shape > 2 else math.inf
    if kind == "uniform":
        return float(law.high - law.low) / math.sqrt(12) / float(law.mean)
    return {"constant": 0.0, "exponential": 1.0}[kind] if kind in ("constant", "exponential") else float(law.cv)


def _cdf(kind: str, law: Any, mean: float, cv: float) -> Cdf | None:
    """P(demand <= t [s]) of a distribution, None where its parameters do not fix it."""
    if kind == "exponential":
        return lambda t: -np.expm1(-t / mean)
    if kind == "uniform":
        low, high = float(law.low) / NS_PER_S, float(law.high) / NS_PER_S
        return lambda t: np.clip((t - low) / (high - low), 0, 1)
    if kind == "gamma" and cv > 0:
        from scipy.special import gammainc

        return lambda t: np.asarray(gammainc(1 / cv**2, t / (mean * cv**2)))
    if kind == "lognormal" and cv > 0:
        return _lognormal_cdf(mean, cv)
    if kind == "hyperexponential" and cv >= 1:
        return _hyperexponential_cdf(mean, cv)
    return None


def _hyperexponential_cdf(mean: float, cv: float) -> Cdf:
    """The distribution function of two exponentials with balanced means: each branch brings half of the mean.

    Source: Whitt, Approximating a point process by a renewal process, Operations Research 30 (1982), eq. 3.7.
    """
    p = (1 + math.sqrt((cv * cv - 1) / (cv * cv + 1))) / 2
    return lambda t: -p * np.expm1(-2 * p * t / mean) - (1 - p) * np.expm1(-2 * (1 - p) * t / mean)


def _lognormal_cdf(mean: float, cv: float) -> Cdf:
    """The distribution function of a lognormal, from the mean and variation of its values."""
    from scipy.special import ndtr

    sigma = math.sqrt(math.log1p(cv * cv))
    centre = math.log(mean) - sigma**2 / 2

    def cdf(t: NDArray[np.float64]) -> NDArray[np.float64]:
        with np.errstate(divide="ignore"):
            return np.asarray(ndtr((np.log(t) - centre) / sigma))

    return cdf

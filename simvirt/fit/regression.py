"""Linear regression with coefficients that are not negative, errors in proportion to what is measured, and t intervals.

*Model*: each point weighs by one over its measured value, so that errors count as shares of it. Coefficients that would be negative are 0,
    and intervals are those of the regression on the others.
*Ignores*: errors of the rates; that coefficients at their bound have one-sided intervals.
*Source*: Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23 (non-negative least squares); Seber and Lee, Linear
    Regression Analysis, 2003, sections 3.8 (intervals) and 10.2 (residuals of points that are left out).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from simvirt.metrics.statistics import student

Floats = NDArray[np.float64]
SEPARATE: Final = 0.02
"""Smallest singular value over the largest, of columns of length 1, from which coefficients are told apart."""


@dataclass(frozen=True)
class Fitted:
    """Coefficients, half-widths of their 95 % intervals (NaN where there are no more points than coefficients), and left-out errors.

    `left_out` are relative errors of each point as the others predict it; `covariance` is that of a point of relative error 1, by which a
    further point's worth is computed.
    """

    value: Floats
    half: Floats
    left_out: Floats
    spread: float
    """Standard deviation of the relative errors; NaN where no point is left to tell it."""
    free: NDArray[np.bool_]
    degrees: int


def separable(columns: Floats) -> bool:
    """Whether points tell columns apart."""
    lengths = np.linalg.norm(columns, axis=0)
    if columns.shape[0] < columns.shape[1] or not lengths.all():
        return False
    values = np.linalg.svd(columns / lengths, compute_uv=False)
    return bool(values[-1] > SEPARATE * values[0])


def fitted(columns: Floats, measured: Floats, known: Floats | None = None) -> Fitted:
    """Coefficients that explain what was measured; `known` relative errors of single points stand in where no residual can tell."""
    weighted, target = columns / measured[:, None], np.ones(len(measured))
    value, _ = nnls(weighted, target)
    free = value > 0
    if not free.any():
        free[0] = True
    own = weighted[:, free]
    degrees = len(measured) - own.shape[1]
    inverse = np.linalg.pinv(own.T @ own)
    residuals = target - own @ value[free]
    leverage = np.einsum("ij,jk,ik->i", own, inverse, own)
    half = np.full(len(value), math.nan)
    spread = math.nan
    if degrees > 0:
        spread = float(np.sqrt(residuals @ residuals / degrees))
        half[free] = student(degrees) * spread * np.sqrt(np.diag(inverse))
        half[~free] = 0.0
        left_out = residuals / np.maximum(1 - leverage, 1e-9)
    else:
        left_out = np.full(len(measured), math.nan)
        if known is not None and not np.isnan(known).any():
            half[free] = 1.96 * np.sqrt(np.einsum("ij,j,ij->i", inverse @ own.T, known**2, inverse @ own.T))
    return Fitted(value, half, left_out, spread, free, degrees)


def narrower(columns: Floats, measured: Floats, further: Floats, level: float, index: int) -> float:
    """The half-width of a coefficient with one more point that would measure `level`, over that without it."""
    before = columns / measured[:, None]
    after = np.vstack([before, further / max(level, 1e-12)])
    return _half(after, index) / _half(before, index)


def _half(weighted: Floats, index: int) -> float:
    """The half-width of a coefficient over the standard deviation of the errors; that of a t with one degree where there is none."""
    degrees = weighted.shape[0] - weighted.shape[1]
    variance = np.linalg.pinv(weighted.T @ weighted)[index, index]
    return student(max(degrees, 1)) * math.sqrt(max(float(variance), 0.0))

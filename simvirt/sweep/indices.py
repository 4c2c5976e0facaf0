"""Sobol' indices: how much of the variance of a measure goes with an axis alone, and with it and all that it interacts with.

*Model*: the estimators of scipy.stats.sobol_indices from the cells of a `sobol-indices` design; intervals are the quantiles of as many
    estimates from pairs that are drawn again, with replacement, from those that there are (bootstrap), by the sweep's seed.
*Ignores*: platforms on which a cell failed or answered nothing: they have no indices.
*Source*: Saltelli et al., Computer Physics Communications 181 (2010); Efron and Tibshirani, An Introduction to the Bootstrap, 1993.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from simvirt.result.document import Estimate
from simvirt.result.sweep_document import SobolIndex
from simvirt.sweep.axes import Axis
from simvirt.sweep.designs import INDICES, Design
from simvirt.sweep.effects import MEASURES, is_known

RESAMPLES: Final = 400
FEWEST: Final = 16
"""Pairs below which intervals mean nothing."""
ENDS: Final = (0.025, 0.975)
Rows = Sequence[Mapping[str, Any]]


def sobol_indices(axes: Sequence[Axis], design: Design, rows: Rows, seed: int) -> tuple[SobolIndex, ...]:
    """The indices of each axis for each measure of each platform, the largest total first; none of other designs."""
    if design.kind != INDICES or (design.cells or 0) < FEWEST:
        return ()
    cells, found = (design.cells or 0) * (len(axes) + 2), list[SobolIndex]()
    for measure in MEASURES:
        for platform in dict.fromkeys(row["platform"] for row in rows):
            values = [row[measure] for row in rows if row["platform"] == platform and is_known(row, measure)]
            if len(values) == cells and np.ptp(values) > 1e-12 * np.abs(values).max():
                mine = _of_values(np.array(values, dtype=float), axes, measure, platform, seed)
                found += sorted(mine, key=lambda index: -(index.total.value or 0.0))
    return tuple(found)


def _of_values(values: Any, axes: Sequence[Axis], measure: str, platform: str, seed: int) -> Iterator[SobolIndex]:
    """The indices of one measure of one platform, whose values are in the order of cells."""
    by_pair = values.reshape(-1, len(axes) + 2).T
    pairs = by_pair.shape[1]
    drawn = np.random.default_rng(seed).integers(pairs, size=(RESAMPLES, pairs))
    every = np.concatenate([np.arange(pairs)[None, :], drawn])
    first, total = _estimated(by_pair, every)
    for place, axis in enumerate(axes):
        yield SobolIndex(
            measure=measure, platform=platform, axis=axis.name, first=_estimate(first[:, place]), total=_estimate(total[:, place]))


def _estimated(by_pair: Any, every: Any) -> tuple[Any, Any]:
    """First-order and total indices of each axis, for each choice of pairs."""
    from scipy.stats import sobol_indices as estimate

    chosen = by_pair[:, every]
    found = estimate(func={"f_A": chosen[0], "f_B": chosen[1], "f_AB": chosen[2:]}, n=by_pair.shape[1])
    return found.first_order, found.total_order


def _estimate(found: Any) -> Estimate:
    """The estimate, which stands first, and the quantiles of those from pairs that were drawn again."""
    low, high = np.quantile(found[1:], ENDS)
    return Estimate(float(found[0]), float(low), float(high))

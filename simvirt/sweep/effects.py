"""What a measure depends on: how much of its variation over the cells goes with each axis, and with two together.

*Model*: the correlation ratio Var(E[y | x]) / Var(y), which over a grid is the first-order Sobol index of levels that are equally likely;
    the interaction of two axes is what they explain together beyond each alone. Ranges are cut in parts of equal counts, from
    `FEWEST_PARTS` to `MOST_PARTS`, the more the more cells there are.
*Ignores*: interactions of three and more, which are what the shares lack to one; cells that failed: a grid with holes mixes effects.
*Source*: Saltelli et al., "Global Sensitivity Analysis: The Primer", Wiley 2008, section 1.2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

import numpy as np

from simvirt.result.sweep_document import Effect
from simvirt.sweep.axes import NUMBER, Axis
from simvirt.sweep.designs import GRID, INDICES, Design

READY: Final = "ready_last_s"
MEASURES: Final = (READY, "latency_p99_s", "latency_mean_s", "throughput_per_s")
FEWEST_PARTS: Final = 8
MOST_PARTS: Final = 32
CELLS_A_PART: Final = 64
"""Cells for each part beyond the fewest: the mean of fewer would be taken for an effect."""
FEWEST: Final = 4 * FEWEST_PARTS
"""Cells below which nothing is said of a design that is no grid."""
Rows = Sequence[Mapping[str, Any]]


def effects(axes: Sequence[Axis], design: Design, rows: Rows) -> tuple[Effect, ...]:
    """The effects on each measure of each platform, the strongest first; none where there is too little to tell."""
    found: list[Effect] = []
    if design.kind == INDICES:
        return ()  # its cells are no independent draws; it has indices instead
    for measure in MEASURES:
        for platform in dict.fromkeys(row["platform"] for row in rows):
            known = [row for row in rows if row["platform"] == platform and is_known(row, measure)]
            found += sorted(_of_measure(axes, design, known, measure, platform), key=lambda effect: -effect.share)
    return tuple(found)


def is_known(row: Mapping[str, Any], measure: str) -> bool:
    """Whether a row has a measure; when the last instance is ready is known where all of them are."""
    return row.get(measure) is not None and (measure != READY or row["ready"] == row["started"])


def _of_measure(axes: Sequence[Axis], design: Design, rows: Rows, measure: str, platform: str) -> Iterator[Effect]:
    """The effects on one measure of one platform."""
    values = np.array([row[measure] for row in rows], dtype=float)
    if len(rows) < (2 if design.kind == GRID else FEWEST) or np.ptp(values) <= 1e-12 * np.abs(values).max():
        return
    parts = {axis.name: _parts(axis, rows) for axis in axes}
    alone = {name: _share(values, part) for name, part in parts.items()}
    for axis in axes:
        if len(set(parts[axis.name])) > 1:
            yield _effect(axis, rows, values, parts[axis.name], measure, platform, alone[axis.name])
    for one, two in combinations(axes, 2) if design.kind == GRID else ():
        both = [f"{a}\0{b}" for a, b in zip(parts[one.name], parts[two.name], strict=True)]
        if len(set(both)) < len(rows) or len(axes) == 2:
            share = _share(values, both) - alone[one.name] - alone[two.name]
            yield Effect(measure=measure, platform=platform, axes=(one.name, two.name), share=max(share, 0.0))


def _effect(axis: Axis, rows: Rows, values: Any, parts: list[str], measure: str, platform: str, share: float) -> Effect:
    """The effect of one axis, with the levels where the measure is smallest and largest in the mean."""
    means = {part: float(values[[other == part for other in parts]].mean()) for part in dict.fromkeys(parts)}
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    return Effect(
        measure=measure, platform=platform, axes=(axis.name,), share=share, low=low, low_mean=means[low], high=high, high_mean=means[high],
    )


def _parts(axis: Axis, rows: Rows) -> list[str]:
    """The part of an axis in which each row lies: its level, or the part of its range."""
    levels = [" ".join(str(row[column]) for column in axis.columns) for row in rows]
    parts = max(FEWEST_PARTS, min(MOST_PARTS, len(rows) // CELLS_A_PART))
    if axis.span is None or len(set(levels)) <= parts:
        return levels
    numbers = np.array([float(match["number"]) if (match := NUMBER.match(level)) else 0.0 for level in levels])
    edges = np.quantile(numbers, np.linspace(0, 1, parts + 1))
    which = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, parts - 1)
    names = [f"{edges[n]:.4g} to {edges[n + 1]:.4g}{axis.span.unit}" for n in range(parts)]
    return [names[n] for n in which]


def _share(values: Any, parts: Sequence[str]) -> float:
    """Variance of the means by part, over the variance of all values."""
    groups: dict[str, list[float]] = {}
    for value, part in zip(values, parts, strict=True):
        groups.setdefault(part, []).append(float(value))
    mean = float(values.mean())
    between = sum(len(group) * (float(np.mean(group)) - mean) ** 2 for group in groups.values())
    return float(between / ((values - mean) ** 2).sum())

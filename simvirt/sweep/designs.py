"""Designs: which combinations of levels are simulated.

*Model*: `grid` takes every combination, the last axis the fastest; `random`, `latin-hypercube` and `sobol` take so many points of the
    unit cube, one coordinate an axis, and map each to a level (lists, all equally likely) or a value (ranges). The points depend on the
    seed only. `sobol-indices` takes two independent points A and B of a Sobol sequence, and for each axis A with the coordinate of B: of n
    pairs and d axes n (d + 2) cells, from which the first-order and total indices of Sobol' are estimated.
*Ignores*: levels that cannot be combined: such cells fail, and say so.
*Source*: Owen, "Scrambling Sobol' and Niederreiter-Xing points", J. Complexity 14 (1998), as in scipy.stats.qmc; Saltelli et al.,
    Computer Physics Communications 181 (2010), eq. (b) and (f), the design of scipy.stats.sobol_indices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import log2, prod
from typing import Any, Final

import numpy as np

from simvirt.errors import UsageError
from simvirt.sweep.axes import Axis, Level

GRID: Final = "grid"
INDICES: Final = "sobol-indices"
BALANCED: Final = ("sobol", INDICES)
"""Designs whose points are balanced where their number is a power of two."""
MOST_CELLS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Design:
    """A kind of design, and how many cells it has, pairs for indices; those of a grid follow from its axes."""

    kind: str = GRID
    cells: int | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination: its number, what it sets, and what tables say of it, one text a column."""

    number: int
    overrides: Level
    labels: tuple[str, ...]


def cells_of(design: Design, axes: Sequence[Axis], seed: int) -> Iterator[Cell]:
    """The cells of a design, in an order that never changes."""
    combinations = _grid(axes) if design.kind == GRID else _drawn(design, axes, seed)
    for number, levels in enumerate(combinations):
        pairs = list(zip(axes, levels, strict=True))
        overrides = tuple(setting for axis, level in pairs for setting in axis.overrides(level))
        yield Cell(number, overrides, tuple(label for _, level in pairs for label in level))


def count(design: Design, axes: Sequence[Axis]) -> int:
    """How many cells a design has; UsageError where there are too many, or a range has no levels for a grid."""
    if design.kind == INDICES:
        return _allowed((design.cells or 0) * (len(axes) + 2))
    if design.kind != GRID:
        return design.cells or 0
    for axis in axes:
        if not axis.levels:
            raise UsageError(f"axes.{axis.name}: a grid needs to know how many points a range has, for example {_example(axis)}")
    return _allowed(prod(len(axis.levels) for axis in axes))


def _allowed(found: int) -> int:
    """A number of cells that is not too large."""
    if found > MOST_CELLS:
        raise UsageError(f"{found:,} cells; expected at most {MOST_CELLS:,}: take fewer levels, or a design such as {{sobol: 1024}}")
    return found


def design_of(given: Any) -> Design:
    """A design as it is written: `grid`, or `{sobol: 128}`; UsageError where it is none."""
    if given is None or given == GRID:
        return Design()
    if isinstance(given, dict) and len(given) == 1:
        kind, number = next(iter(given.items()))
        if kind in SAMPLERS and isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= MOST_CELLS:
            return Design(str(kind), _whole_power(kind, number))
    kinds = ", ".join(f"{{{kind}: 128}}" for kind in SAMPLERS)
    raise UsageError(f"design: expected grid, or one of {kinds} with 1 to {MOST_CELLS:,} cells; got {given}")


def _whole_power(kind: str, number: int) -> int:
    """The number of cells; that of a Sobol sequence is a power of two, or its points are not balanced."""
    if kind in BALANCED and number & (number - 1):
        near = 2 ** round(log2(number))
        raise UsageError(f"design: expected a power of two for {kind}, for example {{{kind}: {near}}}; got {number}")
    return number


def _example(axis: Axis) -> str:
    return f"{axis.span.at(0.0)}..{axis.span.at(1.0)}:5" if axis.span is not None else "1..5"


def _grid(axes: Sequence[Axis]) -> Iterator[tuple[tuple[str, ...], ...]]:
    """Every combination of levels."""
    return product(*(axis.levels for axis in axes))


def _drawn(design: Design, axes: Sequence[Axis], seed: int) -> Iterator[tuple[tuple[str, ...], ...]]:
    """Combinations at points of the unit cube."""
    points = SAMPLERS[design.kind](len(axes), design.cells or 0, seed)
    return (tuple(axis.level(float(share)) for axis, share in zip(axes, point, strict=True)) for point in points)


def _random(axes: int, cells: int, seed: int) -> Any:
    return np.random.default_rng(seed).random((cells, axes))


def _latin_hypercube(axes: int, cells: int, seed: int) -> Any:
    from scipy.stats import qmc

    return qmc.LatinHypercube(axes, rng=np.random.default_rng(seed)).random(cells)


def _sobol(axes: int, cells: int, seed: int) -> Any:
    from scipy.stats import qmc

    return qmc.Sobol(axes, rng=np.random.default_rng(seed)).random(cells)


def _pairs(axes: int, pairs: int, seed: int) -> Any:
    """Of each pair A, B, and for each axis A with the coordinate of B."""
    both = _sobol(2 * axes, pairs, seed)
    a, b = both[:, :axes], both[:, axes:]
    mixed = [np.where(np.arange(axes) == axis, b, a) for axis in range(axes)]
    return np.stack([a, b, *mixed], axis=1).reshape(-1, axes)


SAMPLERS: Final[dict[str, Callable[[int, int, int], Any]]] = {
    "random": _random, "latin-hypercube": _latin_hypercube, "sobol": _sobol, INDICES: _pairs,
}
"""Name of a design -> points of the unit cube for a number of axes, a number of cells and a seed."""

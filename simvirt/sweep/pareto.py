"""The Pareto front of a sweep: the cells that nothing beats in one measure without losing in another.

*Model*: a row, a cell on a platform, is on the front where no other is as good in all objectives and better in one. `cost` is the sum of
    what units of axes cost.
*Ignores*: intervals: rows that differ by chance only may be on it, or not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from simvirt.errors import UsageError
from simvirt.result.compared_measures import BY_NAME, MEASURES
from simvirt.result.sweep_document import FrontPoint, ParetoFront
from simvirt.sweep.axes import NUMBER, Axis, columns_of
from simvirt.units import shown

COST: Final = "cost"
EXAMPLE: Final = "{cost: {services.web.deploy.replicas: 30}, p99: min}, or --pareto services.web.deploy.replicas,p99"
Way = Literal["min", "max"]
WITH_WAY: Final = re.compile(r"\s*(?P<name>.*?)(?::(?P<way>min|max))?\s*")


@dataclass(frozen=True, slots=True)
class Objectives:
    """Columns of rows and which way each is better; what a unit of an axis costs."""

    ways: Mapping[str, Way]
    prices: Mapping[str, float]


def objectives_of(given: Any, axes: Sequence[Axis]) -> Objectives | None:
    """Objectives as they are written: names of measures or of axes' columns, with `min` or `max`; None without any.

    UsageError where a name is neither, or there are fewer than two.
    """
    if given is None:
        return None
    pairs = _pairs(given)
    ways, prices = dict[str, Way](), dict[str, float]()
    for name, way in pairs.items():
        if isinstance(way, Mapping) and name == COST:
            prices, ways[COST] = _prices(way, axes), "min"
        else:
            column = _column(str(name), axes)
            ways[column] = _way(column, way)
    if len(ways) < 2:
        raise UsageError(f"pareto: expected at least two objectives, for example {EXAMPLE}; got {shown(given)}")
    return Objectives(ways, prices)


def _pairs(given: Any) -> dict[Any, Any]:
    """Names with what is said of them."""
    if isinstance(given, Mapping):
        return dict(given)
    names = given.split(",") if isinstance(given, str) else given if isinstance(given, list) else None
    if names is None:
        raise UsageError(f"pareto: expected names of measures or axes, for example {EXAMPLE}; got {shown(given)}")
    matches = [WITH_WAY.fullmatch(str(name)) for name in names]
    return {match["name"]: match["way"] for match in matches if match is not None}


def _column(name: str, axes: Sequence[Axis]) -> str:
    """The column that a name stands for."""
    columns = list(columns_of(axes))
    column = BY_NAME.get(name, name)
    if column not in columns and column not in MEASURES:
        raise UsageError(f"pareto: {name}: expected one of {', '.join([*BY_NAME, *columns, COST])}, for example {EXAMPLE}")
    return column


def _way(column: str, way: Any) -> Way:
    """Which way a column is better: more of a throughput, less of all else, unless it is said."""
    if way not in (None, "min", "max"):
        raise UsageError(f"pareto.{column}: expected min or max; got {shown(way)}")
    if way is not None:
        return "max" if way == "max" else "min"
    return "max" if column in MEASURES and MEASURES[column].kind in ("rate", "answers") else "min"


def _prices(given: Mapping[Any, Any], axes: Sequence[Axis]) -> dict[str, float]:
    """What a unit of each axis costs."""
    columns = list(columns_of(axes))
    for name, price in given.items():
        if name not in columns or isinstance(price, bool) or not isinstance(price, int | float):
            what = f"what a unit of an axis costs, one of {', '.join(columns)}, for example {{{columns[0]}: 30}}"
            raise UsageError(f"pareto.cost: expected {what}; got {shown(dict(given))}")
    return {str(name): float(price) for name, price in given.items()}


def front(objectives: Objectives | None, rows: Sequence[Mapping[str, Any]]) -> ParetoFront | None:
    """The front of the rows that know all objectives, by the first of these; None without objectives."""
    if objectives is None:
        return None
    known = [(row, values) for row in rows if (values := list(_values(objectives, row))) and all(map(math.isfinite, values))]
    signs = np.array([1.0 if way == "min" else -1.0 for way in objectives.ways.values()])
    keep = undominated(np.array([values for _, values in known]).reshape(-1, len(signs)) * signs)
    points = [
        FrontPoint(cell=int(row["cell"]), platform=str(row["platform"]), values=dict(zip(objectives.ways, values, strict=True)))
        for (row, values), on in zip(known, keep, strict=True) if on
    ]
    first = next(iter(objectives.ways))
    return ParetoFront(objectives=objectives.ways, points=tuple(sorted(points, key=lambda p: (signs[0] * p.values[first], p.cell))))


def undominated(values: Any) -> Any:
    """Which rows of numbers, the smaller the better, no other row beats: none is as small everywhere and smaller somewhere."""
    keep = np.ones(len(values), dtype=bool)
    for place in range(len(values)):
        if keep[place]:
            no_worse, better = (values[place] <= values).all(axis=1), (values[place] < values).any(axis=1)
            keep &= ~(no_worse & better)
    return keep


def _values(objectives: Objectives, row: Mapping[str, Any]) -> Iterator[float]:
    """What a row comes to in each objective; NaN where that is not known."""
    for column in objectives.ways:
        if column == COST:
            yield math.fsum(price * _number(row.get(name)) for name, price in objectives.prices.items())
        else:
            yield _number(row.get(column))


def _number(value: Any) -> float:
    """A number, or the one that a level begins with."""
    if isinstance(value, str):
        match = NUMBER.match(value)
        return float(match["number"]) if match is not None else math.nan
    return math.nan if value is None else float(value)

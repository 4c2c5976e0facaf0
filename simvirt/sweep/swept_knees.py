"""Knee and saturation along an axis of a sweep that is a load, for each platform and each level of all other axes.

*Model*: the objective breaks between the highest load at which it is met, below all at which it is missed, and the lowest at which it is
    missed; the platform saturates at the lowest load of which it answers less than `ANSWERED`. Kleinrock's knee is the load with the most
    power: throughput over mean latency, which in M/M/1 is half of the maximum.
*Ignores*: what lies between the levels of the axis; `simvirt knee` searches there.
*Source*: Kleinrock, Power and deterministic rules of thumb for probabilistic problems in computer communications, ICC 1979.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from simvirt.result.sweep_document import SweptKnee
from simvirt.sweep.axes import NUMBER, Axis, columns_of
from simvirt.sweep.designs import GRID, Design
from simvirt.units import UnitError, parse_rate

RATES: Final = (".open.rate", ".open.diurnal.mean")
CLIENTS: Final = ".closed.clients"
ANSWERED: Final = 0.98
NOISE: Final = 3.0
"""Standard deviations of Poisson's law by which what is answered may fall short by chance."""
FEWEST: Final = 3
"""Loads along an axis below which nothing is said."""
Row = Mapping[str, Any]


def swept_knees(axes: Sequence[Axis], design: Design, rows: Sequence[Row]) -> tuple[SweptKnee, ...]:
    """The knees along each axis that is a load; none of a design that is no grid."""
    loads = [axis for axis in axes if len(axis.columns) == 1 and is_load(axis)] if design.kind == GRID else []
    return tuple(knee for axis in loads for knee in _along(axis, axes, rows))


def is_load(axis: Axis) -> bool:
    """Whether an axis sets a rate of requests, or a number of clients, and nothing else."""
    return len(axis.paths) == 1 and axis.paths[0].endswith((*RATES, CLIENTS))


def _along(axis: Axis, axes: Sequence[Axis], rows: Sequence[Row]) -> Iterator[SweptKnee]:
    """The knees along an axis, a line for each platform and each level of the others."""
    others = [column for column in columns_of(axes) if column not in axis.columns]
    lines: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        lines.setdefault((row["platform"], *(row[column] for column in others)), []).append(row)
    for (platform, *at), line in lines.items():
        if len(line) >= FEWEST:
            ordered = sorted(line, key=lambda row: _number(row[axis.columns[0]]))
            yield _of_line(axis, platform, dict(zip(others, at, strict=True)), ordered)


def _of_line(axis: Axis, platform: str, at: dict[str, Any], line: Sequence[Row]) -> SweptKnee:
    """What becomes of a platform as the load rises."""
    column = axis.columns[0]
    missed = next((place for place, row in enumerate(line) if row["objective"] == "missed"), None)
    met = [row for row in line[:missed] if row["objective"] == "met"]
    full = next((row for row in line if _short(axis, row)), None)
    known = [row for row in line if row["throughput_per_s"] is not None and row["latency_mean_s"]]
    power = max(known, key=lambda row: row["throughput_per_s"] / row["latency_mean_s"], default=None)
    return SweptKnee(
        axis=axis.name, platform=platform, at=at, met=str(met[-1][column]) if met else None,
        missed=None if missed is None else str(line[missed][column]), saturated=None if full is None else str(full[column]),
        most_per_s=max((row["throughput_per_s"] for row in known), default=None), power=None if power is None else str(power[column]),
    )


def _short(axis: Axis, row: Row) -> bool:
    """Whether less is answered than comes; clients never ask for more than is answered."""
    if axis.paths[0].endswith(CLIENTS):
        return False
    try:
        offered = parse_rate(row[axis.columns[0]])
    except UnitError:
        return False
    answered, counted = row["throughput_per_s"] or 0.0, max(row.get("requests") or 0, 1)
    return bool(row.get("overload")) or answered * (1 + NOISE / math.sqrt(counted)) < ANSWERED * offered


def _number(level: Any) -> float:
    """A load as a number."""
    try:
        return parse_rate(level)
    except UnitError:
        match = NUMBER.match(str(level))
        return float(match["number"]) if match is not None else 0.0

"""A point: a stretch of time under one load, and what was measured during it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from simvirt.errors import Issue, ScenarioError


@dataclass(frozen=True, slots=True)
class Point:
    """What was measured at one load; services and operations have the names that the tool gives them.

    `errors` are standard errors of `cpu_cores` over these, where there were several samples; `at_s` is the instant of a sample of a series.
    """

    file: str
    line: int | None = None
    at_s: float | None = None
    throughput_per_s: float | None = None
    clients: float | None = None
    host_cpu: float | None = None
    operations: Mapping[str, float] = field(default_factory=dict)
    latency_s: Mapping[str, float] = field(default_factory=dict)
    cpu_cores: Mapping[str, float] = field(default_factory=dict)
    memory_bytes: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)


SINGLE = ("throughput_per_s", "clients", "host_cpu")
NAMED = ("operations", "latency_s", "cpu_cores", "memory_bytes")


def refuse(file: str, line: int | None, path: str, message: str) -> NoReturn:
    """Raises the mistake of a file."""
    raise ScenarioError([Issue(file, line, None, path, message)])


def number(text: object, file: str, line: int | None, path: str, example: str = "1.5") -> float:
    """A number that is finite and not negative; a mistake where it is none."""
    try:
        value = float(str(text).strip().rstrip("%"))
    except ValueError:
        value = math.nan
    if isinstance(text, bool) or not math.isfinite(value) or value < 0:
        refuse(file, line, path, f'expected a number that is not negative, for example {example}; got "{str(text)[:60]}"')
    return value


def merged(points: Sequence[Point]) -> Point:
    """What several tools measured at the same time; a mistake where two of them tell the same."""
    for number, two in enumerate(points):
        for one in points[:number]:
            _told_once(one, two)
    single = {name: next((value for point in points if (value := getattr(point, name)) is not None), None) for name in SINGLE}
    named = {name: {key: value for point in points for key, value in getattr(point, name).items()} for name in (*NAMED, "errors")}
    found: dict[str, Any] = {**single, **named}
    return Point(points[0].file, points[0].line, points[0].at_s, **found)


def _told_once(one: Point, two: Point) -> None:
    """Refuses what both of two points tell."""
    for name in (*SINGLE, *NAMED):
        first, second = getattr(one, name), getattr(two, name)
        if (first is not None and second is not None) if name in SINGLE else first.keys() & second.keys():
            said = "expected one file of each kind for a run: give each run a folder of its own, for example --from run-1 --from run-2"
            refuse(two.file, two.line, name, f"is told by {one.file} too; {said}")


def averaged(points: Sequence[Point]) -> Point:
    """The mean of the samples of a series, with the standard errors of CPU."""
    first = points[0]
    found: dict[str, Any] = {name: _mean(getattr(point, name) for point in points) for name in SINGLE}
    for name in NAMED:
        keys = dict.fromkeys(key for point in points for key in getattr(point, name))
        found[name] = {key: _mean(getattr(point, name).get(key) for point in points) for key in keys}
    errors = {key: _error([p.cpu_cores[key] for p in points if key in p.cpu_cores]) for key in found["cpu_cores"]}
    return Point(first.file, first.line, None, **found, errors={key: error for key, error in errors.items() if error is not None})


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None


def _error(values: Sequence[float]) -> float | None:
    """The standard error of a mean over it; None of a single value."""
    mean = math.fsum(values) / len(values)
    return statistics.stdev(values) / math.sqrt(len(values)) / mean if len(values) > 1 and mean > 0 else None


def at_instants(series: Sequence[Sequence[Point]]) -> list[Point]:
    """Samples of several files at the instants that all of them have, in order of time."""
    by_instant = [{point.at_s: point for point in points} for points in series]
    common = set.intersection(*(set(each) for each in by_instant))
    return [merged([each[instant] for each in by_instant]) for instant in sorted(common, key=lambda at: at or 0.0)]

"""Axes of a sweep: which leaves of a scenario differ between cells, and the levels that they take."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from simvirt.errors import UsageError
from simvirt.units import shown

Scale = Literal["linear", "log"]
RANGE: Final = re.compile(
    r"^(?P<low>[^.\s]\S*?)\.\.(?P<high>[^:\s]+?)(?:\.\.(?P<step>[^:\s]+)|(?::(?P<points>\d+))?(?::(?P<scale>log|linear))?)$"
)
NUMBER: Final = re.compile(r"^\s*(?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(?P<unit>.*?)\s*$")
DIGITS: Final = 6
"""Significant digits of a level that lies between the ends of a range."""
MOST_LEVELS: Final = 100_000
Level = tuple[tuple[str, str], ...]
"""Overrides `path`, `value` that a level of an axis makes."""


@dataclass(frozen=True, slots=True)
class Span:
    """A range of numbers in one unit: `1..16`, `100/s..10000/s:7:log`; whole numbers stay whole."""

    low: float
    high: float
    unit: str
    whole: bool
    points: int | None
    scale: Scale

    def at(self, share: float) -> str:
        """The value so far along the range, 0 its lower and 1 its upper end."""
        value = self.low * (self.high / self.low) ** share if self.scale == "log" else self.low + (self.high - self.low) * share
        return self._text(value)

    def within(self, share: float) -> str:
        """The value for a draw from 0 (included) to 1 (excluded): of whole numbers each is as likely as the others."""
        if self.whole and self.scale == "linear":
            return self._text(self.low + math.floor(share * (self.high - self.low + 1)))
        return self.at(share)

    def levels(self) -> list[str]:
        """The values of a grid: so many points, or every whole number."""
        if self.points is None:
            return [self._text(self.low + n) for n in range(int(self.high - self.low) + 1)]
        found = [self.at(n / (self.points - 1)) for n in range(self.points)] if self.points > 1 else [self.at(0.0)]
        return list(dict.fromkeys(found))

    def _text(self, value: float) -> str:
        """A value with its unit, without digits that mean nothing."""
        rounded = float(f"{value:.{DIGITS}g}")
        number = str(round(value)) if self.whole else f"{rounded:g}" if abs(rounded) < 1e6 else repr(rounded)
        return f"{number}{self.unit}"


@dataclass(frozen=True, slots=True)
class Axis:
    """What differs along one direction: leaves that change together, and their levels, or the range from which values are drawn.

    `columns` are the names under which a table has what a level sets, one for each of `paths`, or one for all of them.
    """

    name: str
    paths: tuple[str, ...]
    columns: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    span: Span | None = None

    def level(self, share: float) -> tuple[str, ...]:
        """The level for a draw from 0 (included) to 1 (excluded)."""
        if self.span is not None:
            return (self.span.within(share),)
        return self.levels[int(share * len(self.levels))]

    def overrides(self, level: Sequence[str]) -> Level:
        """What a level sets, in the form of `--set`."""
        values = level if len(level) == len(self.paths) else [level[0]] * len(self.paths)
        return tuple(zip(self.paths, values, strict=True))


def axis_of(name: str, given: Any) -> Axis:
    """An axis as it is written: a list, a range, or leaves that change together; UsageError where it is none.

    `{set: {a: [1, 2], b: [3, 4]}}` steps through both lists at once; `{set: [a, b], values: ...}` gives both the same values.
    """
    if isinstance(given, Mapping):
        return _linked(name, given)
    levels, span = _levels(name, given)
    return Axis(name, (name,), (name,), tuple((level,) for level in levels), span)


def varied(text: str) -> Axis:
    """An axis from the command line: `PATH=1..16`, `PATH=100/s..10000/s:7:log`, `PATH=8,16,32`."""
    path, equals, values = text.partition("=")
    if not equals or not path.strip() or not values.strip():
        raise UsageError(f"--vary {text}: expected path=values, for example --vary services.web.deploy.replicas=1..16")
    given: Any = values.strip() if RANGE.match(values.strip()) else [part.strip() for part in values.split(",")]
    return axis_of(path.strip(), given)


def _linked(name: str, given: Mapping[str, Any]) -> Axis:
    """Leaves that change together."""
    example = f"{name}: {{set: [services.a.cpu_quota, services.a.cpu_period], values: [10ms, 50ms]}}"
    unknown = [key for key in given if key not in ("set", "values")]
    if unknown or "set" not in given:
        what = "a list, a range such as 1..16, or leaves that change together"
        raise UsageError(f"axes.{name}: expected {what}, for example {example}; got {shown(given)}")
    if isinstance(given["set"], Mapping):
        return _side_by_side(name, given)
    paths = [str(path) for path in given["set"]] if isinstance(given["set"], list) else [str(given["set"])]
    levels, span = _levels(name, given.get("values"))
    return Axis(name, tuple(paths), (name,), tuple((level,) for level in levels), span)


def _side_by_side(name: str, given: Mapping[str, Any]) -> Axis:
    """Lists that are stepped through at once."""
    lists = {str(path): _levels(f"{name}.set.{path}", values, once=False)[0] for path, values in given["set"].items()}
    if "values" in given or not lists or len({len(levels) for levels in lists.values()}) != 1:
        lengths = ", ".join(f"{len(levels)} of {path}" for path, levels in lists.items()) or "none"
        raise UsageError(f"axes.{name}.set: expected lists of one length, and no values beside them; got {lengths}")
    levels = tuple(zip(*lists.values(), strict=True))
    _check_once(f"{name}.set", [", ".join(level) for level in levels])
    return Axis(name, tuple(lists), tuple(lists), levels)


def _check_once(name: str, levels: Sequence[str]) -> None:
    """UsageError where a level stands in a list twice."""
    if len(set(levels)) < len(levels):
        raise UsageError(f"axes.{name}: a value stands there twice: {next(v for n, v in enumerate(levels) if v in levels[:n])}")


def _levels(name: str, given: Any, once: bool = True) -> tuple[list[str], Span | None]:
    """The levels of an axis as texts of YAML, each once or not, and the range that they come from."""
    if isinstance(given, list) and given:
        found = [_text(name, value) for value in given]
        if once:
            _check_once(name, found)
        return found, None
    match = RANGE.match(given.strip()) if isinstance(given, str) else None
    if match is None:
        raise UsageError(
            f"axes.{name}: expected a list of values or a range, for example [8, 16, 32], 1..16, "
            f"0.5..4..0.5 or 100/s..10000/s:7:log; got {shown(given)}"
        )
    span = _span(name, given, match)
    if match["step"] is not None:
        return _stepped(name, given, span, match["step"]), None
    return span.levels() if span.points is not None or span.whole else [], span


def _span(name: str, text: str, match: re.Match[str]) -> Span:
    """A range from its text."""
    ends = [NUMBER.match(match[end]) for end in ("low", "high")]
    if ends[0] is None or ends[1] is None or ends[0]["unit"] != ends[1]["unit"]:
        raise UsageError(f"axes.{name}: expected two numbers with one unit, for example 100/s..10000/s:7; got {text}")
    low, high = (float(end["number"]) for end in ends if end is not None)
    points, scale = int(match["points"]) if match["points"] else None, "log" if match["scale"] == "log" else "linear"
    if not low < high <= low + 1e15 or (scale == "log" and low <= 0) or not 1 <= (points or 1) <= MOST_LEVELS:
        what = f"a range that rises, from above 0 where it is log, with 1 to {MOST_LEVELS} points"
        raise UsageError(f"axes.{name}: expected {what}; got {text}")
    whole = all(end is not None and re.fullmatch(r"[+-]?\d+", end["number"]) for end in ends) and (points is None or not ends[0]["unit"])
    if whole and points is None and match["step"] is None and high - low >= MOST_LEVELS:
        raise UsageError(f"axes.{name}: {high - low + 1:,.0f} levels; say how many points: {text}:7")
    return Span(low, high, ends[0]["unit"], whole, points, "log" if scale == "log" else "linear")


def _stepped(name: str, text: str, span: Span, step: str) -> list[str]:
    """The values of a range from its lower end on in steps, up to its upper end or the last one below it."""
    number = NUMBER.match(step)
    wide = float(number["number"]) if number is not None and number["unit"] in ("", span.unit) else 0.0
    steps = math.floor((span.high - span.low) / wide * (1 + 1e-12)) if wide > 0 else MOST_LEVELS
    if steps >= MOST_LEVELS:
        example = f"{span.at(0.0)}..{span.at(1.0)}..{span._text((span.high - span.low) / 4)}"
        raise UsageError(f"axes.{name}: expected a step in the unit of the range, for example {example}; got {text}")
    return [replace(span, whole=span.whole and wide.is_integer())._text(span.low + n * wide) for n in range(steps + 1)]


def _text(name: str, value: Any) -> str:
    """A value as `--set` takes it; a platform on its own is a list of one."""
    if name == "platforms" and not isinstance(value, list):
        value = [value]
    if isinstance(value, str):
        return value
    return json.dumps(value)


def columns_of(axes: Sequence[Axis]) -> Iterator[str]:
    """The names under which a table has what the axes set."""
    for axis in axes:
        yield from axis.columns

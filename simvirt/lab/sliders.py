"""Sliders of a lab: leaves of a scenario that change together, the values they can take, and where they stand at first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from simvirt.scenario.reading.tree import Node, Scalar, Table
from simvirt.sweep.axes import NUMBER, Axis, axis_of

POINTS: Final = 25
"""Positions of a slider over a range that does not say how many."""
MOST: Final = 5
"""Sliders that a lab chooses by itself."""
LOADS: Final = (0.2, 2.0, 19)
"""Between which shares of a scenario's load a slider goes that the lab chooses, and in how many positions: tenths of it."""


@dataclass(frozen=True, slots=True)
class Slider:
    """An axis with positions; `start` is the position that the scenario has, or the nearest."""

    axis: Axis
    levels: tuple[tuple[str, ...], ...]
    start: int

    @property
    def name(self) -> str:
        """The name of the axis, by which links know it."""
        return self.axis.name

    @property
    def label(self) -> str:
        """What is written beside it: the last parts of a long path."""
        parts = self.name.split(".")
        return ".".join(part for part in parts if part not in ("services", "workload", "deploy", "resources", "limits"))

    @property
    def texts(self) -> tuple[str, ...]:
        """What the positions are called."""
        return tuple(", ".join(level) for level in self.levels)

    def overrides(self, text: str) -> list[str]:
        """What a position sets, in the form of `--set`; that of the start where there is no such position."""
        level = self.levels[self.position(text)]
        return [f"{path}={value}" for path, value in self.axis.overrides(level)]

    def position(self, text: str | None) -> int:
        """The position that is called so; the start where none is."""
        return self.texts.index(text) if text in self.texts else self.start


def sliders_of(axes: Sequence[Axis], root: Node) -> list[Slider]:
    """A slider for each axis that sets values; platforms are side by side anyway."""
    return [slider_of(axis, root) for axis in axes if "platforms" not in axis.paths]


def slider_of(axis: Axis, root: Node) -> Slider:
    """A slider over an axis; where the scenario's own value lies in between two positions, it is one too."""
    levels = list(axis.levels) or [(axis.span.at(n / (POINTS - 1)),) for n in range(POINTS) if axis.span is not None]
    levels = list(dict.fromkeys(levels))
    own = tuple(leaf(root, path) or "" for path in axis.paths)
    level = own if len(levels[0]) == len(own) else own[:1]
    if level not in levels and axis.span is not None and level[0]:
        levels = _with(levels, level)
    return Slider(axis, tuple(levels), levels.index(level) if level in levels else len(levels) // 2)


def _with(levels: list[tuple[str, ...]], level: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Levels of a range with one more, if it is within them and has their unit."""
    numbers = [_number(one) for (one,) in levels]
    own = _number(level[0])
    if own is None or any(number is None or number[1] != own[1] for number in numbers):
        return levels
    ends = [number[0] for number in numbers if number is not None]
    return sorted([*levels, level], key=lambda one: (_number(one[0]) or own)[0]) if min(ends) < own[0] < max(ends) else levels


def _number(text: str) -> tuple[float, str] | None:
    """A number and its unit."""
    found = NUMBER.match(text)
    return None if found is None else (float(found["number"]), found["unit"])


def leaf(root: Node, path: str) -> str | None:
    """The text of a leaf as it is written; None where the scenario does not have it."""
    node: Node | None = root
    for part in path.split("."):
        entry = node.entries.get(part) if isinstance(node, Table) else None
        node = None if entry is None else entry.node
    return node.text if isinstance(node, Scalar) else None


def chosen(root: Node) -> list[Axis]:
    """The axes that a lab chooses: the load, and of each service the replicas, the limit of CPUs and the threads that are stated."""
    return [axis_of(path, span) for path, span in _worth_moving(root)][:MOST]


def _worth_moving(root: Node) -> Iterator[tuple[str, str]]:
    """Leaves that are stated, with the range for each."""
    for path in ("workload.open.rate", "workload.closed.clients"):
        yield from _around(root, path, *LOADS)
    services = root.entries["services"].node if isinstance(root, Table) and "services" in root.entries else None
    names = list(services.entries) if isinstance(services, Table) else []
    for key in ("deploy.replicas", "deploy.resources.limits.cpus", "threads"):
        for name in names:
            yield from _around(root, f"services.{name}.{key}", 0.25, 3.0, most=12)


def _around(root: Node, path: str, low: float, high: float, most: int) -> Iterator[tuple[str, str]]:
    """A range around a number that is stated; whole numbers stay whole and at least 1."""
    found = _number(leaf(root, path) or "")
    if found is None or found[0] <= 0:
        return
    number, unit = found
    if number != int(number):
        yield path, f"{number * low:g}{unit}..{number * high:g}{unit}:{most}"
        return
    ends = max(round(number * low), 1), max(round(number * high), 4)
    yield path, f"{ends[0]}{unit}..{ends[1]}{unit}:{min(ends[1] - ends[0] + 1, most)}"

"""How many replicas of each service are wanted and ready over time, out of what happened.

*Model*: an instance is ready from the instant at which it takes requests until it is stopped, fails its checks, or is known to be gone: so
    it counts for those who look after it. It serves from the same instant on until it really ends. Two of them that stand for the same
    replica during an update count as two. What happened is kept until there is much of it; then it becomes levels, and all of those but
    the last become sums: a course of any length takes as much memory as a long one.
*Ignores*: that load balancing hears of it later; that what is cut off from some serves the others.
*Source*: own.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from simvirt.control.records import Scaled

GONE: Final = frozenset({"stop", "stopped", "killed", "failed", "lost", "unhealthy"})
"""What happens to an instance that takes no requests from then on."""

ENDED: Final = "ended"
"""What happens to one that nobody knows of yet."""

KEPT: Final = 10_000
"""Things that happened to services which are kept as they are, at most."""
SHOWN: Final = 1000
"""Levels and changes of a service that are in a result, at most."""


@dataclass(frozen=True, slots=True)
class Level:
    """How many replicas are wanted, count as ready, and serve from an instant on [ns]."""

    at: int
    wanted: int
    ready: int
    serving: int


class Step(NamedTuple):
    """Something that happens to a service at an instant [ns], or to the instance of a row; of one instant, lower `order` comes first."""

    at: int
    order: int
    service: str
    wanted: int
    row: int | None
    what: str


@dataclass
class Past:
    """What the levels and changes of a service that are not kept add up to: replicas over time [replica ns], time short of them [ns].

    How many changes wanted more, for how many it is known when as many were ready, and after how long, all together [ns]; how many of
    them an autoscaler made, and how old what it saw was, all together [s]; the first levels and changes, these with the time until as
    many were ready [ns].
    """

    wanted: int = 0
    ready: int = 0
    serving: int = 0
    short: int = 0
    most: int = 0
    grown: int = 0
    met: int = 0
    met_after: int = 0
    seen: int = 0
    seen_s: float = 0.0
    levels: list[Level] = field(default_factory=list)
    changes: list[tuple[Scaled, int | None]] = field(default_factory=list)

    def add_level(self, level: Level, until: int) -> None:
        """A level that lasted up to an instant [ns]."""
        lasted = until - level.at
        self.wanted, self.ready = self.wanted + level.wanted * lasted, self.ready + level.ready * lasted
        self.serving += level.serving * lasted
        self.short += lasted if level.serving < level.wanted else 0
        self.most = max(self.most, level.serving)
        if len(self.levels) < SHOWN:
            self.levels.append(level)

    def add_change(self, change: Scaled, met_after: int | None) -> None:
        """A change of which it is known after how long as many were ready [ns], or that they never will be."""
        self.grown += change.after > change.before
        if met_after is not None:
            self.met, self.met_after = self.met + 1, self.met_after + met_after
        if change.saw is not None and change.after > change.before:
            self.seen, self.seen_s = self.seen + 1, self.seen_s + change.saw.age_s + change.saw.window_s / 2
        if len(self.changes) < SHOWN:
            self.changes.append((change, met_after))


@dataclass
class Course:
    """The levels of a service so far: how many are wanted, and the rows of instances that count as ready, and of those that serve."""

    wanted: int
    up: set[int]
    serving: set[int] = field(default_factory=set)
    levels: list[Level] = field(default_factory=list)
    past: Past | None = None

    def note(self, at: int) -> None:
        """The level from an instant on [ns], in the place of another one of the same instant."""
        if self.levels and self.levels[-1].at == at:
            self.levels.pop()
        self.levels.append(Level(at, self.wanted, len(self.up), len(self.serving)))

    def shorten(self, changes: Iterable[Scaled]) -> list[Scaled]:
        """Keep the last level alone, and those changes of which it is not known yet when as many are ready."""
        past = self.past = self.past or Past()
        mine, left = list(changes), list[Scaled]()
        for change in mine:
            if change.after <= change.before:
                past.add_change(change, None)
            elif met_at(change, self.levels) is None and taken_back_at(change, mine) is None:
                left.append(change)
            else:
                past.add_change(change, ready_after(change, self.levels, mine))
        for level, after in zip(self.levels, self.levels[1:], strict=False):
            past.add_level(level, after.at)
        del self.levels[:-1]
        return left


def met_at(change: Scaled, levels: Sequence[Level]) -> int | None:
    """When as many were ready as a change wanted [ns]; None where they never were."""
    since = islice(levels, bisect_left(levels, change.at, key=lambda level: level.at), None)
    return next((level.at for level in since if level.ready >= change.after), None)


def taken_back_at(change: Scaled, changes: Sequence[Scaled]) -> int | None:
    """When fewer were wanted than a change wanted [ns]; None where they never were."""
    later = islice(changes, bisect_right(changes, change.at, key=lambda other: other.at), None)
    return next((other.at for other in later if other.after < change.after), None)


def ready_after(change: Scaled, levels: Sequence[Level], changes: Sequence[Scaled]) -> int | None:
    """After how long as many were ready as a change wanted [ns]; None where they never were, or fewer were wanted before."""
    met, less = met_at(change, levels), taken_back_at(change, changes)
    return None if met is None or (less is not None and less <= met) else met - change.at


@dataclass
class Steps:
    """What happened to the services of a cluster, and the courses that it makes; `first` are those before anything happens.

    `scaled` are the changes of what is wanted, of which those go that are folded. Of a run that is `over` nothing more is folded.
    """

    first: Callable[[], dict[str, Course]]
    scaled: list[Scaled]
    over: Callable[[], bool]
    kept: float = field(default_factory=lambda: KEPT)
    _steps: list[Step] = field(default_factory=list)
    _courses: dict[str, Course] | None = None

    def wants(self, change: Scaled) -> None:
        """Another number of replicas of a service is wanted."""
        self._add(Step(change.at, 0, change.service, change.after, None, "scale"))
        self.scaled.append(change)

    def ends(self, at: int, service: str, row: int) -> None:
        """An instance ends, which nobody knows yet."""
        self._add(Step(at, 1, service, 0, row, ENDED))

    def told(self, at: int, service: str, row: int, what: str) -> None:
        """Something is told of an instance."""
        self._add(Step(at, 2, service, 0, row, what))

    def courses(self) -> dict[str, Course]:
        """The course of each service so far."""
        found = self._courses = self._courses or self.first()
        for step in sorted(self._steps, key=lambda step: (step.at, step.order)):
            _happens(found[step.service], step)
        self._steps.clear()
        return found

    def _add(self, step: Step) -> None:
        """One more; what happened at instants before it is folded once there is much of that."""
        if len(self._steps) >= self.kept and step.at > self._steps[-1].at and not self.over():
            self._fold()
        self._steps.append(step)

    def _fold(self) -> None:
        """What has happened becomes sums."""
        found = self.courses()
        left = {name: of.shorten([one for one in self.scaled if one.service == name]) for name, of in found.items()}
        self.scaled[:] = sorted((one for mine in left.values() for one in mine), key=lambda one: one.at)


def _happens(course: Course, step: Step) -> None:
    """Something happens to a service or to an instance of it."""
    row = step.row
    if row is None:
        course.wanted = step.wanted
    elif step.what == "ready":
        course.up.add(row)
        course.serving.add(row)
    elif step.what in GONE:
        course.up.discard(row)
        course.serving.discard(row)
    elif step.what == ENDED:
        course.serving.discard(row)
    course.note(step.at)

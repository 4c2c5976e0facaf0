"""How many replicas of each service are wanted and ready over time, out of what happened.

*Model*: an instance is ready from the instant at which it takes requests until it is stopped, fails its checks, or is known to be gone: so
    it counts for those who look after it. It serves from the same instant on until it really ends. Two of them that stand for the same
    replica during an update count as two.
*Ignores*: that load balancing hears of it later; that what is cut off from some serves the others.
*Source*: own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from simvirt.control.cluster import Cluster
from simvirt.control.lifecycle import up_at_first

GONE: Final = frozenset({"stop", "stopped", "killed", "failed", "lost", "unhealthy"})
"""What happens to an instance that takes no requests from then on."""

ENDED: Final = "ended"
"""What happens to one that nobody knows of yet."""


@dataclass(frozen=True, slots=True)
class Level:
    """How many replicas are wanted, count as ready, and serve from an instant on [ns]."""

    at: int
    wanted: int
    ready: int
    serving: int


@dataclass
class Course:
    """The levels of a service so far: how many are wanted, and the rows of instances that count as ready, and of those that serve."""

    wanted: int
    up: set[int]
    serving: set[int] = field(default_factory=set)
    levels: list[Level] = field(default_factory=list)

    def note(self, at: int) -> None:
        """The level from an instant on [ns], in the place of another one of the same instant."""
        if self.levels and self.levels[-1].at == at:
            self.levels.pop()
        self.levels.append(Level(at, self.wanted, len(self.up), len(self.serving)))


def levels_of(cluster: Cluster) -> dict[str, list[Level]]:
    """The levels of each service, in order."""
    found = {name: Course(spec.replicas, set()) for name, spec in cluster.scenario.services.items()}
    if cluster.scenario.beginning.instances == "up":
        for one in map(cluster.instance, up_at_first(cluster.clock, cluster.scenario)):
            if one.service in found:
                found[one.service].up.add(one.row)
                found[one.service].serving.add(one.row)
    for course in found.values():
        course.note(0)
    wishes = [(change.at, change.service, change.after, None, "scale") for change in cluster.scaled]
    steps = [(told.at, cluster.instance(told.row).service, 0, told.row, told.what) for told in cluster.story.events if told.row is not None]
    ends = [(one.at, cluster.instance(row).service, 0, row, ENDED) for one in cluster.outages for row in one.rows]
    for at, service, wanted, row, what in sorted([*wishes, *ends, *steps], key=lambda step: step[0]):
        _step(found[service], at, wanted, row, what)
    return {name: course.levels for name, course in found.items()}


def _step(course: Course, at: int, wanted: int, row: int | None, what: str) -> None:
    """Something happens to a service or to an instance of it."""
    if row is None:
        course.wanted = wanted
    elif what == "ready":
        course.up.add(row)
        course.serving.add(row)
    elif what in GONE:
        course.up.discard(row)
        course.serving.discard(row)
    elif what == ENDED:
        course.serving.discard(row)
    course.note(at)

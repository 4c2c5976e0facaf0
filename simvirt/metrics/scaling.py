"""How many replicas were wanted and ready over time, and what became of each wish for more.

*Model*: levels are those of `control/levels.py`. What a wish for more took ends when so many are ready, unless fewer are wanted before.
*Ignores*: warm-up: numbers are of the whole run, as those of starts are.
*Source*: own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from simvirt.control.cluster import Cluster
from simvirt.control.levels import Level, levels_of
from simvirt.control.records import Scaled
from simvirt.metrics.statistics import mean_interval
from simvirt.result.document import Estimate
from simvirt.result.scaling import ChangeResult, LevelResult, Scaling, ServiceScaling

S: Final = 1e9
SHOWN: Final = 1000
"""Levels and changes of a service that are in a result, at most."""


@dataclass(frozen=True, slots=True)
class ServiceCourse:
    """One replication of a service: its levels until an end [ns], and the changes of what is wanted."""

    levels: tuple[Level, ...]
    changes: tuple[Scaled, ...]
    end: int


def courses(cluster: Cluster, end: int) -> dict[str, ServiceCourse]:
    """What became of the replicas of each service by an instant [ns]; nothing where nothing acts on them."""
    if cluster.orchestration is None:
        return {}
    return {
        name: ServiceCourse(
            tuple(level for level in levels if level.at <= end), tuple(change for change in cluster.scaled if change.service == name), end)
        for name, levels in levels_of(cluster).items()
    }


def _spans(course: ServiceCourse) -> Iterator[tuple[Level, float]]:
    """Levels with how long each lasts [s]."""
    ends = [*(level.at for level in course.levels[1:]), course.end]
    return ((level, (until - level.at) / S) for level, until in zip(course.levels, ends, strict=True))


def ready_after(course: ServiceCourse, change: Scaled) -> float | None:
    """How long it took until as many were ready as a change wanted [s]; None where they never were, or fewer were wanted before."""
    less = min((other.at for other in course.changes if other.at > change.at and other.after < change.after), default=course.end + 1)
    times = (level.at for level in course.levels if change.at <= level.at < less and level.ready >= change.after)
    return next(((at - change.at) / S for at in times), None)


# --- over replications -----------------------------------------------------------------------------------------------------


def scaling(replications: Sequence[Mapping[str, ServiceCourse]]) -> Scaling:
    """Replications together."""
    return Scaling(services={name: _service([one[name] for one in replications]) for name in replications[0]})


def _service(found: Sequence[ServiceCourse]) -> ServiceScaling:
    """A service over replications."""
    grown = [[change for change in one.changes if change.after > change.before] for one in found]
    return ServiceScaling(
        wanted=mean_interval([_over_time(one, "wanted") for one in found]),
        ready=mean_interval([_over_time(one, "ready") for one in found]),
        serving=mean_interval([_over_time(one, "serving") for one in found]),
        most=mean_interval([max(level.serving for level in one.levels) for one in found]),
        short_s=mean_interval([sum(length for level, length in _spans(one) if level.serving < level.wanted) for one in found]),
        grown=mean_interval([len(changes) for changes in grown]),
        ready_after_s=_mean([[ready_after(one, change) for change in changes] for one, changes in zip(found, grown, strict=True)]),
        seen_s=_mean([[None if (saw := change.saw) is None else saw.age_s + saw.window_s / 2 for change in changes] for changes in grown]),
        course=tuple(LevelResult(at_s=of.at / S, wanted=of.wanted, ready=of.ready, serving=of.serving) for of in found[0].levels[:SHOWN]),
        changes=tuple(_change(found[0], change) for change in found[0].changes[:SHOWN]),
    )


def _over_time(course: ServiceCourse, what: str) -> float:
    """The mean of a level over time."""
    total: float = sum(getattr(level, what) * length for level, length in _spans(course))
    return total / max(course.end / S, 1e-9)


def _mean(values: Sequence[Sequence[float | None]]) -> Estimate:
    """The mean over replications of the means of what is known in each."""
    known = [[value for value in one if value is not None] for one in values]
    return mean_interval([sum(one) / len(one) for one in known if one])


def _change(course: ServiceCourse, change: Scaled) -> ChangeResult:
    """A change as a result."""
    found: dict[str, Any] = {"at_s": change.at / S, "before": change.before, "after": change.after, "why": change.why}
    found |= asdict(change.saw) if change.saw is not None else {}
    found |= {"ready_after_s": ready_after(course, change)} if change.after > change.before else {}
    return ChangeResult(**found)

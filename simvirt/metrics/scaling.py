"""How many replicas were wanted and ready over time, and what became of each wish for more.

*Model*: levels are those of `control/levels.py`. What a wish for more took ends when so many are ready, unless fewer are wanted before.
*Ignores*: warm-up: numbers are of the whole run, as those of starts are.
*Source*: own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from simvirt.control.cluster import Cluster
from simvirt.control.levels import SHOWN, Level, Past
from simvirt.control.levels import ready_after as ready_after_ns
from simvirt.control.records import Scaled
from simvirt.metrics.statistics import mean_interval
from simvirt.result.document import Estimate
from simvirt.result.scaling import ChangeResult, LevelResult, Scaling, ServiceScaling

S: Final = 1e9


@dataclass(frozen=True, slots=True)
class ServiceCourse:
    """One replication of a service: its levels until an end [ns], and the changes of what is wanted; what those before add up to."""

    levels: tuple[Level, ...]
    changes: tuple[Scaled, ...]
    end: int
    past: Past = field(default_factory=Past)


def courses(cluster: Cluster, end: int) -> dict[str, ServiceCourse]:
    """What became of the replicas of each service by an instant [ns]; nothing where nothing acts on them."""
    if cluster.orchestration is None:
        return {}
    return {
        name: ServiceCourse(
            tuple(level for level in course.levels if level.at <= end),
            tuple(change for change in cluster.scaled if change.service == name), end, course.past or Past())
        for name, course in cluster.steps.courses().items()
    }


def _spans(course: ServiceCourse) -> Iterator[tuple[Level, float]]:
    """Levels with how long each lasts [s]."""
    ends = [*(level.at for level in course.levels[1:]), course.end]
    return ((level, (until - level.at) / S) for level, until in zip(course.levels, ends, strict=True))


def ready_after(course: ServiceCourse, change: Scaled) -> float | None:
    """How long it took until as many were ready as a change wanted [s]; None where they never were, or fewer were wanted before."""
    after = ready_after_ns(change, course.levels, course.changes)
    return None if after is None else after / S


# --- over replications -----------------------------------------------------------------------------------------------------


def scaling(replications: Sequence[Mapping[str, ServiceCourse]]) -> Scaling:
    """Replications together."""
    return Scaling(services={name: _service([one[name] for one in replications]) for name in replications[0]})


def _service(found: Sequence[ServiceCourse]) -> ServiceScaling:
    """A service over replications."""
    grown = [[change for change in one.changes if change.after > change.before] for one in found]
    pasts = [one.past for one in found]
    return ServiceScaling(
        wanted=mean_interval([_over_time(one, "wanted") for one in found]),
        ready=mean_interval([_over_time(one, "ready") for one in found]),
        serving=mean_interval([_over_time(one, "serving") for one in found]),
        most=mean_interval([max(one.past.most, *(level.serving for level in one.levels)) for one in found]),
        short_s=mean_interval([_short_s(one) for one in found]),
        grown=mean_interval([one.grown + len(changes) for one, changes in zip(pasts, grown, strict=True)]),
        ready_after_s=_mean(
            [[ready_after(one, change) for change in changes] for one, changes in zip(found, grown, strict=True)],
            [(one.met_after / S, one.met) for one in pasts]),
        seen_s=_mean(
            [[None if (saw := change.saw) is None else saw.age_s + saw.window_s / 2 for change in changes] for changes in grown],
            [(one.seen_s, one.seen) for one in pasts]),
        course=tuple(
            LevelResult(at_s=of.at / S, wanted=of.wanted, ready=of.ready, serving=of.serving)
            for of in (*pasts[0].levels, *found[0].levels)[:SHOWN]),
        changes=tuple(sorted(_changes(found[0]), key=lambda change: change.at_s))[:SHOWN],
    )


def _over_time(course: ServiceCourse, what: str) -> float:
    """The mean of a level over time."""
    total: float = sum(getattr(level, what) * length for level, length in _spans(course))
    before: float = getattr(course.past, what) / S
    return (before + total) / max(course.end / S, 1e-9)


def _short_s(course: ServiceCourse) -> float:
    """How long fewer served than were wanted [s]."""
    return course.past.short / S + sum(length for level, length in _spans(course) if level.serving < level.wanted)


def _mean(values: Sequence[Sequence[float | None]], before: Sequence[tuple[float, int]]) -> Estimate:
    """The mean over replications of the means of what is known in each; `before` are sum and number of what was known before."""
    known = [[value for value in one if value is not None] for one in values]
    sums = [(sum(one) + total, len(one) + many) for one, (total, many) in zip(known, before, strict=True)]
    return mean_interval([total / many for total, many in sums if many])


def _changes(course: ServiceCourse) -> Iterator[ChangeResult]:
    """The changes of a service as results: those that are summed, then those that are kept."""
    for change, after in course.past.changes:
        yield _change(change, None if after is None else after / S)
    for change in course.changes:
        yield _change(change, ready_after(course, change))


def _change(change: Scaled, after: float | None) -> ChangeResult:
    """A change as a result, and after how long as many were ready [s]."""
    found: dict[str, Any] = {"at_s": change.at / S, "before": change.before, "after": change.after, "why": change.why}
    found |= asdict(change.saw) if change.saw is not None else {}
    found |= {"ready_after_s": after} if change.after > change.before else {}
    return ChangeResult(**found)

"""The walk over the steps of operations: each step once, those in branches and groups included, with how often it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterable, Iterator

from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.steps import AnyStep, CallStep, CpuStep, LockStep, ParallelStep, RepeatStep


@dataclass(frozen=True, slots=True)
class Visit:
    """A step met on a walk: its path, how often it is done at most, and how often on average, the steps around it counted."""

    step: AnyStep
    path: Path
    times: int
    expected: float


def walk(steps: Iterable[AnyStep], path: Path = (), times: int = 1, expected: float = 1.0) -> Iterator[Visit]:
    """The steps at `path`, executed so often, and those of the branches and groups in them, in the order in which they are written."""
    for index, step in enumerate(steps):
        visit = Visit(step, (*path, index), times * step.times, expected * step.times * step.probability)
        yield visit
        if isinstance(step, ParallelStep):
            for number, branch in enumerate(step.parallel):
                yield from walk(branch, (*visit.path, "parallel", number), visit.times, visit.expected)
        elif isinstance(step, RepeatStep):
            yield from walk(step.repeat, (*visit.path, "repeat"), visit.times, visit.expected)
        elif isinstance(step, LockStep):
            yield from walk(step.hold, (*visit.path, "hold"), visit.times, visit.expected)


def calls_in(steps: Iterable[AnyStep]) -> Iterator[tuple[CallStep, Visit]]:
    """The calls among some steps."""
    return ((visit.step, visit) for visit in walk(steps) if isinstance(visit.step, CallStep))


def first_cpu_step(steps: Iterable[AnyStep]) -> CpuStep | None:
    """The first CPU step of an operation, whose demand that of a trace's row replaces: in a group or under a lock too, not in a branch."""
    for step in steps:
        inner = step.repeat if isinstance(step, RepeatStep) else step.hold if isinstance(step, LockStep) else ()
        if (found := step if isinstance(step, CpuStep) else first_cpu_step(inner)) is not None:
            return found
    return None


def elapsed(steps: Iterable[AnyStep], of: Callable[[AnyStep], float]) -> float:
    """Expected time of steps one after another, where one execution of a step takes `of` it: branches side by side, groups in a row.

    *Model*: branches take as long as the longest of them in the mean.
    *Ignores*: that the longest of several random times is longer than that.
    """
    return sum(step.times * step.probability * _once(step, of) for step in steps)


def _once(step: AnyStep, of: Callable[[AnyStep], float]) -> float:
    """Expected time of one execution of a step."""
    if isinstance(step, ParallelStep):
        return max(elapsed(branch, of) for branch in step.parallel)
    if isinstance(step, LockStep):
        return elapsed(step.hold, of)
    return elapsed(step.repeat, of) if isinstance(step, RepeatStep) else of(step)


def rewritten(steps: Iterable[AnyStep], change: Callable[[AnyStep], Iterable[AnyStep]]) -> tuple[AnyStep, ...]:
    """Steps with each of them, those in branches and groups included, replaced by what `change` makes of it."""
    return tuple(new for step in steps for new in _rewritten_step(step, change))


def _rewritten_step(step: AnyStep, change: Callable[[AnyStep], Iterable[AnyStep]]) -> Iterable[AnyStep]:
    if isinstance(step, ParallelStep):
        return [step.model_copy(update={"parallel": tuple(rewritten(branch, change) for branch in step.parallel)})]
    if isinstance(step, RepeatStep):
        return [step.model_copy(update={"repeat": rewritten(step.repeat, change)})]
    if isinstance(step, LockStep):
        return [step.model_copy(update={"hold": rewritten(step.hold, change)})]
    return change(step)

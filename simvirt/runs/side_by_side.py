"""Searches of all platforms side by side, their simulations on common workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future, wait
from dataclasses import dataclass
from threading import Event
from typing import Generic, TypeVar

from simvirt.errors import SimulationError, SimvirtError, sentence
from simvirt.runs.pool import workers
from simvirt.scenario.spec.models import PlatformSpec

A = TypeVar("A")


@dataclass(frozen=True)
class Answered(Generic[A]):
    """The answers of platforms by name, why others have none, and whether Ctrl-C ended the search."""

    answers: dict[str, A]
    failed: dict[str, str]
    interrupted: bool


def side_by_side(platforms: Sequence[PlatformSpec], jobs: int, answer: Callable[[PlatformSpec, Executor, Event], A]) -> Answered[A]:
    """Asks for the answer of each platform, with workers for `jobs` simulations at a time and what is set to stop them.

    A platform that fails leaves the others their answers; where all fail, the first mistake of the user is raised, else a
    SimulationError that says what failed on each. Ctrl-C keeps what is answered; KeyboardInterrupt when that is nothing.
    """
    found: dict[str, Future[A]] = {}
    interrupted = False
    try:
        _search(platforms, jobs, answer, found)
    except KeyboardInterrupt:
        interrupted = True
    answers = {name: future.result() for name, future in found.items() if _error(future) is None}
    errors = {} if interrupted else {name: error for name, future in found.items() if (error := _error(future)) is not None}
    if not answers:
        raise _none_left(errors)
    return Answered(answers, {name: sentence(error) for name, error in errors.items()}, interrupted)


def _search(
    platforms: Sequence[PlatformSpec], jobs: int, answer: Callable[[PlatformSpec, Executor, Event], A], found: dict[str, Future[A]],
) -> None:
    """Search on every platform; `found` holds what there is, also of an interrupted search."""
    halt = Event()
    with workers(len(platforms), halt) as searches, workers(jobs, halt) as pool:
        for spec in platforms:
            found[spec.name] = searches.submit(answer, spec, pool, halt)
        wait(found.values())


def _none_left(errors: dict[str, BaseException]) -> BaseException:
    """What is raised where no platform has an answer: the user's mistake, else what failed on each; an interruption where nothing did."""
    if not errors:
        return KeyboardInterrupt()
    mistakes = (error for error in errors.values() if isinstance(error, SimvirtError) or not isinstance(error, Exception))
    return next(mistakes, SimulationError("; ".join(f"{name}: {sentence(error)}" for name, error in errors.items())))


def _error(future: Future[A]) -> BaseException | None:
    """Why there is no answer; None where there is one."""
    return future.exception() if future.done() and not future.cancelled() else CancelledError()

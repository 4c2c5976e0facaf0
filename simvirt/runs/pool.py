"""One way to run tasks side by side: results in the order of the tasks, an interruption stops what is under way.

Workers are threads, because the compiled kernel runs without the GIL. Whatever else runs tasks of this process is an
`Executor` too and serves as well.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any, TypeVar

from simvirt.errors import UsageError
from simvirt.units import shown

T = TypeVar("T")


class Halt(Event):
    """An event that is set as soon as another one is, which is left as it is."""

    def __init__(self, other: Event | None = None) -> None:
        super().__init__()
        self.other = other

    def is_set(self) -> bool:
        """Whether either is set."""
        return super().is_set() or (self.other is not None and self.other.is_set())


class Later(Future[T]):
    """A task that is carried out when its result is asked for."""

    def __init__(self, call: Callable[[], T]) -> None:
        super().__init__()
        self.call = call

    def result(self, timeout: float | None = None) -> T:
        """What the task returns; what it raises is raised here."""
        if not self.done():
            self.set_result(self.call())
        return super().result(timeout)


class Inline(Executor):
    """One worker: whoever asks for a result."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """The task, to be carried out when its result is asked for."""
        return Later(lambda: fn(*args, **kwargs))


def at_a_time(jobs: int) -> int:
    """How many tasks run at a time: so many, for 0 one per CPU that this process may use; UsageError where that is no number of tasks."""
    if not isinstance(jobs, int) or jobs < 0:
        raise UsageError(f"jobs: expected a whole number, for example 4, or 0 for one per CPU; got {shown(jobs)}")
    return jobs or cpus()


def cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def workers(jobs: int, halt: Event | None = None) -> Iterator[Executor]:
    """Threads for `jobs` tasks at a time, 0 for one per CPU, for the length of a block.

    Where the block ends with an error or an interruption, `halt` is set, at which tasks under way look, and tasks that wait
    are dropped. When the block has ended, nothing is under way.
    """
    pool = ThreadPoolExecutor(at_a_time(jobs))
    try:
        yield pool
    except BaseException:
        if halt is not None:
            halt.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def in_order(pool: Executor, task: Callable[[Any], T], items: Iterable[Any]) -> Iterator[T]:
    """The results of a task on each item, in the order of the items; what is not wanted any more is not begun."""
    futures = [pool.submit(task, item) for item in items]
    try:
        yield from (future.result() for future in futures)
    finally:
        for future in futures:
            future.cancel()

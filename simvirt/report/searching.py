"""The progress of a search on a terminal: one line a platform with the bracket that is left and the simulations so far."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from simvirt.report.progress import drawn


class Step(Protocol):
    """How far the search of a platform is."""

    @property
    def platform(self) -> str: ...
    @property
    def low(self) -> int: ...  # the largest n that holds
    @property
    def high(self) -> int: ...  # the smallest that does not
    @property
    def simulations(self) -> int: ...
    @property
    def done_ratio(self) -> float: ...


class Lines:
    """The lines of all platforms; call it with each step, from any thread."""

    def __init__(self, progress: Progress, what: str) -> None:
        self._progress, self._lock, self._what = progress, Lock(), what
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: Step) -> None:
        """Takes a step in."""
        with self._lock:
            if step.platform not in self._tasks:
                self._tasks[step.platform] = self._progress.add_task(step.platform, total=1.0, bracket="", simulations="")
            bracket = f"{self._what} {step.low:,} to {step.high:,}" if step.high > step.low else f"{self._what} {step.low:,}"
            task = self._tasks[step.platform]
            self._progress.update(task, completed=step.done_ratio, bracket=bracket, simulations=f"{step.simulations} simulations")


@contextmanager
def shown(console: Console, wanted: bool = True, what: str = "n") -> Iterator[Lines | None]:
    """Progress lines about `what` while the block runs, gone when it ends; None, and silence, where the console is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[bracket]}"),
        TextColumn("{task.fields[simulations]}"),
        TimeElapsedColumn(),
    )
    with drawn(console, wanted, columns) as progress:
        yield None if progress is None else Lines(progress, what)

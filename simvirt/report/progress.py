"""The progress of a run on a terminal: one line a platform with what is simulated, speed and the time that remains."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TaskID, TextColumn, TimeRemainingColumn

from simvirt.result.figures import short_count

INTERVAL_PER_S = 10


class ProgressEvent(Protocol):
    """How far one replication is."""

    @property
    def platform(self) -> str: ...
    @property
    def replication(self) -> int: ...  # 1 is the first
    @property
    def replications(self) -> int: ...
    @property
    def done_ratio(self) -> float: ...  # of this replication, 0..1
    @property
    def events(self) -> int: ...  # of this replication so far
    @property
    def wall_s(self) -> float: ...  # of this replication so far
    @property
    def searched(self) -> int: ...  # runs in which the maximum throughput is looked for; 0 is a replication


class Lines:
    """The lines of all platforms; call it with each event."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}
        self._latest: dict[str, dict[int, ProgressEvent]] = {}

    def __call__(self, event: ProgressEvent) -> None:
        """Takes an event in, whichever replication of whichever platform it comes from."""
        task = self._task(event.platform)
        if event.searched:
            self._progress.update(task, completed=1.0, doing=f"maximum throughput, run {event.searched}", speed=_speed({0: event}))
            return
        latest = self._latest.setdefault(event.platform, {})
        latest[event.replication] = event
        done = sum(e.done_ratio for e in latest.values()) / max(event.replications, len(latest))
        self._progress.update(task, completed=done, doing=f"replication {max(latest)}/{event.replications}", speed=_speed(latest))

    def _task(self, platform: str) -> TaskID:
        """The line of a platform, made when it is first heard of."""
        if platform not in self._tasks:
            self._tasks[platform] = self._progress.add_task(platform, total=1.0, doing="", speed="")
        return self._tasks[platform]


def _speed(latest: dict[int, ProgressEvent]) -> str:
    """Events in a second of one worker's time."""
    wall = sum(e.wall_s for e in latest.values())
    return f"{short_count(sum(e.events for e in latest.values()) / wall)} events/s" if wall > 0 else ""


@contextmanager
def shown(console: Console, wanted: bool = True) -> Iterator[Lines | None]:
    """Progress lines while the block runs, gone when it ends; None, and silence, where the console is no terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[doing]}"),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
    )
    with drawn(console, wanted, columns) as progress:
        yield None if progress is None else Lines(progress)


@contextmanager
def drawn(console: Console, wanted: bool, columns: Sequence[ProgressColumn]) -> Iterator[Progress | None]:
    """Lines of these columns while the block runs, gone when it ends; None, and silence, where the console is no terminal."""
    if not wanted or not console.is_terminal:
        yield None
        return
    with Progress(*columns, console=console, transient=True, refresh_per_second=INTERVAL_PER_S, expand=True) as progress:
        yield progress


@contextmanager
def counted(console: Console, total: int, wanted: bool = True) -> Iterator[Callable[[str], None] | None]:
    """One line that counts named things while the block runs; None, and silence, where the console is no terminal."""
    columns = (BarColumn(bar_width=None), TextColumn("{task.completed:.0f} of {task.total:.0f}"), TextColumn("{task.description}"))
    with drawn(console, wanted, columns) as progress:
        task = progress.add_task("", total=total) if progress else None
        yield None if progress is None or task is None else lambda what: progress.update(task, advance=1, description=what)

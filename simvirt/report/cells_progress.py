"""The progress of a sweep: one line on a terminal, elsewhere a line now and then, each with the time that remains."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task
from rich.text import Text

from simvirt.report.progress import drawn

FIRST_S: Final = 10.0
"""How long nothing is said where there is no terminal [s]."""
GROWTH: Final = 0.1
"""Share of the time so far after which the next line is said, where that is longer."""


class CellEnded(Protocol):
    """How far a sweep is."""

    @property
    def ended(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def cells(self) -> int: ...
    @property
    def remaining_s(self) -> float: ...  # as it was when the last cell ended


@contextmanager
def following(console: Console, cells: int, wanted: bool = True) -> Iterator[Callable[[CellEnded], None] | None]:
    """What shows how far a sweep of so many cells is while the block runs; None, and silence, where that is not wanted."""
    if wanted and not console.is_terminal:
        yield _now_and_then(console)
        return
    with drawn(console, wanted, (BarColumn(bar_width=None), _Said())) as progress:
        if progress is None:
            yield None
            return
        task = progress.add_task("", total=cells, latest=None, at=0.0)
        yield lambda event: progress.update(task, completed=event.ended, latest=event, at=time.monotonic())


class _Said(ProgressColumn):
    """The words beside the bar; the time that remains runs down until the next cell has ended."""

    def render(self, task: Task) -> Text:
        event = task.fields["latest"]
        if event is None:
            return Text(f"{task.total:,.0f} cells")
        return Text(said(event, time.monotonic() - task.fields["at"]))


def _now_and_then(console: Console) -> Callable[[CellEnded], None]:
    """What says a line the first time after a while, and then the more seldom the longer a sweep takes."""
    began = last = time.monotonic()

    def heard(event: CellEnded) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= max(FIRST_S, GROWTH * (now - began)):
            last = now
            console.file.write(f"{said(event)}\n")
            console.file.flush()

    return heard


def said(event: CellEnded, since_s: float = 0.0) -> str:
    """`812 of 2,000 cells, 3 failed, 2 min left`, so long after the last cell ended."""
    failed = f", {event.failed:,} failed" if event.failed else ""
    left = f", {remaining(max(event.remaining_s - since_s, 0.0))} left" if event.ended < event.cells else ""
    return f"{event.ended:,} of {event.cells:,} cells{failed}{left}"


def remaining(seconds: float) -> str:
    """`45 s`, `3 min`, `2 h 10 min`, `3 d 4 h`: no more precise than it deserves."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"

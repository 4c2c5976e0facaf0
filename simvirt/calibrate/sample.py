"""What a probe gives: values of one quantity, or why there are none; and how code that is timed loses the cost of its own loop.

*Method*: a loop runs in C (`deque` over `map` or `starmap`), and the same loop over a function that does no system call is subtracted. What
    is left has a floor of some ten nanoseconds: shorter things cannot be told from the loop.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

FLOOR_S = 10e-9
"""CPU times below it are the loop's own."""


@dataclass(frozen=True)
class Sample:
    """Values of a quantity in its unit: `s`, `bytes/s`, `per s`, `ratio`; `why` says what keeps it from being measured."""

    what: str
    unit: str
    values: tuple[float, ...] = ()
    why: str = ""
    method: str = ""
    undisturbed: bool = False
    """Whether others can only lengthen it, so that its lower quartile says more than its median."""

    @property
    def value(self) -> float:
        """The median, or the lower quartile; NaN where nothing was measured."""
        return math.nan if not self.values else lower_quartile(self.values) if self.undisturbed else statistics.median(self.values)

    @property
    def low(self) -> float:
        """The lowest value ..."""
        return min(self.values, default=math.nan)

    @property
    def high(self) -> float:
        """... and the highest."""
        return max(self.values, default=math.nan)


def lower_quartile(values: Sequence[float]) -> float:
    """The value below which a quarter of some values are."""
    return sorted(values)[(len(values) - 1) // 4]


def attempted(what: str, unit: str, method: str, probe: Callable[[], Iterable[float]], undisturbed: bool = False) -> Sample:
    """The sample of a probe; why there is none where the system forbids it, or nothing is told from the loop."""
    least = FLOOR_S if undisturbed and unit == "s" else 0.0
    try:
        values = tuple(value for value in probe() if math.isfinite(value) and value > least)
    except (OSError, PermissionError, AttributeError, ValueError, ImportError) as error:
        return Sample(what, unit, why=getattr(error, "strerror", None) or str(error), method=method)
    return Sample(what, unit, values, "" if values else "nothing above the floor of the method", method, undisturbed)


WAITED = 10.0
"""Requests that take so many times the median have waited for something else, a CPU among it, and are left out."""


def typical(times: Sequence[float]) -> tuple[float, ...]:
    """Times without those that waited for something else."""
    most = WAITED * statistics.median(times) if times else 0.0
    return tuple(took for took in times if took <= most)


def timed(action: Callable[[], Any]) -> float:
    """How long an action takes [s]."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def worked(action: Callable[[], Any]) -> float:
    """How much CPU time an action takes: what others take from the CPU meanwhile does not count [s]."""
    start = time.process_time()
    action()
    return time.process_time() - start


def drained(calls: Iterable[Any]) -> None:
    """Makes all calls of an iterator, in C."""
    deque(calls, maxlen=0)

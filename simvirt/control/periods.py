"""What is done again and again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy


def every(clock: simpy.Environment, period: float, phase: float, act: Callable[[], object]) -> Generator[simpy.Event, Any, None]:
    """Do something in every period [ns], at an instant of it."""
    yield clock.timeout(round(phase * period))
    while True:
        act()
        yield clock.timeout(round(period))

"""How a guest writes to its memory, and how many of its pages are written at least once in a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

PAGE: Final = 4096
"""Bytes of a page whose writes are logged."""


@dataclass(frozen=True)
class Writes:
    """Bytes of pages that a guest writes per second, within what it writes to at all: its writable working set [bytes].

    *Model*: each write hits any page of the writable working set, so that a time t leaves W (1 - exp(-r t / W)) bytes of W dirty; without
        a bound all writes go to pages that are clean so far.
    *Ignores*: that some pages are written far more often than others, which makes the first round look better than the last.
    *Source*: C. Clark et al., Live Migration of Virtual Machines, NSDI 2005, section 2.1 (writable working set).
    """

    rate: float
    working_set: float = math.inf

    def dirtied(self, seconds: float, slowed: float = 0.0) -> float:
        """Bytes of pages written at least once in a time in which the guest has lost a share of its own."""
        written = self.rate * (1.0 - slowed) * seconds
        if math.isinf(self.working_set):
            return written
        return self.working_set * -math.expm1(-written / self.working_set) if self.working_set > 0 else 0.0


@dataclass(frozen=True)
class Together:
    """Several that write, each to pages of its own."""

    parts: tuple[Writes, ...]

    @property
    def rate(self) -> float:
        """Bytes of pages that all of them write per second."""
        return sum(part.rate for part in self.parts)

    def dirtied(self, seconds: float, slowed: float = 0.0) -> float:
        """Bytes of pages that any of them has written at least once in a time."""
        return sum(part.dirtied(seconds, slowed) for part in self.parts)

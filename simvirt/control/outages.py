"""What failures took with them, and when that was noticed and over."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Outage:
    """A failure: when [ns], how and where; the instances that it ended, the requests lost with them at once, when it was noticed [ns]."""

    at: int
    how: str
    where: str
    rows: tuple[int, ...]
    requests: int
    noticed: int | None = None

"""What failures took with them, and when that was noticed and over."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Outage:
    """A failure: when [ns], how and where; the instances that it ended and what they were called, the requests lost with them at once.

    `noticed` is when load balancing left them out [ns].
    """

    at: int
    how: str
    where: str
    rows: list[int] = field(default_factory=list)
    requests: int = 0
    noticed: int | None = None
    names: tuple[str, ...] = ()

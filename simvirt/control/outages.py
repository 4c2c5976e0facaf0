"""What failures took with them, and when that was noticed and over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, overload

KEPT: Final = 1000
"""Failures that are kept as they are, and are in a result: the first ones."""


@dataclass
class Outage:
    """A failure: when [ns], how and where; the instances that it ended and what they were called, the requests lost with them at once.

    `noticed` is when load balancing left them out [ns]; `back` when each of them, or another in its place, was ready, or failed again [ns].
    """

    at: int
    how: str
    where: str
    rows: list[int] = field(default_factory=list)
    requests: int = 0
    noticed: int | None = None
    names: tuple[str, ...] = ()
    back: dict[str, int] = field(default_factory=dict)


    @property
    def is_over(self) -> bool:
        """Whether all that it took is back, or has failed again."""
        return self.back.keys() >= set(self.names)

    def down(self, until: int) -> dict[str, int]:
        """How long it took instances of each service, up to an instant [ns]; those that are not back by then are away until it."""
        found: Counter[str] = Counter()
        for name in self.names:
            found[name.rpartition("-")[0]] += self.back.get(name, until) - self.at
        return dict(found)


class Outages(Sequence[Outage]):
    """Failures in order: the first ones and those that are not over; how many there were in all, and how long the others took [ns]."""

    def __init__(self) -> None:
        self.kept: float = KEPT
        self.happened = 0
        self.folded: Counter[str] = Counter()
        """By service."""
        self._all = list[Outage]()
        self._look_at: float = 2 * self.kept

    def append(self, outage: Outage) -> None:
        """Something has failed, and it is known what that took."""
        self.happened += 1
        self._all.append(outage)
        if len(self._all) >= max(self._look_at, 2 * self.kept):
            self._fold()
            self._look_at = 2 * len(self._all)

    def _fold(self) -> None:
        """What is over becomes sums, but the first ones."""
        first = int(self.kept)
        for outage in (one for one in self._all[first:] if one.is_over):
            self.folded.update(outage.down(outage.at))
        self._all[first:] = [one for one in self._all[first:] if not one.is_over]

    def __len__(self) -> int:
        return len(self._all)

    @overload
    def __getitem__(self, at: int) -> Outage: ...

    @overload
    def __getitem__(self, at: slice) -> list[Outage]: ...

    def __getitem__(self, at: int | slice) -> Outage | list[Outage]:
        return self._all[at]


@dataclass
class Awaited:
    """The failures that are not over for an instance, by what it is called."""

    _of: dict[str, list[Outage]] = field(default_factory=dict)

    def begins(self, outage: Outage) -> None:
        """Something fails: for what it takes, what took it before is over."""
        for name in outage.names:
            self.back(name, outage.at)
            self._of.setdefault(name, []).append(outage)

    def back(self, name: str, now: int) -> None:
        """An instance is back, or fails again: what took it before this instant [ns] is over."""
        for outage in (one for one in self._of.get(name, ()) if one.at < now):
            outage.back[name] = now
        left = [one for one in self._of.pop(name, ()) if one.at >= now]
        if left:
            self._of[name] = left

"""What became of instances that were started: when, and which phases that took; and the story of what happened, to whom."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

DEPENDENCIES: Final = "other services"
"""The wait for other services, as a phase."""


@dataclass(slots=True)
class Span:
    """A phase of a start, of a layer: when it was due, began (it may wait for a lock or for others before), and ended [ns]."""

    phase: str
    layer: str
    due: int
    began: int
    ended: int


@dataclass
class Life:
    """The start of an instance of a service on a host: when it was asked for, and when it was ready, None so far [ns]; its phases."""

    instance: int
    service: str
    replica: int
    host: int
    asked: int
    ready: int | None = None
    spans: list[Span] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened: when [ns], what, to whom (`web-3`, `node[1]`), on which host, and why."""

    at: int
    what: str
    who: str
    where: str | None = None
    why: str | None = None


class Now(Protocol):
    """A clock."""

    @property
    def now(self) -> Any:
        """The present instant [ns]."""


@dataclass
class Story:
    """What happened, in order: every actor of the control plane writes to it."""

    clock: Now
    events: list[Told] = field(default_factory=list)

    def tell(self, what: str, who: str, where: str | None = None, why: str | None = None) -> None:
        """Something happens now."""
        self.events.append(Told(int(self.clock.now), what, who, where, why))


def way_to(life: Life, lives: Sequence[Life], until: float = math.inf) -> list[Span]:
    """The phases until an instant that led to the end of a start: its own, after a wait for other services what led to the end of that."""
    own = [span for span in life.spans if span.ended <= until]
    at = next((at for at, span in enumerate(own) if span.phase == DEPENDENCIES), None)
    if at is None or own[at].ended == until:
        return own
    end = own[at].ended
    before = next((other for other in lives if other.service != life.service and _ends(other, end)), None)
    return own if before is None else [*way_to(before, lives, end), *own[at + 1:]]


def _ends(life: Life, at: int) -> bool:
    """Whether a start, or a phase of it that is work, ended at an instant."""
    return at == life.ready or any(span.ended == at and span.phase != DEPENDENCIES for span in life.spans)

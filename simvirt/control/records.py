"""What became of instances that were started: when, and which phases that took."""

from __future__ import annotations

from dataclasses import dataclass, field


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

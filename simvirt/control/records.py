"""What became of instances that were started or moved: when, and which phases or rounds that took; and the story of what happened."""

from __future__ import annotations

import math
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern
from typing import Any, Final, Protocol, overload

from simvirt.migration.rules import Round

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


class Spans(Sequence[Span]):
    """Phases of a start in their order, kept as numbers: a day of a cluster has hundreds of thousands of them.

    A phase is its end, where it was due at the end of the one before and began at once; else the instants at which it was due, as a
    negative number, and began go before that.
    """

    __slots__ = ("_last", "_names", "_times")

    def __init__(self, spans: Iterable[Span] = ()) -> None:
        self._names: tuple[tuple[str, str], ...] = ()
        self._times = array("q")
        self._last = -1
        self.extend(spans)

    def append(self, span: Span) -> None:
        """One phase more."""
        self.extend((span,))

    def extend(self, spans: Iterable[Span]) -> None:
        """Some phases more."""
        for span in spans:
            self._names = _shared((*self._names, (span.phase, span.layer)))
            if not span.due == span.began == self._last:
                self._times.extend((-1 - span.due, span.began))
            self._times.append(span.ended)
            self._last = span.ended

    def __iadd__(self, spans: Iterable[Span]) -> Spans:
        self.extend(spans)
        return self

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, at: int) -> Span: ...

    @overload
    def __getitem__(self, at: slice) -> list[Span]: ...

    def __getitem__(self, at: int | slice) -> Span | list[Span]:
        return list(self)[at]

    def __iter__(self) -> Iterator[Span]:
        last, times = -1, iter(self._times)
        for name, first in zip(self._names, times, strict=False):
            due, began, ended = (last, last, first) if first >= 0 else (-1 - first, next(times), next(times))
            yield Span(*name, due, began, ended)
            last = ended

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spans) and (self._names, self._times) == (other._names, other._times)

    __hash__ = None  # type: ignore[assignment]


@lru_cache(4096)
def _shared(names: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Names of phases, the same object for all starts that have the same ones."""
    return names


@dataclass(slots=True)
class Life:
    """The start of an instance of a service on a host: when it was asked for, and when it was ready, None so far [ns]; its phases.

    `up` is when its process answered, None so far [ns]; `failure` is why it came to nothing, `abandoned` whether it was given up.
    """

    instance: int
    service: str
    replica: int
    host: int
    asked: int
    ready: int | None = None
    spans: Spans = field(default_factory=Spans)
    up: int | None = None
    failure: str | None = None
    abandoned: bool = False

    @property
    def name(self) -> str:
        """What the instance is called."""
        return f"{self.service}-{self.replica}"

    @property
    def took(self) -> int:
        """From the instant at which it was asked for to that at which it was ready, or its last phase so far ended [ns]."""
        ended = self.ready if self.ready is not None else max((span.ended for span in self.spans), default=self.asked)
        return ended - self.asked


@dataclass
class Move:
    """How an instance's VM moved: from host to host, when it was asked for, began to send, stood still, ran again, and was all there [ns].

    `rounds` are those of copying; `sent` and `copied` bytes of memory and of disks; `zeroes` bytes of pages that were never written;
    `throttled` is time taken from vCPUs, `faults` pages fetched after the guest ran on the other side; `left` when it was given up.
    """

    service: str
    replica: int
    source: int
    to: int
    how: str
    asked: int
    memory: float = 0.0
    began: int | None = None
    stopped: int | None = None
    resumed: int | None = None
    ended: int | None = None
    left: int | None = None
    rounds: list[Round] = field(default_factory=list)
    sent: float = 0.0
    copied: float = 0.0
    faults: float = 0.0
    throttled: int = 0
    logged: float = 0.0
    why: str = ""

    @property
    def downtime(self) -> int | None:
        """How long the guest stood still in the end [ns]."""
        return None if self.stopped is None or self.resumed is None else self.resumed - self.stopped


@dataclass(frozen=True, slots=True)
class Measured:
    """What an autoscaler saw: usage as a ratio, over a window that ended some time before [s]; what it asked for, and what limited that."""

    usage: float
    window_s: float
    age_s: float
    asked: int
    limited_by: str | None


@dataclass(frozen=True, slots=True)
class Scaled:
    """Another number of replicas of a service is wanted from an instant on [ns], and why; what an autoscaler saw of it."""

    at: int
    service: str
    before: int
    after: int
    why: str
    saw: Measured | None = None


@dataclass(frozen=True, slots=True)
class Waits:
    """So many replicas of a service wait for a host from an instant on [ns]."""

    at: int
    service: str
    replicas: int


@dataclass(slots=True)
class Hired:
    """A machine of a pool that autoscales: its host, when it was asked for, took replicas first, and went, None so far [ns]."""

    host: int
    pool: str
    asked: int
    up: int | None = None
    ended: int | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Something that happened: when [ns], what, to whom (`web-3`, `node[1]`), on which host, and why; in which row, of an instance."""

    at: int
    what: str
    who: str
    where: str | None = None
    why: str | None = None
    row: int | None = None


KEPT: Final = 10_000
"""Events that are kept: the first ones."""
LAST: Final = 100
"""The last ones that are kept beside them."""


class Events(Sequence[Told]):
    """The first of what happened, in order, kept in columns: a day of a cluster has many thousands of events; a name is kept once.

    `last` are the last ones, `counted` says how many there were of each kind, all included, `told` how many in all.
    """

    __slots__ = ("_at", "_row", "_what", "_where", "_who", "_why", "counted", "kept", "last")

    def __init__(self) -> None:
        self._at, self._row = array("q"), array("q")
        self._what, self._who = list[str](), list[str]()
        self._where, self._why = list[str | None](), list[str | None]()
        self.kept: float = KEPT
        self.last: deque[Told] = deque(maxlen=LAST)
        self.counted: Counter[str] = Counter()

    @property
    def told(self) -> int:
        """How many events there were."""
        return self.counted.total()

    def add(self, told: Told) -> None:
        """One event more."""
        self.counted[told.what] += 1
        self.last.append(told)
        if len(self) >= self.kept:
            return
        self._at.append(told.at)
        self._row.append(-1 if told.row is None else told.row)
        self._what.append(intern(told.what))
        self._who.append(intern(told.who))
        self._where.append(told.where and intern(told.where))
        self._why.append(told.why and intern(told.why))

    def __len__(self) -> int:
        return len(self._at)

    @overload
    def __getitem__(self, at: int) -> Told: ...

    @overload
    def __getitem__(self, at: slice) -> list[Told]: ...

    def __getitem__(self, at: int | slice) -> Told | list[Told]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        row = self._row[at]
        return Told(self._at[at], self._what[at], self._who[at], self._where[at], self._why[at], None if row < 0 else row)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Events) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


class Now(Protocol):
    """A clock."""

    @property
    def now(self) -> Any:
        """The present instant [ns]."""


@dataclass
class Story:
    """What happened, in order: every actor of the control plane writes to it, and one may listen."""

    clock: Now
    events: Events = field(default_factory=Events)
    told: Callable[[Told], None] | None = None

    def tell(self, what: str, who: str, where: str | None = None, why: str | None = None, row: int | None = None) -> None:
        """Something happens now."""
        told = Told(int(self.clock.now), what, who, where, why, row)
        self.events.add(told)
        if self.told is not None:
            self.told(told)


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

"""The starts of instances: the first ones whole, with all their phases; of those after them what they add up to, once they are over.

*Model*: a day of a cluster has tens of thousands of starts. Times until ready of starts that are not kept go into histograms, their phases
    into sums, and the slowest of them stays whole. What is being started is whole, too.
*Ignores*: in whose wake the slowest start came where those that it waited for are not kept any more.
*Source*: own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, overload

from simvirt.control.records import Life, Span
from simvirt.kernel.histogram import bucket_of

KEPT: Final = 4000
"""Starts that are kept whole: the first ones."""


@dataclass
class PhaseSum:
    """A phase of several starts: how many had it, the time from when it was due to its end, and the part before it began [ns]."""

    met: int = 0
    spent: int = 0
    waited: int = 0

    def add(self, span: Span) -> None:
        """One start more has it."""
        self.met += 1
        self.spent += span.ended - span.due
        self.waited += span.began - span.due


@dataclass
class Folded:
    """What starts of a service that are not kept add up to: how many there were, and the times until ready of those that were."""

    started: int = 0
    ready: int = 0
    times: Counter[int] = field(default_factory=Counter)
    """How many times [ns] are in each bucket of the kernel's histograms."""
    fastest: int | None = None
    slowest: int = 0

    def add(self, life: Life) -> None:
        """One start more."""
        self.started += 1
        if life.ready is not None:
            took = life.ready - life.asked
            self.ready += 1
            self.times[bucket_of(took)] += 1
            self.fastest = took if self.fastest is None else min(self.fastest, took)
            self.slowest = max(self.slowest, took)


class Lives(Sequence[Life]):
    """Starts in the order in which they began: the first ones and those that are not over yet; `folded` are the others, by service.

    `phases` are those of the others, by layer and name, and `slowest` is the slowest of the others.
    """

    def __init__(self, lives: Iterable[Life] = (), kept: float | None = None) -> None:
        self.kept = KEPT if kept is None else kept
        self.folded: dict[str, Folded] = {}
        self.phases: dict[tuple[str, str], PhaseSum] = {}
        self.slowest: Life | None = None
        self._first = list(lives)
        self._later: dict[int, Life] = {}  # by identity: those that are not over

    def append(self, life: Life) -> None:
        """A start begins."""
        if len(self._first) < self.kept and not self._later and not self.folded:
            self._first.append(life)
        else:
            self._later[id(life)] = life

    def remove(self, life: Life) -> None:
        """There is to be no record of a start."""
        if self._later.pop(id(life), None) is None:
            self._first.remove(life)

    def over(self, life: Life) -> None:
        """Takes in that nothing is added to a start any more."""
        if self._later.pop(id(life), None) is None:
            return
        self.folded.setdefault(life.service, Folded()).add(life)
        for span in life.spans:
            self.phases.setdefault((span.layer, span.phase), PhaseSum()).add(span)
        if self.slowest is None or life.took > self.slowest.took:
            self.slowest = life

    @property
    def started(self) -> int:
        """How many starts there were."""
        return len(self) + sum(one.started for one in self.folded.values())

    @property
    def unready(self) -> int:
        """How many of them did not become ready."""
        return sum(life.ready is None for life in self) + sum(one.started - one.ready for one in self.folded.values())

    def of(self, service: str) -> Lives:
        """Those of a service, with what the others of it add up to."""
        found = Lives((life for life in self if life.service == service), self.kept)
        found.folded = {name: one for name, one in self.folded.items() if name == service}
        return found

    def __len__(self) -> int:
        return len(self._first) + len(self._later)

    @overload
    def __getitem__(self, at: int) -> Life: ...

    @overload
    def __getitem__(self, at: slice) -> list[Life]: ...

    def __getitem__(self, at: int | slice) -> Life | list[Life]:
        return list(self)[at]

    def __iter__(self) -> Iterator[Life]:
        yield from self._first
        yield from self._later.values()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lives) and (list(self), self.folded, self.phases) == (list(other), other.folded, other.phases)

    __hash__ = None  # type: ignore[assignment]

"""From spans to a graph of calls: what each operation does itself, whom it calls, how often, in which order, and what each of that takes.

*Model*: a span of another service than its parent's is an operation; others are parts of one. A part that waits for one operation of
another service is the call; how much longer it lasts than that operation is the way there and back. A part that waits and has no
operation behind it is time outside. The rest of an operation's time is its own. Calls that overlap in at least half of the requests that
make both are made at once. An operation that begins after its caller's end is nobody's call.
*Ignores*: that times of one request depend on each other; orders that change from request to request; differences of clocks but for
negative times.
*Source*: Sigelman et al., Dapper, Google 2010; Mace, Roelke and Fonseca, Pivot Tracing, SOSP 2015, for what spans leave open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import mean

from simvirt.importers.spans import Span

Name = tuple[str, str]
"""A service and its operation."""
Key = tuple[str, int]
"""What is waited for by name, and for which time in the same request."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that an operation waits for: from when to when [ns from its begin]; of a call, whom, and the way there and back."""

    name: str
    start: int
    end: int
    target: Name | None = None
    way: int = 0


@dataclass(slots=True)
class Wait:
    """What an operation waits for in some of its requests: its times [ns], from the begin of those that wait with it."""

    name: str
    target: Name | None
    share: float
    offsets: list[int] = field(default_factory=list)
    times: list[int] = field(default_factory=list)  # of a call the way there and back, else how long it takes


@dataclass(slots=True)
class Operation:
    """An operation: its own time before each group of waits and behind the last [ns], and the groups in their order."""

    count: int = 0
    groups: list[list[Wait]] = field(default_factory=list)
    gaps: list[list[int]] = field(default_factory=list)
    lengths: list[list[int]] = field(default_factory=list)  # of each group, from its first begin to its last end
    durations: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Graph:
    """Operations by name, how often each was asked by nobody, and how many spans have a parent that is not there."""

    operations: dict[Name, Operation]
    entries: dict[Name, int]
    traces: int
    orphans: int


def graph(spans: Sequence[Span]) -> Graph:
    """The graph of some spans."""
    known = {(span.trace, span.id): span for span in spans}
    inside: dict[tuple[str, str], list[Span]] = defaultdict(list)
    entries: dict[Name, int] = defaultdict(int)
    tops: list[Span] = []
    orphans = 0
    for span in known.values():
        parent = known.get((span.trace, span.parent)) if span.parent != span.id else None
        orphans += parent is None and bool(span.parent) and span.parent != span.id
        if parent is None or span.beside or span.start >= parent.end > parent.start:
            entries[span.service, span.operation] += 1
            tops.append(span)
        else:
            inside[span.trace, span.parent].append(span)
            if parent.service != span.service:
                tops.append(span)
    seen: dict[Name, list[tuple[int, list[Event]]]] = defaultdict(list)
    for span in tops:
        events = sorted(_events(span, inside), key=lambda event: (event.start, event.name))
        seen[span.service, span.operation].append((span.end - span.start, events))
    found = {name: _operation(each) for name, each in seen.items()}
    _uncircled(found)
    return Graph(found, dict(entries) or {next(iter(found)): 1}, len({span.trace for span in spans}), orphans)


def _events(top: Span, inside: dict[tuple[str, str], list[Span]]) -> Iterator[Event]:
    """What an operation waits for: through all its parts."""
    line = [top]
    steps = 0
    while line:
        part = line.pop()
        steps += 1
        children = inside.get((part.trace, part.id), []) if steps < 100_000 else []
        others = [child for child in children if child.service != part.service]
        if part is not top and len(others) == len(children) == 1:
            child = others[0]
            way = max(part.end - part.start - (child.end - child.start), 0)
            yield Event(child.operation, part.start - top.start, part.end - top.start, (child.service, child.operation), way)
            continue
        if part is not top and not children and part.waits:
            yield Event(part.operation, part.start - top.start, part.end - top.start)
            continue
        yield from (Event(one.operation, one.start - top.start, one.end - top.start, (one.service, one.operation)) for one in others)
        line += [child for child in children if child.service == part.service]


def _operation(requests: Sequence[tuple[int, list[Event]]]) -> Operation:
    """What requests of one operation have in common."""
    found = Operation(len(requests), durations=[duration for duration, _ in requests])
    keyed = [_keyed(events) for _, events in requests]
    starts: dict[Key, list[int]] = defaultdict(list)
    for one in keyed:
        for key, event in one.items():
            starts[key].append(event.start)
    order = sorted(starts, key=lambda key: (mean(starts[key]), key))
    groups: list[list[Key]] = []
    for key in order:
        if groups and any(_overlap(keyed, key, other) for other in groups[-1]):
            groups[-1].append(key)
        else:
            groups.append([key])
    found.groups = [[_wait(keyed, key, group) for key in group] for group in groups]
    found.gaps, found.lengths = [[] for _ in range(len(groups) + 1)], [[] for _ in groups]
    for (duration, _), one in zip(requests, keyed, strict=True):
        end = 0
        for number, group in enumerate(groups):
            there = [one[key] for key in group if key in one]
            if there:
                first, last = min(event.start for event in there), max(event.end for event in there)
                found.gaps[number].append(max(first - end, 0))
                found.lengths[number].append(last - first)
                end = max(end, last)
        found.gaps[-1].append(max(duration - end, 0))
    return found


def _keyed(events: Sequence[Event]) -> dict[Key, Event]:
    """Events by name, and by which of that name in the request."""
    counted: dict[str, int] = defaultdict(int)
    found = {}
    for event in events:
        name = f"{event.target[0]}.{event.name}" if event.target else event.name
        found[name, counted[name]] = event
        counted[name] += 1
    return found


def _overlap(requests: Sequence[dict[Key, Event]], one: Key, other: Key) -> bool:
    """Whether two things are waited for at once in at least half of the requests that wait for both."""
    both = [(request[one], request[other]) for request in requests if one in request and other in request]
    return bool(both) and 2 * sum(a.start < b.end and b.start < a.end for a, b in both) >= len(both)


def _wait(requests: Sequence[dict[Key, Event]], key: Key, group: Sequence[Key]) -> Wait:
    """One thing that is waited for."""
    events = [(request[key], min(request[other].start for other in group if other in request)) for request in requests if key in request]
    first = events[0][0]
    return Wait(
        first.name, first.target, len(events) / len(requests), [event.start - begin for event, begin in events],
        [event.way if event.target else max(event.end - event.start, 0) for event, _ in events],
    )


def _uncircled(operations: dict[Name, Operation]) -> None:
    """Makes time outside of calls that would close a circle."""
    done: dict[Name, bool] = {}
    for name in operations:
        line: list[tuple[Name, Iterator[Wait]]] = [(name, _calls(operations[name]))] if name not in done else []
        if line:
            done[name] = False
        while line:
            at, waits = line[-1]
            wait = next(waits, None)
            if wait is None:
                done[at] = True
                line.pop()
            elif wait.target is not None and done.get(wait.target) is False:
                callee = operations[wait.target].durations
                wait.times = [way + round(mean(callee)) for way in wait.times]
                wait.target = None
            elif wait.target is not None and wait.target not in done and wait.target in operations:
                done[wait.target] = False
                line.append((wait.target, _calls(operations[wait.target])))


def _calls(operation: Operation) -> Iterator[Wait]:
    """The calls of an operation."""
    return (wait for group in operation.groups for wait in group if wait.target is not None)

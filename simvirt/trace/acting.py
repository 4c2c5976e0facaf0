"""What acts on the system, on tracks: events of services and hosts, replicas wanted and ready, lives of instances, moves of VMs.

*Model*: written at the end of a trace, from the records that the control plane keeps anyway; what begins before the trace or ends after
    it is cut. A life is a slice of the track of its row, in which instances of a service follow one another; inside it are the states
    that it goes through, and inside its start the phases of that.
*Ignores*: phases of starts that were abandoned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from simvirt.control.cluster import Cluster
from simvirt.control.records import Life, Move, Scaled, Span, Told
from simvirt.trace.names import CONTROL, LIVES, MOVES
from simvirt.trace.writer import Track, Writer, compact

STATES: Final = {
    "start": "starting", "restart": "starting", "ready": "ready", "unhealthy": "unhealthy", "failed": "failed", "stop": "stopping",
}
"""What happens to an instance -> what it is from then on."""
TAKE_DOWN: Final = frozenset({"power", "kernel-panic"})
"""Failures after which a host is down until it has booted."""
ENDS: Final = frozenset({"stopped", "killed", "lost"})
"""What happens to an instance that is no more."""


@dataclass(frozen=True, slots=True)
class State:
    """What an instance is from an instant up to another one [ns], after what was told of it; nothing was of one that was there."""

    since: int
    until: int
    name: str
    told: Told | None = None


def write_acting(cluster: Cluster, writer: Writer, first: int, last: int) -> None:
    """Write all that happened from an instant up to another one [ns]."""
    written = Acting(cluster, writer, first, last)
    written.events()
    written.levels()
    written.lives()
    written.moves()


@dataclass(frozen=True)
class Acting:
    """The records of a cluster, as far as they lie in a trace, from an instant up to another one [ns]."""

    cluster: Cluster
    writer: Writer
    first: int
    last: int

    def slice(self, track: Track, since: int, until: int, name: str, category: str, args: Mapping[str, Any]) -> None:
        """Something that lasts, as far as it lies in the trace."""
        since, until = max(since, self.first), min(until, self.last)
        if until > since:
            self.writer.slice(self.writer.place(track), since, until, name, category, compact(args) if args else "")

    # --- services and hosts --------------------------------------------------------------------------------------------

    def events(self) -> None:
        """Each event as an instant on the track of its service, its host, or of what else it is about; hosts that are down as slices."""
        numbers = {name: number for number, name in enumerate([*self.cluster.scenario.services, *self._hosts()], 1)}
        for host, since, until in self._down():
            self.slice(Track(CONTROL, numbers[host], host), since, until, "down", "state", {})
        saw = {(one.at, one.service): _seen(one) for one in self.cluster.scaled}
        for told in self.cluster.story.events:
            if self.first <= told.at <= self.last:
                about = self._about(told, numbers)
                place = self.writer.place(Track(CONTROL, numbers.setdefault(about, len(numbers) + 1), about))
                more = saw.get((told.at, told.who), {}) if told.what == "scale" else {}
                self.writer.instant(place, told.at, _sentence(told, about), _known({"where": told.where, "why": told.why} | more))

    def _hosts(self) -> list[str]:
        """The names of all hosts, in their order."""
        return [host.site.named.name for host in self.cluster.plane.lowered.arrangement.hosts]

    def _down(self) -> Iterator[tuple[str, int, int]]:
        """Hosts that are down, from when until when [ns]."""
        since: dict[str, int] = {}
        hosts = set(self._hosts())
        for told in self.cluster.story.events:
            if told.who in hosts and told.what in TAKE_DOWN:
                since.setdefault(told.who, told.at)
            elif told.what == "up" and told.who in since:
                yield told.who, since.pop(told.who), told.at
        yield from ((host, at, self.last) for host, at in since.items())

    def _about(self, told: Told, numbers: Mapping[str, int]) -> str:
        """The service of an instance, or what an event is about."""
        if told.row is not None:
            return self.cluster.instance(told.row).service
        service, _, number = told.who.rpartition("-")
        return service if told.who not in numbers and service in self.cluster.scenario.services and number.isdigit() else told.who

    def levels(self) -> None:
        """How many replicas of each service are wanted and ready, from the beginning of the trace on."""
        if self.cluster.orchestration is None:
            return
        for service, course in self.cluster.steps.courses().items():
            levels = course.levels
            begun = [level for level in levels if level.at <= self.first][-1:]
            for level in [*begun, *(level for level in levels if self.first < level.at <= self.last)]:
                values = {"wanted": level.wanted, "ready": level.ready}
                self.writer.counter(CONTROL, f"replicas of {service}", max(level.at, self.first), values)

    # --- instances -----------------------------------------------------------------------------------------------------

    def lives(self) -> None:
        """Each instance of a service, from its start to its end."""
        told, starts = self._told(), self._starts()
        for one in self.cluster.plane.lowered.arrangement.instances:
            if one.service in self.cluster.scenario.services:
                states = self._states(told.get(one.row, []), one.row)
                for life in _lives(states):
                    self._write(Track(LIVES, one.row + 1, f"{one.service} {one.replica}"), life, starts.get(one.row, []))

    def _told(self) -> dict[int, list[Told]]:
        """What was told of each row; where nothing orchestrates, what is known of starts and failures."""
        found: dict[int, list[Told]] = {}
        for told in self.cluster.story.events if self.cluster.orchestration is not None else self._known_without():
            if told.row is not None:
                found.setdefault(told.row, []).append(told)
        return found

    def _known_without(self) -> list[Told]:
        """Starts and failures of instances that nothing orchestrates, in order."""
        name = self.cluster.name_of
        found = [Told(life.asked, "start", life.name, name(life.host), None, life.instance) for life in self.cluster.lives]
        ready = [life for life in self.cluster.lives if life.ready is not None]
        found += [Told(life.ready or 0, "ready", life.name, name(life.host), None, life.instance) for life in ready]
        for outage in self.cluster.outages:
            found += [Told(outage.at, "failed", who, None, outage.how, row) for row, who in zip(outage.rows, outage.names, strict=True)]
        return sorted(found, key=lambda told: told.at)

    def _starts(self) -> dict[int, list[Life]]:
        """The starts of each row, in order."""
        found: dict[int, list[Life]] = {}
        for life in self.cluster.lives:
            found.setdefault(life.instance, []).append(life)
        return found

    def _states(self, told: Sequence[Told], row: int) -> list[State]:
        """What the instances of a row were, one state after the other; between an end and the next start there is none."""
        states, since, name, why = list[State](), 0, "ready" if self._was_there(told, row) else None, None
        for one in told:
            if name is not None:
                states.append(State(since, one.at, name, why))
            after = STATES.get(one.what)
            name = None if one.what in ENDS or (one.what == name == "failed") else after
            since, why = one.at, one
        return states if name is None else [*states, State(since, self.last, name, why)]

    def _was_there(self, told: Sequence[Told], row: int) -> bool:
        """Whether an instance of a row was up from the beginning."""
        return told[0].what not in ("start", "ready") if told else self.cluster.is_made(row)

    def _write(self, track: Track, states: Sequence[State], starts: Sequence[Life]) -> None:
        """The life of an instance, and what it consists of."""
        begun = next((state.told for state in states if state.told is not None), None)
        self.slice(track, states[0].since, states[-1].until, begun.who if begun is not None else track.name.replace(" ", "-"), "life",
                   _known({"host": begun.where if begun is not None else None}))
        for state in states:
            why = state.told.why if state.told is not None else None
            self.slice(track, state.since, state.until, state.name, "state", _known({"why": why}))
            if state.name == "starting":
                for span in (span for life in starts if state.since <= life.asked < state.until for span in life.spans):
                    self._write_phase(track, span, state.until)

    def _write_phase(self, track: Track, span: Span, until: int) -> None:
        """A phase of a start, and the wait before it."""
        until = min(span.ended, until)
        self.slice(track, span.due, until, span.phase, "phase", {"layer": span.layer})
        if span.began < span.ended:
            self.slice(track, span.due, min(span.began, until), "waits", "phase", {})

    # --- moves ---------------------------------------------------------------------------------------------------------

    def moves(self) -> None:
        """Each move of a VM, on a track of its instance."""
        numbers: dict[str, int] = {}
        for move in sorted(self.cluster.moves, key=lambda move: move.asked):
            who = f"{move.service}-{move.replica}"
            track = Track(MOVES, numbers.setdefault(who, len(numbers) + 1), who)
            name = self.cluster.name_of
            args = {"how": move.how, "from": name(move.source), "sent bytes": round(move.sent), "why": move.why or None}
            self.slice(track, move.asked, _end_of(move, self.last), f"moves to {name(move.to)}", "move", _known(args))
            for part, since, until in _parts(move, self.last):
                self.slice(track, since, until, part, "state", {})


def _lives(states: Sequence[State]) -> Iterator[list[State]]:
    """The states of one instance after the other: a start begins the next one."""
    found: list[State] = []
    for state in states:
        if found and state.told is not None and state.told.what == "start":
            yield found
            found = []
        found.append(state)
    if found:
        yield found


def _end_of(move: Move, last: int) -> int:
    """When a move was over, or given up [ns]."""
    return next((at for at in (move.ended, move.left) if at is not None), last)


def _parts(move: Move, last: int) -> Iterator[tuple[str, int, int]]:
    """What a move consists of, as far as it came."""
    end = _end_of(move, last)
    marks = [move.began, move.stopped, move.resumed, move.ended]
    for name, since, until in zip(("copies", "stands still", "fetches the rest"), marks[:-1], marks[1:], strict=True):
        if since is not None:
            yield name, since, end if until is None else until


def _sentence(told: Told, about: str) -> str:
    """What happened, as the name of an instant: to whom, unless the track says that."""
    return told.what if told.who == about else f"{told.who} {told.what}"


def _seen(change: Scaled) -> dict[str, Any]:
    """What an autoscaler saw, for a change of what is wanted."""
    found = {"before": change.before, "after": change.after}
    if (saw := change.saw) is None:
        return found
    seen = {"usage": round(saw.usage, 4), "window_s": saw.window_s, "age_s": round(saw.age_s, 3), "asked": saw.asked}
    return found | seen | _known({"limited by": saw.limited_by})


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of some values."""
    return {name: value for name, value in values.items() if value is not None}

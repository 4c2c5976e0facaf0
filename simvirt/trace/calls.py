"""Calls in progress, on the tracks of the threads that have them and on the lanes of requests; flows from caller to callee."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from simvirt.kernel import constants as k
from simvirt.trace.names import REQUESTS, Names
from simvirt.trace.writer import Place, Track, Writer

STATES: Final = {
    k.QUEUE: "queue", k.RUN_QUEUE: "run queue", k.THROTTLED: "throttled", k.STEAL: "steal", k.CPU: "running", k.DISK: "disk",
    k.NETWORK: "network", k.DELAY: "delay", k.LOCK: "lock", k.WAITING: "waits for calls", k.SPINNING: "spins",
}
OUTCOMES: Final = {
    0: "answered", k.REJECTED: "rejected", k.LOST: "lost", k.TIMED_OUT: "timed out", k.BREAKER_OPEN: "breaker open",
    k.POOL_FULL: "no connection", k.SHED: "shed", k.CANCELLED: "cancelled",
}
ALONE: Final = (k.BACKGROUND, k.WORK)
"""Kinds of frames that have a thread to themselves: their states are slices by themselves, and their sleep is none."""
Segment = tuple[int, int, int]  # since, until [ns], state


@dataclass(slots=True)
class Call:
    """A frame: what is known of it, what it waits for since when, and what is not written of it yet."""

    row: int
    kind: int
    instance: int
    parent: int = k.NONE
    caller: Call | None = None
    began: int = 0
    name: str = ""
    number: int = 0  # of a request
    state: int = k.NONE
    since: int = 0
    thread: int = k.NONE
    taken_at: int = 0
    threads: int = 0  # how often it got one
    left: tuple[int, int, int] | None = None  # thread that it had last, since when, until when
    arrow: int = k.NONE  # instant at which its first thread took it, until a flow to there is drawn
    on_thread: list[Segment] = field(default_factory=list)
    on_lane: list[Segment] = field(default_factory=list)

    @property
    def request(self) -> int:
        """Number of the request that it is a part of, 0 where it is of none."""
        call = self
        while call.caller is not None:
            call = call.caller
        return call.number


class Calls:
    """All calls in progress of a run whose trace begins at an instant [ns]."""

    def __init__(self, names: Names, writer: Writer, first: int) -> None:
        self.names, self.writer, self.first = names, writer, first
        self.under_way: dict[int, Call] = {}
        self.fresh: list[Call] = []
        self.requests = 0
        self.held = 0  # slices that are known and not written yet

    def begin(self, row: int, kind: int, instance: int) -> None:
        """A frame begins."""
        call = self.under_way[row] = Call(row, kind, instance)
        self.fresh.append(call)
        if kind == k.REQUEST:
            self.requests += 1
            call.number = self.requests

    def origin(self, row: int, parent: int, began: int) -> None:
        """Which frame has called it, and when [ns]."""
        call = self.under_way[row]
        call.parent, call.began = parent, began

    def settle(self) -> None:
        """An instant is over: all frames that began in it are there, in whatever order they came, and so are their callers."""
        for call in self.fresh:
            call.caller = self.under_way.get(call.parent)
        self.fresh.clear()

    def place(self, row: int, pc: int, category: int) -> None:
        """What it is to do."""
        call = self.under_way[row]
        call.name = self.names.call(call.kind, call.instance, pc, category)

    def enter(self, row: int, at: int, state: int, thread: int) -> None:
        """It waits for something else, or has another thread."""
        call = self.under_way[row]
        self._end_state(call, at)
        call.state, call.since = state, at
        if thread == call.thread:
            return
        self._leave_thread(call, at)
        call.thread, call.taken_at = thread, at
        if thread != k.NONE:
            call.threads += 1
            call.arrow = at if call.threads == 1 and self.first <= call.began <= at else k.NONE

    def end(self, row: int, at: int, reason: int) -> None:
        """It is over."""
        call = self.under_way.pop(row)
        self._close(call, at)
        if call.kind == k.REQUEST:
            self._write_lane(call, at, OUTCOMES.get(reason))

    def cut(self, at: int) -> None:
        """The trace ends: all that is known is written."""
        for call in self.under_way.values():
            self._close(call, at)
            if call.kind == k.REQUEST:
                self._write_lane(call, at, None)
        self.under_way.clear()

    def open_slices(self) -> int:
        """Slices that a cut would write at most."""
        return self.held + 5 * len(self.under_way)

    def _close(self, call: Call, at: int) -> None:
        self._end_state(call, at)
        self._leave_thread(call, at)

    def _end_state(self, call: Call, at: int) -> None:
        """The time since the last change is a slice, of the thread or of the request's lane."""
        if call.state == k.NONE or at <= call.since:
            return
        if call.thread != k.NONE and call.kind in ALONE:
            if call.state != k.DELAY:
                self._write(self._of_thread(call.thread), (call.since, at, call.state), "")
        elif call.thread != k.NONE:
            call.on_thread.append((call.since, at, call.state))
            self.held += 1
        elif call.kind == k.REQUEST:
            call.on_lane.append((call.since, at, call.state))
            self.held += 1

    def _leave_thread(self, call: Call, at: int) -> None:
        """What it did on its thread is written, the whole before its parts."""
        if call.thread == k.NONE:
            return
        if call.kind not in ALONE and at > call.taken_at:
            place = self._of_thread(call.thread)
            self.writer.slice(place, call.taken_at, at, call.name, "call", f'{{"request":{call.request}}}' if call.request else "")
            self._write_parts(place, call.on_thread)
            self._draw_arrow(call, place)
        if at > call.taken_at:
            call.left = call.thread, call.taken_at, at
        call.thread = k.NONE

    def _write_lane(self, call: Call, at: int, outcome: str | None) -> None:
        """A request from its arrival, or the beginning of the trace, to its answer."""
        since = max(call.began, self.first)
        if at > since:
            whole = [f'"outcome":"{outcome}"'] if outcome else []
            whole += [f'"latency_us":{(at - call.began) / 1e3}'] if outcome == "answered" else []
            place = self.writer.place(self._lane(call))
            self.writer.slice(place, since, at, call.name, "request", "{" + ",".join([f'"request":{call.request}', *whole]) + "}")
            self._write_parts(place, call.on_lane)

    def _write_parts(self, place: Place, parts: list[Segment]) -> None:
        for part in parts:
            self._write(place, part, "")
        self.held -= len(parts)
        parts.clear()

    def _write(self, place: Place, part: Segment, args: str) -> None:
        since, until, state = part
        self.writer.slice(place, since, until, STATES[state], "state", args)

    def _of_thread(self, entity: int) -> Place:
        return self.writer.place(self.names.thread(entity))

    def _lane(self, call: Call) -> Track:
        return Track(REQUESTS, call.row + 1, f"lane {call.row + 1}")

    def _draw_arrow(self, call: Call, place: Place) -> None:
        """A flow to the thread that took a call, from who called it; there is none of what was called before the trace."""
        if call.arrow != k.NONE and (source := self._source(call)) is not None:
            self.writer.flow(*source, place, call.arrow, call.name)
        call.arrow = k.NONE

    def _source(self, call: Call) -> tuple[Place, int] | None:
        """Track and instant of a call: where its caller stood, or the caller of that, which has no thread yet; the lane of a request."""
        caller: Call | None = call if call.kind == k.REQUEST else call.caller
        while caller is not None:
            if caller is not call and caller.thread != k.NONE and caller.taken_at <= call.began:
                return self._of_thread(caller.thread), call.began
            if caller is not call and caller.left is not None and caller.left[1] <= call.began:
                thread, _, until = caller.left
                return self._of_thread(thread), min(call.began, until - 1)
            if caller.kind == k.REQUEST:
                return self.writer.place(self._lane(caller)), max(call.began, self.first)
            caller = caller.caller
        return None

"""What looks have recorded, as slices and counters: a state lasts until the next record of the same thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from simvirt.kernel import constants as k
from simvirt.trace.calls import Calls
from simvirt.trace.names import DEVICES, PCPUS, REQUESTS, Names
from simvirt.trace.writer import MOST_BYTES, MOST_EVENTS, Writer

PCPU_STATES: Final = {k.CPU_WAKES: "leaves idle state", k.CPU_POLLS: "polls for a vCPU"}
VCPU_STATES: Final = {
    k.CPU_IDLE: "halted", k.CPU_WAKES: "wakes pCPU", k.CPU_WAITS: "steal", k.CPU_STOPPED: "throttled", k.CPU_HELD: "co-stop",
}
RUNNING: Final = "running"


@dataclass(slots=True)
class Held:
    """The state of a CPU, and since when."""

    since: int
    state: int
    value: int


class Timeline:
    """Turns records into events, until there are as many as a trace may have; `ended` is the instant of that, or of its end [ns]."""

    def __init__(self, names: Names, writer: Writer, first: int, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        self.names, self.writer, self.first = names, writer, first
        self.most_events, self.most_bytes = most_events, most_bytes
        self.calls = Calls(names, writer, first)
        self.cpus: dict[int, Held] = {}
        self.ended: int | None = None
        self.full = False
        calls = self.calls
        self.take_one: dict[int, Callable[[int, int, int, int], None]] = {
            k.SEEN_PCPU: self._cpu,
            k.SEEN_VCPU: self._cpu,
            k.SEEN_CALL: lambda at, row, kind, instance: calls.begin(row, kind, instance),
            k.SEEN_ORIGIN: lambda at, row, parent, began: calls.origin(row, parent, began),
            k.SEEN_PLACE: lambda at, row, pc, category: calls.place(row, pc, category),
            k.SEEN_STATE: lambda at, row, state, thread: calls.enter(row, at, state, thread),
            k.SEEN_END: lambda at, row, reason, _: calls.end(row, at, reason),
            k.SEEN_QUEUE: self._queue,
            k.SEEN_DISK: self._disk,
            k.SEEN_LINK: self._link,
            k.SEEN_SYSTEM: lambda at, row, count, _: writer.counter(REQUESTS, "in the system", at, {"requests": count}),
            k.SEEN_SHARES: lambda at, row, share, _: writer.counter(PCPUS, names.shared(row), at, {"busy": share / 1e9}),
        }

    def take(self, records: Iterable[Sequence[int]]) -> None:
        """The next records, in the order of their instants; those beyond what a trace may hold are left out."""
        last = self.first
        for at, what, row, state, value in records:
            at = max(at, self.first)
            if at > last:
                self.calls.settle()
                if self._is_full():
                    self.full = True
                    return self.end(last)
                last = at
            self.take_one[what](at, row, state, value)

    def _is_full(self) -> bool:
        """Whether the slices that are open fill the rest."""
        reserved = self.calls.open_slices() + 5 * len(self.cpus)
        return self.writer.events + reserved >= self.most_events or self.writer.size >= self.most_bytes

    def end(self, at: int) -> None:
        """The trace ends: what lasts, lasts up to then."""
        if self.ended is not None:
            return
        self.ended = at
        self.calls.settle()
        for c, held in self.cpus.items():
            self._write_cpu(c, held, at)
        self.cpus.clear()
        self.calls.cut(at)

    def _cpu(self, at: int, c: int, state: int, value: int) -> None:
        held = self.cpus.get(c)
        if held is not None:
            self._write_cpu(c, held, at)
        self.cpus[c] = Held(at, state, value)

    def _write_cpu(self, c: int, held: Held, until: int) -> None:
        """What a CPU did up to an instant; a pCPU that is idle has no slice."""
        track = self.names.cpu(c)
        if held.state == k.CPU_POLLS:
            until = min(until, held.value)
        if until <= held.since or (track.process == PCPUS and held.state == k.CPU_IDLE):
            return
        place = self.writer.place(track)
        if held.state == k.CPU_RUNS:
            what, who = self.names.runs(held.value)
            self.writer.slice(place, held.since, until, what, RUNNING, f'{{"runs":"{who}"}}')
        else:
            state = (PCPU_STATES if track.process == PCPUS else VCPU_STATES)[held.state]
            self.writer.slice(place, held.since, until, state, "state")

    def _queue(self, at: int, instance: int, waiting: int, in_flight: int) -> None:
        process = self.names.first_instance + instance
        self.writer.counter(process, "calls", at, {"in service": max(in_flight - waiting, 0), "waiting": waiting})

    def _disk(self, at: int, d: int, served: int, waiting: int) -> None:
        self.writer.counter(DEVICES, self.names.device(d, "disk"), at, {"in service": served, "waiting": waiting})

    def _link(self, at: int, row: int, count: int, _: int) -> None:
        self.writer.counter(DEVICES, self.names.link(row), at, {"transfers": count})

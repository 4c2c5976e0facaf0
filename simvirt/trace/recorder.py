"""Traces a part of a run: in its window the data plane goes on one instant at a time, with a look after each.

*Model*: the recorder stands between the data plane and the kernel's `advance`. Before its window and after it, it passes on what is
    asked; in it, it asks for `advance_traced`, which carries out the same events. It has no events of its own, so that neither the
    control plane nor the kernel knows of it.
*Ignores*: frames in rows beyond `MOST_FRAMES`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from simvirt import kernel
from simvirt.control.cluster import Cluster
from simvirt.errors import UsageError
from simvirt.kernel import constants as k
from simvirt.kernel import tables as t
from simvirt.lowering.rows import Columns, blank, fill
from simvirt.plane import DataPlane
from simvirt.trace.acting import write_acting
from simvirt.trace.memory import MemoryEvents
from simvirt.trace.names import Names
from simvirt.trace.timeline import Timeline
from simvirt.trace.window import Window, in_words
from simvirt.trace.writer import Writer
from simvirt.version import __version__

MOST_FRAMES: Final = 10_000
"""Calls that are looked at: more lines than that no viewer shows."""
RECORDS: Final = 65_536
"""Records that are kept before they become events, beside those of one look."""
OF_A_FRAME: Final = 5
"""Records that a look makes of one row of frames at most."""


@dataclass(frozen=True, slots=True)
class Traced:
    """What became of a trace: its window, the instant at which it ended [ns], events and bytes of the file, and what it lacks."""

    window: Window
    ended: int | None
    events: int = 0
    size: int = 0
    lacks: tuple[str, ...] = ()
    too_late: bool = False
    """Whether the run ended before the window began."""

    @property
    def written(self) -> bool:
        """Whether there is a file."""
        return self.ended is not None

    def sentence(self) -> str:
        """What was written, how large it is, and what it lacks."""
        if self.ended is None:
            return f"no trace: {'; '.join(self.lacks)}"
        part = f"{self.window.platform} from {in_words(self.window.first)} to {in_words(self.ended)}"
        return "; ".join([f"{self.window.file}: trace of {part}: {amount(self.events, self.size)}", *self.lacks])


def amount(events: int, size: int) -> str:
    """Events and bytes of a trace in words."""
    return f"{events:,} events, {size / 1e6:.{1 if size >= 1e6 else 2}f} MB"


class Recorder:
    """The trace of one replication, whose events go through `advance`."""

    def __init__(self, plane: DataPlane, window: Window, file: Path, **caps: int) -> None:
        self.plane, self.window = plane, window
        self.names = Names(plane)
        self.writer = Writer(file, self.names.process, window.file.name.endswith(".gz"))
        self.timeline = Timeline(self.names, self.writer, window.first, **caps)
        self.memory = MemoryEvents(self.writer)
        self.begun = self.over = False
        self.left_out = 0
        self.failed: OSError | None = None

    def advance(self, tables: Any, until: int) -> int:
        """Carry out all events before `until` [ns], with looks in the window; why it came back."""
        if not self.begun and not self.over:
            reason: int = kernel.advance(tables, min(until, self.window.first))
            if reason != k.NOTHING or until <= self.window.first:
                return reason
            self._begin()
        while self.begun and not self.over:
            self.memory.look(self.plane, self.window.first)
            reason = kernel.advance_traced(tables, min(until, self.window.last))
            if reason == k.TRACE_FULL:
                self._drain()
            elif reason == k.NOTHING and until >= self.window.last:
                self.finish(self.window.last)
            else:
                return reason
        went: int = kernel.advance(tables, until)
        return went

    def _begin(self) -> None:
        """The window begins: everything is to be seen at the first look."""
        self.begun = True
        self.plane.replace("trace", trace_table(self.plane))

    def finish(self, at: int) -> None:
        """The window, or the run, ends at an instant [ns]."""
        if not self.window.detail:
            self.begun = self.over = at > self.window.first
        if self.begun and not self.over:
            self._drain()
            self.over = True
        if self.begun and self.failed is None:
            try:
                self.timeline.end(min(at, self.window.last))
            except OSError as error:
                self.failed = error

    def add_acting(self, cluster: Cluster) -> None:
        """What acted on the system belongs to the trace, as far as it reaches."""
        if self.begun and self.failed is None and self.timeline.ended is not None:
            try:
                write_acting(cluster, self.writer, self.window.first, self.timeline.ended)
            except OSError as error:
                self.failed = error

    def _drain(self) -> None:
        """What has been recorded becomes events; where there are enough of them, the trace is over."""
        trace = self.plane.columns["trace"]
        count = int(trace["count"][0])
        records = np.asarray(trace["records"][: count * k.RECORD_COLUMNS]).reshape(-1, k.RECORD_COLUMNS)
        trace["count"][0] = 0
        taken = int(self.plane.columns["run"]["frames"][0]) - int(self.plane.columns["run"]["free_frames"][0])
        self.left_out = max(self.left_out, taken - MOST_FRAMES)
        try:
            self.timeline.take(records.tolist())
        except OSError as error:
            self.failed = error
        self.over = self.timeline.full or self.failed is not None

    def kept(self) -> Traced:
        """The file, with its end and its name; OSError where it could not be written."""
        if self.failed is not None:
            raise self.failed
        lacks, ended = self.lacks(), self.timeline.ended or self.window.first
        self.writer.end({
            "simvirt": __version__, "scenario": self.plane.lowered.scenario.name, "platform": self.window.platform,
            "from_s": self.window.first / 1e9, "to_s": ended / 1e9, "left_out": "; ".join(lacks),
        })
        size = self.writer.file.stat().st_size
        os.replace(self.writer.file, self.window.file)
        return Traced(self.window, ended, self.writer.events, size, lacks)

    def lacks(self) -> tuple[str, ...]:
        """What the trace was to have and has not."""
        found, ended = [], self.timeline.ended or 0
        if self.timeline.full:
            left = in_words(self.window.last - ended)
            most = f"{self.timeline.most_events:,} events or {self.timeline.most_bytes / 1e6:.0f} MB"
            found.append(f"left out: the last {left}, beyond {most}")
        if self.left_out > 0:
            found.append(f"left out: up to {self.left_out:,} calls at a time, beyond {MOST_FRAMES:,}")
        return tuple(found)


def trace_table(plane: DataPlane) -> Columns:
    """The table of a trace before its first look: nothing is as it was, so that everything is recorded."""
    rows = {name: len(plane.read(name, column)) for name, column in (
        ("cpus", "current"), ("instances", "service"), ("disks", "channels"), ("links", "transfers"), ("machines", "host"))}
    room = 1 + sum(rows.values()) + OF_A_FRAME * MOST_FRAMES
    lengths = dict.fromkeys(("cpu_state", "cpu_value"), rows["cpus"]) | dict.fromkeys(("began", "state", "thread"), MOST_FRAMES)
    lengths |= dict.fromkeys(("waiting", "in_flight"), rows["instances"]) | {"transfers": rows["links"], "shares": rows["machines"]}
    lengths |= dict.fromkeys(("at_disk", "at_disk_before", "served"), rows["disks"])
    table = blank(t.Trace, rows=1, records=(room + RECORDS) * k.RECORD_COLUMNS, **lengths)
    for name in (*lengths, "in_system"):
        table[name][:] = k.NONE if name != "at_disk" else 0
    return fill(
        table, room=[room], capacity=[room + RECORDS], most_frames=[MOST_FRAMES], instances=[rows["instances"]], disks=[rows["disks"]])


@contextmanager
def traced(plane: DataPlane, window: Window | None) -> Iterator[Recorder | None]:
    """Trace a window of what a data plane does in a block; the file is there once the block has ended well."""
    if window is None:
        yield None
        return
    draft = window.file.with_name(window.file.name + ".part")
    try:
        recorder = Recorder(plane, window, draft)
    except OSError as error:
        raise UsageError(f"{draft} cannot be written: {error.strerror or error}") from None
    if window.detail:
        plane.advance = recorder.advance
    try:
        yield recorder
    except BaseException:
        recorder.writer.discard()
        raise


def completed(recorder: Recorder, at: int, cluster: Cluster | None = None) -> Traced:
    """The trace of a run that has ended at an instant [ns], with what acted in its cluster: its file takes its name."""
    recorder.finish(at)
    if cluster is not None:
        recorder.add_acting(cluster)
    window = recorder.window
    if not recorder.begun:
        recorder.writer.discard()
        why = f"the run ended at {in_words(at)}, before {in_words(window.first)}"
        return Traced(window, None, lacks=(why,), too_late=True)
    try:
        return recorder.kept()
    except OSError as error:
        recorder.writer.discard()
        return Traced(window, None, lacks=(f"{window.file} cannot be written: {error.strerror or error}",))

"""A reader of traces: Chrome's trace-event format, as far as simvirt writes it, with all that it demands."""

from __future__ import annotations

import gzip
import json
from bisect import bisect_right
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

PHASES = {"X": {"dur"}, "C": {"args"}, "s": {"id"}, "f": {"id", "bp"}, "i": {"s"}, "M": {"args"}}
"""Kind of event -> keys that it has beside those of all."""
NAMED = {"process_name", "process_sort_index", "thread_name", "thread_sort_index"}
Track = tuple[int, int]


@dataclass(frozen=True)
class Slice:
    """A complete event; times in ns."""

    track: Track
    since: int
    until: int
    name: str
    category: str
    args: dict[str, Any]

    @property
    def length(self) -> int:
        return self.until - self.since


@dataclass
class TraceFile:
    """What a trace holds, by process and track."""

    other: dict[str, Any]
    events: int
    slices: dict[Track, list[Slice]] = field(default_factory=dict)
    counters: dict[tuple[int, str], list[tuple[int, dict[str, float]]]] = field(default_factory=dict)
    flows: list[tuple[Track, int, Track, int]] = field(default_factory=list)  # from, at [ns], to, at [ns]
    instants: list[tuple[Track, int, str, dict[str, Any]]] = field(default_factory=list)
    processes: dict[int, str] = field(default_factory=dict)
    tracks: dict[Track, str] = field(default_factory=dict)

    def of(self, process: str) -> list[Slice]:
        """The slices of all tracks of the processes that have a name in their own."""
        return [s for track, found in self.slices.items() if process in self.processes[track[0]] for s in found]

    def total(self, process: str, *names: str, category: str | None = None) -> int:
        """Time of slices of these names, or of a category [ns]."""
        return sum(s.length for s in self.of(process) if s.name in names or s.category == category)


def ns(time: Any) -> int:
    """Microseconds with three decimals as the whole ns that they are."""
    found = Decimal(time) * 1000
    assert found == int(found), time
    return int(found)


def read_trace(file: Path) -> TraceFile:
    """A trace that keeps all rules of the format; AssertionError otherwise."""
    text = gzip.decompress(file.read_bytes()) if file.name.endswith(".gz") else file.read_bytes()
    document = json.loads(text, parse_float=Decimal)
    assert set(document) == {"displayTimeUnit", "traceEvents", "otherData"} and document["displayTimeUnit"] == "ns"
    trace = TraceFile(document["otherData"], len(document["traceEvents"]))
    flows: dict[str, dict[int, tuple[Track, int]]] = {"s": {}, "f": {}}
    for event in document["traceEvents"]:
        _take(trace, event, flows)
    assert flows["s"].keys() == flows["f"].keys(), "a flow without its other end"
    trace.flows = [(*flows["s"][key], *flows["f"][key]) for key in flows["s"]]
    _check_nesting(trace)
    _check_flows(trace)
    return trace


def _take(trace: TraceFile, event: dict[str, Any], flows: dict[str, dict[int, tuple[Track, int]]]) -> None:
    """One event: its keys are there, its track has a name, its time is not before that of the last one of its track."""
    kind, track = event["ph"], (event["pid"], event["tid"])
    assert kind in PHASES and PHASES[kind] <= event.keys() and isinstance(event["name"], str), event
    assert all(isinstance(number, int) and number >= 0 for number in track)
    if kind == "M":
        _name(trace, event, track)
        return
    at = ns(event["ts"])
    assert track[0] in trace.processes, event
    assert Decimal(trace.other["from_s"]) * 10**9 <= at <= Decimal(trace.other["to_s"]) * 10**9, event
    if kind == "C":
        line = trace.counters.setdefault((track[0], event["name"]), [])
        assert not line or at >= line[-1][0]
        assert event["args"] and all(isinstance(value, (int, Decimal)) and value >= 0 for value in event["args"].values()), event
        line.append((at, {name: float(value) for name, value in event["args"].items()}))
        return
    assert track in trace.tracks, event
    if kind == "X":
        length = ns(event["dur"])
        assert length > 0, event
        line = trace.slices.setdefault(track, [])
        assert not line or at >= line[-1].since, (event, line[-1])
        assert at + length <= Decimal(trace.other["to_s"]) * 10**9
        line.append(Slice(track, at, at + length, event["name"], event["cat"], event.get("args", {})))
    elif kind == "i":
        trace.instants.append((track, at, event["name"], event["args"]))
    else:
        assert event["id"] not in flows[kind] and (kind == "s" or event["bp"] == "e")
        flows[kind][event["id"]] = track, at


def _name(trace: TraceFile, event: dict[str, Any], track: Track) -> None:
    """Metadata comes once for each process and track."""
    assert event["name"] in NAMED
    if event["name"] == "process_name":
        assert track[0] not in trace.processes
        trace.processes[track[0]] = event["args"]["name"]
    elif event["name"] == "thread_name":
        assert track not in trace.tracks
        trace.tracks[track] = event["args"]["name"]
    else:
        assert isinstance(event["args"]["sort_index"], int)


def _check_nesting(trace: TraceFile) -> None:
    """Slices of a track lie within each other or beside each other; one that begins with another comes after it in the file."""
    for line in trace.slices.values():
        open_ones: list[Slice] = []
        for s in line:
            while open_ones and open_ones[-1].until <= s.since:
                open_ones.pop()
            assert not open_ones or s.until <= open_ones[-1].until, (open_ones[-1], s)
            open_ones.append(s)


def _check_flows(trace: TraceFile) -> None:
    """Each end of a flow lies in a slice of its track, and the arrow does not point back."""
    outer: dict[Track, list[Slice]] = {}
    for track, line in trace.slices.items():
        whole = outer.setdefault(track, [])
        for s in line:
            if not whole or s.since >= whole[-1].until:
                whole.append(s)
    for left, at, right, came in trace.flows:
        assert at <= came
        for track, instant in ((left, at), (right, came)):
            around = outer[track][bisect_right(outer[track], instant, key=lambda s: s.since) - 1]
            assert around.since <= instant < around.until, (track, instant)

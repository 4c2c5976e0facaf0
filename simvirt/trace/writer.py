"""Events of a trace into a file: JSON of Chrome's trace-event format, one event a line, as they come.

*Model*: a slice is a complete event (`X`), a counter `C`, a call a flow from `s` to `f`, which binds to the slice around it (`bp: e`), an
    instant of a track `i`; each process and track is named by metadata (`M`) before its first event. Times are microseconds with three
    decimals, which are the nanoseconds of the simulation.
*Source*: Trace Event Format, the Chromium project, section "Event Descriptions"; read by ui.perfetto.dev and chrome://tracing.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final

LEVEL: Final = 4
"""Of compression: half the time of the default, for a tenth more bytes."""
LINES: Final = 4096
"""Events that are written at a time."""
MOST_EVENTS: Final = 1_000_000
MOST_BYTES: Final = 19_000_000
"""Of a trace: viewers take some time for more, and are silent about what they cannot read."""
Place = tuple[int, int]  # number of a process, and of a track in there


@dataclass(frozen=True, slots=True)
class Track:
    """One line of a trace: its process, its number in there, which also orders it, and its name."""

    process: int
    key: int
    name: str


def micros(ns: int) -> str:
    """Nanoseconds as microseconds, exactly."""
    return f"{ns // 1000}.{ns % 1000:03d}"


@lru_cache(4096)
def quoted(text: str) -> str:
    """A text as JSON; there are few names and many slices."""
    return json.dumps(text)


def compact(values: Mapping[str, Any]) -> str:
    """A mapping as JSON without spaces."""
    return json.dumps(values, separators=(",", ":"))


class Writer:
    """Writes events into a file, which it makes; counts them, and the bytes of the file so far."""

    def __init__(self, file: Path, process: Callable[[int], str], compressed: bool) -> None:
        self.file = file
        self.raw: BinaryIO = file.open("wb")
        self.out: Any = gzip.GzipFile("", "wb", LEVEL, self.raw, mtime=0) if compressed else self.raw
        self.process = process
        self.places: set[Place] = set()
        self.processes: set[int] = set()
        self.flows = self.events = 0
        self.lines: list[str] = []
        self.head = '{"displayTimeUnit":"ns","traceEvents":[\n'
        self._meta(0, 0, "process_name", "name", quoted("simvirt"))

    @property
    def size(self) -> int:
        """Bytes of the file so far."""
        return self.raw.tell()

    def _line(self, text: str) -> None:
        """One event more."""
        self.events += 1
        self.lines.append(text)
        if len(self.lines) >= LINES:
            self._flush()

    def _flush(self) -> None:
        if self.lines:
            text, self.head = self.head + ",\n".join(self.lines) + ",\n", ""
            self.lines.clear()
            self.out.write(text.encode())

    def _meta(self, process: int, track: int, name: str, key: str, value: str) -> None:
        self._line(f'{{"ph":"M","pid":{process},"tid":{track},"name":"{name}","args":{{"{key}":{value}}}}}')

    def place(self, track: Track) -> Place:
        """Numbers of a track; its names are written where it is new."""
        place = track.process, track.key
        if place not in self.places:
            self.places.add(place)
            self._name_process(track.process)
            self._meta(*place, "thread_name", "name", quoted(track.name))
            self._meta(*place, "thread_sort_index", "sort_index", str(track.key))
        return place

    def _name_process(self, process: int) -> None:
        if process not in self.processes:
            self.processes.add(process)
            self._meta(process, 0, "process_name", "name", quoted(self.process(process)))
            self._meta(process, 0, "process_sort_index", "sort_index", str(process))

    def slice(self, place: Place, since: int, until: int, name: str, category: str, args: str = "") -> None:
        """Something that lasts, from an instant up to another one [ns]; `args` is JSON."""
        more = f',"args":{args}' if args else ""
        self._line(
            f'{{"ph":"X","pid":{place[0]},"tid":{place[1]},"ts":{micros(since)},"dur":{micros(until - since)},"name":{quoted(name)},'
            f'"cat":"{category}"{more}}}'
        )

    def counter(self, process: int, name: str, at: int, values: Mapping[str, int | float]) -> None:
        """Levels from an instant on [ns]."""
        self._name_process(process)
        args = ",".join(f'"{key}":{value}' for key, value in values.items())
        self._line(f'{{"ph":"C","pid":{process},"tid":0,"ts":{micros(at)},"name":{quoted(name)},"args":{{{args}}}}}')

    def instant(self, place: Place, at: int, name: str, args: Mapping[str, Any]) -> None:
        """Something that happens [ns]."""
        self._line(
            f'{{"ph":"i","s":"t","pid":{place[0]},"tid":{place[1]},"ts":{micros(at)},"name":{quoted(name)},"args":{compact(args)}}}')

    def flow(self, source: Place, left: int, target: Place, came: int, name: str) -> None:
        """An arrow from the slice around an instant on a track to the slice around an instant on another [ns]."""
        self.flows += 1
        tail = f'"id":{self.flows},"name":{quoted(name)},"cat":"call"'
        self._line(f'{{"ph":"s","pid":{source[0]},"tid":{source[1]},"ts":{micros(left)},{tail}}}')
        self._line(f'{{"ph":"f","bp":"e","pid":{target[0]},"tid":{target[1]},"ts":{micros(came)},{tail}}}')

    def end(self, other: Mapping[str, Any]) -> None:
        """Write the end, with what is to be said of the whole, and close the file."""
        self._flush()
        self._meta(0, 0, "process_sort_index", "sort_index", "0")
        last = self.lines.pop()
        self.out.write(f'{last}\n],"otherData":{json.dumps(other)}}}\n'.encode())
        self.close()

    def close(self) -> None:
        """Close the file as it is."""
        try:
            if self.out is not self.raw:
                self.out.close()
        finally:
            self.raw.close()

    def discard(self) -> None:
        """Close the file, whatever comes of that, and remove it."""
        with suppress(OSError):
            self.close()
        self.file.unlink(missing_ok=True)

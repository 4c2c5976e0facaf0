"""What happens on the machine as a timeline, in Chrome's trace-event format: modes, traps, exits to the monitor, walks of page tables.

*Model.* Instants are those of the guest's clock, which is a function of its instructions: the same in every run.
*Ignores.* Where in a block an instruction stands: what happens in a block bears the count at its end, unless it leaves the block.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from simvirt.emulation.board import CLOCK
from simvirt.emulation.causes import MODES, UNITS, cause_of
from simvirt.emulation.making import Made
from simvirt.errors import UsageError
from simvirt.machine import constants as c
from simvirt.machine import log
from simvirt.trace.writer import MOST_EVENTS, Track, Writer

ROWS: Final = 1 << 16
"""Rows of the log of a machine that is traced."""
LOGGED_SLICE: Final = ROWS // log.MOST_OF_WORK
"""Instructions and traps between looks at the log: it cannot be full before."""
NS_A_TICK: Final = 1_000_000_000 // CLOCK
PROCESS: Final = 1
PARTS: Final = {"exits": {"mode", "traps", "exits"}, "walks": {"walks"}, "all": {"mode", "traps", "exits", "walks"}}
"""What `--trace-of` names -> its tracks."""
ORDER: Final = ("", "mode", "traps", "exits", "walks")
FILES: Final = (".json", ".json.gz")


class Timeline:
    """Writes what happens into a file as it happens; one that cannot be written any more is removed, and the guest goes on."""

    def __init__(self, file: Path, part: str, guest: str) -> None:
        if part not in PARTS:
            raise UsageError(f"--trace-of {part}: expected one of {', '.join(PARTS)}, for example exits")
        if not file.name.endswith(FILES):
            raise UsageError(f"--trace {file}: expected a file that ends in .json or .json.gz, for example trace.json.gz")
        self.tracks = set(PARTS[part])
        self.writer = opened(file, guest)
        self.mode, self.since = c.MACHINE, 0
        self.full = False
        self.lost = ""
        """Why there is no file."""

    @contextmanager
    def writing(self) -> Iterator[None]:
        """What is written in here is all lost where the file cannot take it."""
        try:
            yield
        except OSError as error:
            self.lost, self.tracks = error.strerror or str(error), set()
            self.writer.discard()

    def begin(self, made: Made) -> None:
        """The mode in which the guest begins."""
        self.mode = int(made.hart["mode"][0])

    def take(self, made: Made) -> None:
        """Write what has happened since the last look."""
        for kind, what, where, more, at in rows_of(made):
            self.event(kind, what, where, more, at)

    def event(self, kind: int, what: int, where: int, more: int, at: int) -> None:
        """Write one thing that has happened."""
        if kind == log.ENTERED:
            self.enter(what, at)
        elif kind == log.TRAPPED:
            mode, cause = divmod(what, 2 * c.CAUSES)
            self.instant("traps", at, cause_of(cause), {"from": MODES[mode], "pc": hexadecimal(where)})
        else:
            self.instant("walks", at, f"walk for {UNITS[what]}", {"address": hexadecimal(where), "entries": more})

    def enter(self, mode: int, at: int) -> None:
        """A mode ends, another begins."""
        if "mode" in self.tracks and not self.full:
            with self.writing():
                self.writer.slice(self.place("mode"), self.since, at, MODES[self.mode], "mode")
        self.mode, self.since = mode, at

    def left(self, made: Made, name: str) -> None:
        """The guest has left for its monitor."""
        self.instant("exits", instant_of(made, int(made.hart["count"][0]), int(made.hart["skipped"][0])), name, {})

    def instant(self, track: str, at: int, name: str, more: dict[str, Any]) -> None:
        """Write an instant, where its track is asked for and the file is not full."""
        self.full = self.full or self.writer.events >= MOST_EVENTS
        if track in self.tracks and not self.full:
            with self.writing():
                self.writer.instant(self.place(track), at, name, more)

    def place(self, track: str) -> tuple[int, int]:
        """Numbers of a track."""
        return self.writer.place(Track(PROCESS, ORDER.index(track), track))

    def end(self, made: Made) -> None:
        """Write the end."""
        self.enter(self.mode, instant_of(made, int(made.hart["count"][0]), int(made.hart["skipped"][0])))
        if not self.lost:
            with self.writing():
                self.writer.end({"guest": "emulated", "full": self.full})

    def sentence(self) -> str:
        """What has become of it, in words."""
        if self.lost:
            return f"{self.writer.file}: cannot be written: {self.lost}; there is no timeline"
        cut = f"; it ends there, at {MOST_EVENTS:,} events" if self.full else ""
        return f"{self.writer.file}: a timeline of {self.writer.events:,} events, for ui.perfetto.dev{cut}"


def opened(file: Path, guest: str) -> Writer:
    """A file for events; UsageError where it cannot be made."""
    try:
        return Writer(file, lambda process: guest, file.name.endswith(".gz"))
    except OSError as error:
        raise UsageError(f"--trace {file}: cannot be written: {error.strerror or error}") from None


def rows_of(made: Made) -> Iterator[tuple[int, int, int, int, int]]:
    """What has happened: kind, what, where, more, and the instant [ns]."""
    for kind, what, where, more, count, skipped in made.happened():
        yield kind, what, where, more, instant_of(made, count, skipped)


def instant_of(made: Made, count: int, skipped: int) -> int:
    """The instant of a count of instructions, when so many ticks had passed in waiting [ns]."""
    return count * NS_A_TICK // made.size.pace + skipped * NS_A_TICK


def hexadecimal(value: int) -> str:
    """An address as one reads it."""
    return f"{value & (1 << 64) - 1:#x}"

"""A run as it is asked for: what makes its machines, those beside them, and those that are stepped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simvirt.emulation.debugging.stepper import Started, Stepper
from simvirt.emulation.emulator import Console, Emulator
from simvirt.emulation.making import Size, sized
from simvirt.emulation.monitors.options import chosen
from simvirt.emulation.starting import Loaded, Start, beside
from simvirt.emulation.timeline import Timeline
from simvirt.emulation.typing_in import letters


@dataclass(frozen=True)
class Asked:
    """What is run, and for how long; `seconds` are real time [s]."""

    start: Start
    typed: str
    until: str
    after: str
    memory: str
    instructions: int
    seconds: float
    show: Callable[[bytes], None]
    trace: Path | None = None
    trace_of: str | None = None
    pages: str | None = None
    passed: str | None = None
    beside: str = ""

    @property
    def name(self) -> str:
        """The guest's name."""
        return self.start.name

    def emulator(self, technique: str) -> Emulator:
        """A machine under a technique, with the guest in its memory, its console and its timeline."""
        size, console = sized(self.memory), Console(letters(self.typed), letters(self.until), letters(self.after), self.show)
        loaded = self.start.load(size.base)
        return self._made(size, console, technique, loaded, Timeline(self.trace, self.trace_of or "all", self.name) if self.trace else None)

    def second(self) -> Emulator | None:
        """The machine beside, if there is one; it is native and says nothing."""
        if not self.beside:
            return None
        start, size = beside(self.beside), sized(self.memory)
        made = Emulator(size, Console(), cards=start.cards())
        made.boot(*start.load(size.base))
        return made

    def stepper(self, technique: str) -> Stepper:
        """The guest, to be stepped; what it is loaded from is read once."""
        size = sized(self.memory)
        loaded = self.start.load(size.base)

        def anew(size: Size, console: Console) -> Emulator:
            return self._made(size, console, technique, loaded)

        return Stepper(Started(anew, size, letters(self.typed), letters(self.after)))

    def _made(self, size: Size, console: Console, technique: str, loaded: Loaded, timeline: Timeline | None = None) -> Emulator:
        made = Emulator(size, console, technique, timeline, self.start.cards(), chosen(self.pages, self.passed))
        made.boot(*loaded)
        return made

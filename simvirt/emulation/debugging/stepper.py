"""A run that can be stood at any of its instructions: forwards by running on, backwards by running again from the begin.

*Model.* Every run of a guest is the same run, so that the state before an instruction is found by running up to it. A position counts
instructions and traps. Letters are typed at positions that do not depend on the steps; what is not typed to is the run that it would
be without a debugger, to the last bit.
*Ignores.* Snapshots: a step back costs a run of all that is before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from simvirt.emulation.causes import MODES, UNITS, cause_of
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.emulation.making import Made, Size
from simvirt.machine import constants as c
from simvirt.machine import log

LOOK: Final = 5_000
"""Instructions and traps between the positions at which letters are typed."""
ROOM: Final = 64
"""Rows of the log: what one step can do is less."""
FAR: Final = 10_000
"""Steps that a search for a stop asks for at most before it says where it is."""


@dataclass(frozen=True)
class Happened:
    """What one step did: exits to the monitor, traps, modes that were entered, walks of page tables."""

    exits: tuple[str, ...] = ()
    traps: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    walks: tuple[tuple[str, int, int], ...] = ()  # unit, address, entries that were read


@dataclass(frozen=True)
class Started:
    """How a guest is started anew: what makes its machine, and what is typed."""

    emulator: Callable[[Size, Console], Emulator]
    size: Size
    typed: bytes = b""
    after: bytes = b""


@dataclass
class Stepper:
    """A guest that is stepped."""

    started: Started
    emulator: Emulator = field(init=False)
    letters: bytes = field(init=False)
    end: End | None = field(init=False)
    exits: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begin anew."""
        started = self.started
        self.emulator = started.emulator(replace(started.size, logged=ROOM), Console(after=started.after))
        self.letters, self.end, self.exits = started.typed, None, []
        self.emulator.made.told = self.exits.append

    def harts(self) -> list[Made]:
        """The guest's hart, and the real one where a monitor is between."""
        made = self.emulator.made
        real = getattr(made, "real", None)
        return [made] if real is None else [made, real]

    @property
    def made(self) -> Made:
        """The guest's machine."""
        return self.emulator.made

    @property
    def at(self) -> int:
        """Instructions and traps so far."""
        return self.emulator.work

    @property
    def pc(self) -> int:
        """The next instruction."""
        return int(self.made.hart["pc"][0])

    @property
    def mode(self) -> int:
        """The mode, 4 more for a guest's."""
        return int(self.made.hart["mode"][0]) + c.GUEST * int(self.made.hart["virtual"][0])

    def to(self, position: int) -> None:
        """Stand at a position; where the guest ends before it, there."""
        if position < self.at:
            self.restart()
        while self.at < position and self.end is None:
            if self.at % LOOK == 0:
                self.type_letters()
            self.go(min(position, (self.at // LOOK + 1) * LOOK) - self.at)

    def go(self, steps: int) -> None:
        """Run on; a hart that is idle may have something typed to it."""
        self.made.happened()
        found = self.emulator.run(steps)
        if found is End.idle and self.type_letters():
            return
        self.end = None if found is End.budget else found

    def type_letters(self) -> bool:
        """Type what there is room for; whether there was anything."""
        console, before = self.emulator.console, len(self.letters)
        console.typed = self.letters
        self.emulator.type_letters()
        self.letters, console.typed = console.typed, b""
        return len(self.letters) < before

    def step(self) -> Happened:
        """One instruction or trap; what it did."""
        self.exits.clear()
        self.to(self.at + 1)
        return self.happened()

    def happened(self) -> Happened:
        """What the last step did."""
        found: dict[int, list[tuple[int, int, int]]] = {log.TRAPPED: [], log.ENTERED: [], log.WALKED: []}
        for kind, what, where, more, _, _ in self.made.happened():
            found[kind].append((what, where, more))
        return Happened(
            tuple(self.exits), tuple(cause_of(what % (2 * c.CAUSES)) for what, _, _ in found[log.TRAPPED]),
            tuple(MODES[what] for what, _, _ in found[log.ENTERED]),
            tuple((UNITS[what], where, more) for what, where, more in found[log.WALKED]),
        )

    def until(self, stop: Callable[[Happened], bool], most: int) -> Happened | None:
        """Step until something holds; None where it has not within so many steps, or the guest has ended."""
        for _ in range(most):
            found = self.step()
            if stop(found):
                return found
            if self.end is not None:
                return None
        return None

    def back(self, steps: int) -> None:
        """Stand some steps before."""
        self.to(max(0, self.at - steps))

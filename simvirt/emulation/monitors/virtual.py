"""A virtual hart with its devices: what a guest sees as its machine, of which a monitor carries out single instructions."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from simvirt import machine
from simvirt.emulation.causes import cause_of
from simvirt.emulation.making import PAGE, Happening, Made, Size
from simvirt.emulation.monitors.options import Options
from simvirt.emulation.registers import NUMBERS
from simvirt.machine import constants as c
from simvirt.machine.fetching import ACROSS
from simvirt.machine.log import WALKED

NONE: Final = "none"
HALF: Final = (1 << 63) - 1


class Virtual(Made):
    """A hart that an interpreter carries out, instruction by instruction."""

    def __init__(self, size: Size, options: Options) -> None:
        super().__init__(size, options)
        self.hart["shared"][0] = 1


class Virtualized(Virtual):
    """A virtual hart with a real one below it, which runs what the monitor lets it run; an exit is where it may not go on."""

    def __init__(self, size: Size, options: Options, pool: int, own: Size | None = None) -> None:
        super().__init__(own or size, options)
        self.size = size
        self.seen: list[Happening] = []
        self.noted: Counter[tuple[int | str, int | str, int]] = Counter()
        self.real = Made(dataclasses.replace(size, memory=size.memory + pool * PAGE))
        self.share(self.real, "memory", "ram")
        for name in ("pages", "cache"):
            self.share(self.real, name)
        self.real.share(self, "uart")
        self.real.share(self, "plic", *(column for column in self.plic if column != "passed"))
        self.real.share(self, "registers", "x")
        self.real.share(self, "counts", "accesses", "characters")
        self.real.hart["watched"][0] = 1
        self.csr, self.real_csr = cells(self.registers["csr"]), cells(self.real.registers["csr"])
        self.own, self.below = all_cells(self.hart), all_cells(self.real.hart)
        self.imm = cells(self.code["imm"])

    @property
    def exits(self) -> Counter[str]:
        """Exits by cause and by what they were for."""
        found: Counter[str] = Counter()
        for key, count in self.noted.items():
            found[named(*key)] += count
        return found

    def note(self, cause: int | str, what: int | str, register: int = -1) -> None:
        """Count an exit by its cause and what it was for: words, or the number of an operation and of its register of control."""
        self.noted[cause, what, register] += 1
        if self.told is not None:
            self.told(named(cause, what, register))

    def note_single(self, cause: int | str, op: int) -> None:
        """Count an exit for an instruction that has been carried out."""
        self.note(cause, op, self.imm[ACROSS] if op in OF_REGISTERS else -1)

    def single(self) -> int:
        """Carry out one instruction, or take the trap that it causes; its operation, less than 0 where it could not be fetched."""
        return int(machine.carry_one(self.machine))

    def advance(self, end: int) -> int:
        """Run up to a count of the guest's instructions and traps, or until there is something to do."""
        stop = machine.look(self.machine, end)
        while not stop:
            self.turn()
            stop = self.own["stop"][0] or machine.look(self.machine, end)
        self.bring_back()
        self.settle()
        return int(stop)

    def turn(self) -> None:
        """Let the guest run up to its next exit, and handle it; or until it is time to look around."""
        raise NotImplementedError

    def bring_back(self) -> None:
        """Let the virtual hart hold the whole state of the guest."""

    def settle(self) -> None:
        """Add instructions since the mode was entered to those of the mode."""
        own = self.own
        self.counts["instructions"][own["mode"][0] + c.GUEST * own["virtual"][0]] += own["count"][0] - own["since"][0]
        own["since"][0] = own["count"][0]

    def run_real(self, mode: int, virtual: int) -> int:
        """Let the real hart run the guest in a mode of its own, until it is time to look around or it exits; why it came back."""
        if self.size.logged:
            self.gather(super().happened())
        own, below = self.own, self.below
        pc, count, taken, reserved = own["pc"], own["count"], own["taken"], own["reserved"]
        stop = machine.lend(
            self.real.machine, pc[0], count[0], taken[0], own["skipped"][0], reserved[0], mode + virtual * c.GUEST, own["limit"][0],
        )
        exited = stop == c.EXIT
        pc[0] = self.real_csr[c.MEPC] if exited else below["pc"][0]
        count[0], reserved[0] = below["count"][0], below["reserved"][0]
        taken[0] = below["taken"][0] - exited
        if stop == c.OUTPUT:
            own["stop"][0] = stop
        if self.size.logged:
            self.seen += self.seen_of_real(self.real.happened(), exited)
        return stop  # type: ignore[no-any-return]

    def happened(self) -> Sequence[Happening]:
        """What has happened to the guest, and the walks that the real hart has done for it."""
        self.gather(super().happened())
        seen, self.seen = self.seen, []
        return seen

    def gather(self, rows: Sequence[Happening]) -> None:
        """Take over what the virtual hart has logged, but for walks that the monitor has done itself."""
        self.seen += [row for row in rows if row[0] != WALKED]

    def seen_of_real(self, rows: Sequence[Happening], exited: bool) -> Sequence[Happening]:
        """What of the log of the real hart is the guest's: here walks only, as modes and traps are those of the virtual hart."""
        return [row for row in rows if row[0] == WALKED]

    def counted(self) -> dict[str, Any]:
        """Counts of the guest, and of the page tables that the real hart walked for it."""
        self.bring_back()
        self.settle()
        real, own = self.real.counts, self.counts
        walked = {name: real[name] for name in ("walks", "references", "second", "evictions")}
        fences = [int(own["fences"][0]) + int(real["fences"][0]), int(own["fences"][1])]
        switches = [int(a) + int(b) for a, b in zip(own["switches"], real["switches"], strict=True)]
        return own | walked | {"fences": fences, "switches": switches}


def cells(column: Any) -> Any:
    """A column for single values, which are numbers of Python."""
    return memoryview(column) if machine.MODE == "compiled" else column


def all_cells(table: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a table, for single values."""
    return {name: cells(column) for name, column in table.items()}


OF_REGISTERS: Final = frozenset(op for op, name in enumerate(machine.INSTRUCTIONS) if name.startswith("csr"))
OPERATIONS: Final = {name: op for op, name in enumerate(machine.INSTRUCTIONS)}


def named(cause: int | str, what: int | str, register: int) -> str:
    """The name of an exit: its cause, and what it was for."""
    first = cause if isinstance(cause, str) else cause_of(cause if cause >= 0 else (cause & HALF) + c.CAUSES)
    if isinstance(what, str):
        return f"{first}: {what}"
    name = machine.INSTRUCTIONS[what] if what >= 0 else NONE
    return f"{first}: {name} {NUMBERS.get(register, '?')}" if what in OF_REGISTERS else f"{first}: {name}"

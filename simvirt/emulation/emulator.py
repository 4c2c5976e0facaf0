"""A machine with its images, console and counts: boots a guest and runs it until it stops, says something, or has used up its budget."""

from __future__ import annotations

import hashlib
import math
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from simvirt.emulation.board import Given, tree
from simvirt.emulation.cards import Cards
from simvirt.emulation.hostlink import TO, HostLink, Served
from simvirt.emulation.images import Image
from simvirt.emulation.making import Size
from simvirt.emulation.monitors import made
from simvirt.emulation.monitors.options import Options
from simvirt.emulation.phases import Phases, tallied
from simvirt.emulation.sbi import Firmware
from simvirt.emulation.timeline import LOGGED_SLICE, ROWS, Timeline
from simvirt.errors import UsageError
from simvirt.machine import constants as c
from simvirt.machine.devices.uart import SENT

SLICE: Final = 1_000_000  # instructions between looks at the console
LINKED_SLICE: Final = 5_000  # and at the words of a guest that is linked with its host: it waits for each
KERNEL_AT: Final = 0x200000  # from the begin of the memory: where firmware jumps to
TREE_SPACE: Final = 0x10000
INFO_MAGIC, INFO_VERSION = 0x4942534F, 2  # of OpenSBI's table for firmware that is told where to go
INFO_SPACE: Final = 64
A1, A2 = 11, 12
STATE: Final = (
    ("registers", "x"), ("registers", "csr"), ("hart", "pc"), ("hart", "mode"), ("hart", "count"), ("hart", "taken"), ("hart", "skipped"),
)
"""Columns that the digest of a machine's state is of, beside memory and counts."""


class End(StrEnum):
    """Why a run has ended."""

    powered_off = "powered off"
    reset = "reset"
    failed = "failed"
    idle = "idle for good"
    said = "said what was waited for"
    budget = "budget used up"
    late = "time used up"
    interrupted = "interrupted"


ENDS: Final = {c.POWER_OFF: End.powered_off, c.RESET: End.reset, c.FAILED: End.failed, c.IDLE: End.idle}


@dataclass
class Console:
    """What a guest says, what it is told, and for what it is waited."""

    typed: bytes = b""
    until: bytes = b""
    after: bytes = b""  # nothing is typed before the guest has said this
    show: Callable[[bytes], None] = lambda data: None
    said: bytearray = field(default_factory=bytearray)

    def take(self, data: bytes) -> bool:
        """Take what was said; whether what was waited for is in it."""
        begin = max(0, len(self.said) - len(self.until))
        self.said += data
        found = self.said.find(self.until, begin) if self.until else -1
        self.show(data if found < 0 else data[: found + len(self.until) - (len(self.said) - len(data))])
        return found >= 0

    def next_letter(self) -> int | None:
        """What is to be typed next."""
        return self.typed[0] if self.typed and self.after in self.said else None


class Emulator:
    """A machine that runs a guest."""

    def __init__(
        self, size: Size, console: Console, technique: str = "native", timeline: Timeline | None = None, cards: Cards | None = None,
        options: Options | None = None,
    ) -> None:
        self.size = replace(size, logged=ROWS) if timeline else size
        self.console = console
        self.technique = technique
        self.made = made(technique, self.size, options)
        self.timeline = timeline
        if timeline is not None:
            self.made.told = lambda name: timeline.left(self.made, name)
        self.slice = LOGGED_SLICE if timeline else SLICE
        self.loaded: list[tuple[int, int, str]] = []
        self.labels: dict[str, int] = {}
        self.link: HostLink | None = None
        self.firmware: Firmware | None = None
        self.phases = Phases()
        self.cards = cards or Cards()
        self.cards.plug(self.made)

    def place(self, image: Image) -> None:
        """Put an image into the memory; UsageError where it does not fit or lies over another."""
        for at, count in image.extents():
            begin, end = at - self.size.base, at - self.size.base + count
            if begin < 0 or end > self.size.memory:
                memory = f"{self.size.memory} bytes at {self.size.base:#x}"
                raise UsageError(f"{image.name}: {count} bytes at {at:#x} do not lie in the memory, {memory}")
            over = next((name for first, last, name in self.loaded if first < end and begin < last), None)
            if over is not None:
                raise UsageError(f"{image.name}: {count} bytes at {at:#x} lie over {over}")
            self.loaded.append((begin, end, image.name))
        for at, data in image.pieces:
            self.ram[at - self.size.base : at - self.size.base + len(data)] = data
        self.labels |= image.labels
        if TO in image.symbols:
            self.link = HostLink(self.ram, self.size.memory, self.size.base, image.symbols)
            self.slice = min(self.slice, LINKED_SLICE)

    @property
    def ram(self) -> bytearray:
        """The memory."""
        return self.made.memory["ram"]  # type: ignore[no-any-return]

    @property
    def kernel_at(self) -> int:
        """Where firmware goes to, from the begin of the memory."""
        return KERNEL_AT

    @property
    def count(self) -> int:
        """Instructions retired."""
        return int(self.made.hart["count"][0])

    @property
    def work(self) -> int:
        """Instructions and traps: what a budget is of."""
        return self.count + int(self.made.hart["taken"][0])

    def boot(self, first: Image, kernel: Image | None = None, initrd: bytes = b"", append: str = "") -> None:
        """Load what runs first, a kernel and its file system behind it, and hand over the device tree; a supervisor has a firmware."""
        self.place(first)
        if first.supervisor:
            self.firmware = Firmware(self.made)
        if kernel is not None:
            self.place(kernel)
        top = self.size.base + self.size.memory - TREE_SPACE - INFO_SPACE
        spare = (top - len(initrd)) & -4096
        if initrd:
            self.place(Image("the initial file system", ((spare, initrd),), spare))
        given = Given(self.size.memory, self.size.base, append, (spare, spare + len(initrd)) if initrd else None)
        info = struct.pack("<6Q", INFO_MAGIC, INFO_VERSION, kernel.entry if kernel else self.size.base + KERNEL_AT, 1, 0, 0)
        self.place(Image("the table for the firmware", ((top, info),), top))
        self.place(Image("the device tree", ((top + INFO_SPACE, tree(given)),), top))
        self.made.registers["x"][A1], self.made.registers["x"][A2] = top + INFO_SPACE, top
        self.made.hart["pc"][0] = first.entry
        if self.timeline is not None:
            self.timeline.begin(self.made)

    def run(self, budget: int, most_s: float = math.inf) -> End:
        """Run until the guest stops, has said what is waited for, or has used up a budget of instructions, or of seconds [s]."""
        end, late = self.work + budget, time.monotonic() + most_s
        while True:
            self.type_letters()
            reason = self.made.advance(min(end, self.work + self.slice))
            if self.timeline is not None:
                self.timeline.take(self.made)
            asked = self.link.serve() if self.link else Served()
            said = self.drained() + asked.said
            if reason == c.CALLED and self.firmware:
                reason = self.firmware.serve()
                said += self.firmware.take_said()
            if reason == c.MARKED:
                self.phases.mark(int(self.made.hart["mark"][0]), self.tallied())
            if self.console.take(said):
                return End.said
            if asked.code is not None:
                self.made.hart["code"][0] = asked.code
                return End.failed if asked.code else End.powered_off
            if reason in ENDS and not (reason == c.IDLE and self.console.next_letter() is not None):
                return ENDS[reason]
            if self.work >= end:
                return End.budget
            if time.monotonic() >= late:
                return End.late

    def type_letters(self) -> None:
        """Type what there is room for."""
        while (letter := self.console.next_letter()) is not None and self.made.type_in(letter):
            self.console.typed = self.console.typed[1:]

    def drained(self) -> bytes:
        """What the guest has said since the last look."""
        uart = self.made.uart
        count, uart["sent_count"][0] = int(uart["sent_count"][0]), 0
        return bytes(int(letter) for letter in uart["sent"][: min(count, SENT)])

    def tallied(self) -> Counter[tuple[str, str]]:
        """All that has been counted so far."""
        return tallied(self.made, self.firmware.calls if self.firmware else Counter())

    def digest(self) -> str:
        """The state of the machine and its counts as a number."""
        state = self.hashed_state()
        for values in self.counts().values():
            state.update(repr(values).encode())
        return str(state.hexdigest())

    def state(self) -> str:
        """The state of the machine as a number: registers and memory. It is the same under each technique."""
        return str(self.hashed_state().hexdigest())

    def hashed_state(self) -> Any:
        """A hash that registers and memory have gone into."""
        state = hashlib.sha256(memoryview(self.ram)[: self.size.memory])
        for table, column in STATE:
            values = [int(value) for value in getattr(self.made, table)[column]]
            state.update(repr(values[: c.DUMP] if column == "x" else values).encode())
        return state

    def counts(self) -> dict[str, Any]:
        """Tables of counts by their names."""
        return {name: [int(value) for value in column] for name, column in self.made.counted().items()}

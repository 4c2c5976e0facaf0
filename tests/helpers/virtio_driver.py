"""A driver of virtio devices for tests: it stores to registers by instructions of the machine, and keeps rings in the guest's memory."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from simvirt.emulation.assembler import assemble
from simvirt.emulation.cards import Cards
from simvirt.emulation.emulator import Console, Emulator
from simvirt.emulation.making import Size
from simvirt.machine.devices.bus import VIRTIO_AT
from simvirt.machine.devices.rings import EVENT_IDX, NEEDS_RESET, NEXT, TALLIES, VERSION_1, WRITABLE

SMALL = Size(memory=4 << 20, sets=16, ways=2)
PROGRAM = "sw a1, 0(a0)\nstop: j stop\n.align 4\nlw a1, 0(a0)\nagain: j again\n"
READS = 16  # where the program that loads begins
RING = 0x100000  # from the begin of the memory: descriptors, then what is available, then what was used
AVAILABLE, USED, STEP = 0x1000, 0x2000, 0x8000
DATA = 0x200000
STATUS, FEATURES_OK, DRIVER_OK = 0x70, 8, 4


@dataclass
class Driver:
    """Drives the device of a slot."""

    cards: Cards
    slot: int = 0
    console: Console = field(default_factory=Console)
    size: int = 8

    def __post_init__(self) -> None:
        self.emulator = Emulator(SMALL, self.console, cards=self.cards)
        self.emulator.boot(assemble(PROGRAM, "driver.s", SMALL.base))
        self.made, self.ram, self.base = self.emulator.made, self.emulator.ram, SMALL.base
        self.available = [0, 0]

    def steps(self, offset: int, at: int, value: int = 0) -> int:
        """Run two instructions of the program."""
        x = self.made.registers["x"]
        x[10], x[11], self.made.hart["pc"][0] = at, value, SMALL.base + offset
        self.made.reset()
        self.made.advance(self.emulator.work + 2)
        return int(x[11])

    def write(self, register: int, value: int) -> None:
        """Store to a register."""
        self.steps(0, VIRTIO_AT + 0x1000 * self.slot + register, value)

    def read(self, register: int) -> int:
        """Load from a register."""
        return self.steps(READS, VIRTIO_AT + 0x1000 * self.slot + register) & 0xFFFFFFFF

    def start(self, features: int = VERSION_1, queues: int = 1) -> None:
        """Accept features, set up queues, and say that all is well."""
        self.write(STATUS, 0)
        self.write(STATUS, 3)
        for half in range(2):
            self.write(0x24, half)
            self.write(0x20, features >> 32 * half & 0xFFFFFFFF)
        self.write(STATUS, 3 | FEATURES_OK)
        for queue in range(queues):
            self.set_up(queue)
        self.write(STATUS, 3 | FEATURES_OK | DRIVER_OK)

    def set_up(self, queue: int) -> None:
        """Say where the rings of a queue lie."""
        ring = RING + STEP * queue
        self.ram[ring : ring + STEP] = bytes(STEP)
        self.available[queue] = 0
        self.write(0x30, queue)
        self.write(0x38, self.size)
        for register, place in ((0x80, ring), (0x90, ring + AVAILABLE), (0xA0, ring + USED)):
            self.write(register, (self.base + place) & 0xFFFFFFFF)
            self.write(register + 4, (self.base + place) >> 32)
        self.write(0x44, 1)

    def describe(self, queue: int, number: int, at: int, count: int, flags: int, following: int = 0) -> None:
        """Fill a descriptor."""
        struct.pack_into("<QIHH", self.ram, RING + STEP * queue + 16 * number, at & (1 << 64) - 1, count, flags, following)

    def offer(self, queue: int, head: int, kick: bool = True) -> None:
        """Make a chain available."""
        ring = RING + STEP * queue + AVAILABLE
        struct.pack_into("<H", self.ram, ring + 4 + 2 * (self.available[queue] % self.size), head)
        self.available[queue] += 1
        struct.pack_into("<H", self.ram, ring + 2, self.available[queue] & 0xFFFF)
        if kick:
            self.write(0x50, queue)

    def chain(self, queue: int, given: bytes, wanted: int, kick: bool = True) -> bytes:
        """Offer what is given in one descriptor and room for what is wanted in another; what came."""
        self.ram[DATA : DATA + len(given)] = given
        room = DATA + 0x80000
        if given:
            self.describe(queue, 0, self.base + DATA, len(given), NEXT if wanted else 0, 1)
        if wanted:
            self.describe(queue, 1, self.base + room, wanted, WRITABLE)
        self.offer(queue, 0 if given else 1, kick)
        return bytes(self.ram[room : room + wanted])

    def used(self, queue: int = 0) -> int:
        """Chains that came back."""
        return int(struct.unpack_from("<H", self.ram, RING + STEP * queue + USED + 2)[0])

    def block(self, kind: int, sector: int, data: bytes = b"", wanted: int = 0) -> tuple[int, bytes]:
        """A request to a disk: how it ended, and what came."""
        came = self.chain(0, struct.pack("<IIQ", kind, 0, sector & (1 << 64) - 1) + data, wanted + 1)
        return came[-1], came[:-1]

    @property
    def broken(self) -> bool:
        """Whether the device asks for a reset."""
        return bool(self.read(STATUS) & NEEDS_RESET)

    def count(self, what: int) -> int:
        """What the device has counted."""
        return int(self.made.counts["virtio"][self.slot * TALLIES + what])


BOTH = VERSION_1 | EVENT_IDX

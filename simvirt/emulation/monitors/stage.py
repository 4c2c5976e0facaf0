"""The second stage: tables from guest-physical to physical addresses, filled when the guest touches a page for the first time."""

from __future__ import annotations

import struct
from typing import Any, Final

from simvirt.emulation.making import PAGE, Made
from simvirt.machine import constants as c

ROOT: Final = 4 * PAGE  # the first table of Sv39x4, and what it is aligned to
HUGE: Final = 2 << 20
LEAF: Final = c.PTE_V | c.PTE_R | c.PTE_W | c.PTE_X | c.PTE_U | c.PTE_A | c.PTE_D
WORD: Final = struct.Struct("<Q")
SV39X4: Final = 8 << 60
VMID: Final = 1 << 44
SPARE: Final = 32  # pages of tables for devices, and for what the alignment of the root takes


def pages_for(memory: int) -> int:
    """Pages that the tables of a memory take at most."""
    return memory // HUGE + 1 + SPARE


class Stage:
    """Tables of the second stage, in memory that the guest does not have; a guest-physical address lies where it says."""

    def __init__(self, real: Made, memory: int, extent: int) -> None:
        self.ram: Any = real.memory["ram"]
        self.base = real.size.base
        self.memory = memory
        self.extent = extent  # bytes that are mapped at a time
        self.root = (memory + PAGE + ROOT - 1) // ROOT * ROOT
        self.used = self.root + ROOT
        real.registers["csr"][c.HGATP] = (SV39X4 | VMID | self.root + self.base >> 12) - (1 << 64)

    def map(self, a: int) -> None:
        """Map the page of an address; a large one where it lies in the memory."""
        first = a & -self.extent
        huge = self.extent == HUGE and self.base <= first and first + HUGE <= self.base + self.memory
        place = self.below(self.root + 8 * (a >> 30))
        if huge:
            WORD.pack_into(self.ram, place + 8 * (a >> 21 & 511), first >> 12 << 10 | LEAF)
        else:
            WORD.pack_into(self.ram, self.below(place + 8 * (a >> 21 & 511)) + 8 * (a >> 12 & 511), a >> 12 << 10 | LEAF)

    def below(self, place: int) -> int:
        """Place in ram of the table that an entry names, which is made if it is not there."""
        entry = WORD.unpack_from(self.ram, place)[0]
        if entry:
            return int(entry >> 10 << 12) - self.base
        table, self.used = self.used, self.used + PAGE
        WORD.pack_into(self.ram, place, table + self.base >> 12 << 10 | c.PTE_V)
        return table

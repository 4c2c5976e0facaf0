"""A walk of page tables as the hardware would make it now, entry by entry; nothing is marked or kept.

*Model.* Sv39, and under a hypervisor Sv39 over Sv39x4: each entry of the guest's table, and the page at the end, lie at guest-physical
addresses that the host's tables translate first.
*Source.* The RISC-V Instruction Set Manual, volume II: Privileged Architecture.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from simvirt.emulation.making import Made
from simvirt.machine import constants as c

SIZES: Final = ("4k", "2m", "1g")
GUEST, HOST, ONLY = "guest", "host", "table"
OUTSIDE: Final = "outside of the memory"
NOT_VALID: Final = "not valid"
WIDE: Final = 0x7FF
"""Places of the root of the second stage, which is four pages."""


@dataclass(frozen=True)
class Reference:
    """An entry that is read."""

    stage: str
    level: int  # 2 at the root
    index: int
    at: int  # physical address
    entry: int
    row: int  # of the grid: the guest's level that it is for, -1 for the page itself

    @property
    def says(self) -> str:
        """What the entry is."""
        if not self.entry & c.PTE_V:
            return NOT_VALID
        if not self.entry & (c.PTE_R | c.PTE_X):
            return f"table at {target(self.entry):#x}"
        return f"page of {SIZES[self.level]} at {target(self.entry):#x} {rights(self.entry)}"


@dataclass(frozen=True)
class Walk:
    """All entries that are read for an address, in their order."""

    address: int
    references: tuple[Reference, ...]
    physical: int | None
    why: str = ""

    @property
    def two_stages(self) -> bool:
        """Whether a guest's tables lie over a host's."""
        return any(one.stage == HOST for one in self.references)


class Fault(Exception):
    """The walk ends without an address."""


def target(entry: int) -> int:
    """The address in an entry."""
    return (entry >> 10 & 0xFFFFFFFFFFF) << 12


def rights(entry: int) -> str:
    """The bits of an entry as one reads them."""
    bits = (("r", c.PTE_R), ("w", c.PTE_W), ("x", c.PTE_X), ("u", c.PTE_U), ("a", c.PTE_A), ("d", c.PTE_D))
    return "".join(letter if entry & bit else "-" for letter, bit in bits)


class Walker:
    """Reads the tables of a machine."""

    def __init__(self, made: Made) -> None:
        self.made = made
        self.references: list[Reference] = []
        csr = made.registers["csr"]
        self.virtual = bool(int(made.hart["virtual"][0]))
        self.first = int(csr[c.VSATP]) if self.virtual else int(csr[c.SATP])
        self.second = int(csr[c.HGATP]) if self.virtual else 0

    def walk(self, a: int) -> Walk:
        """The walk of an address."""
        try:
            found = self.guest(a) if self.first >> 60 & 15 else self.host(a, -1)
        except Fault as fault:
            return Walk(a, tuple(self.references), None, str(fault))
        return Walk(a, tuple(self.references), found)

    def guest(self, a: int) -> int:
        """Through the tables of the first stage."""
        if a >> 38 not in (0, -1):
            raise Fault("no address of Sv39: bits 63 to 38 differ")
        table = (self.first & 0xFFFFFFFFFFF) << 12
        for level in (2, 1, 0):
            index = a >> 12 + 9 * level & 511
            entry = self.read(GUEST if self.second >> 60 & 15 else ONLY, level, index, self.host(table + 8 * index, level), level)
            if entry & (c.PTE_R | c.PTE_X):
                extent = (1 << 12 + 9 * level) - 1
                return self.host(target(entry) & ~extent | a & extent, -1)
            table = target(entry)
        raise Fault("the last entry is a table")

    def host(self, a: int, row: int) -> int:
        """Through those of the second stage, if there is one."""
        if not self.second >> 60 & 15:
            return a
        table = (self.second & 0xFFFFFFFFFFF) << 12
        for level in (2, 1, 0):
            index = a >> 12 + 9 * level & (WIDE if level == 2 else 511)
            entry = self.read(HOST, level, index, table + 8 * index, row)
            if entry & (c.PTE_R | c.PTE_X):
                extent = (1 << 12 + 9 * level) - 1
                return target(entry) & ~extent | a & extent
            table = target(entry)
        raise Fault("the last entry is a table")

    def read(self, stage: str, level: int, index: int, at: int, row: int) -> int:
        """An entry; Fault where there is none."""
        place = at - self.made.size.base
        if not 0 <= place <= self.made.size.memory - 8:
            raise Fault(f"an entry at {at:#x}, {OUTSIDE}")
        entry = int(struct.unpack_from("<Q", self.made.memory["ram"], place)[0])
        self.references.append(Reference(stage, level, index, at, entry, row))
        if not entry & c.PTE_V:
            raise Fault(f"an entry that is {NOT_VALID}")
        return entry


def walked(made: Made, a: int) -> Walk:
    """The walk of an address as the mode would make it now; in machine mode, and without tables, there is none."""
    walker = Walker(made)
    if int(made.hart["mode"][0]) == c.MACHINE:
        walker.first = walker.second = 0
    return walker.walk(a)


def grid(walk: Walk) -> list[str]:
    """A walk of two stages as a grid: a row for each entry of the guest's tables and for the page, a column for each level of the host."""
    number = {id(one): k for k, one in enumerate(walk.references, 1)}
    lines = [f"{'':16}{'host 1g':>9}{'host 2m':>9}{'host 4k':>9}{'guest':>9}"]
    rows = dict.fromkeys(one.row for one in walk.references)
    for row in rows:
        found = {(one.stage, one.level): number[id(one)] for one in walk.references if one.row == row}
        name = "the page" if row < 0 else f"guest's {SIZES[row]}"
        host = "".join(f"{found.get((HOST, level), ''):>9}" for level in (2, 1, 0))
        lines.append(f"{name:16}{host}{found.get((GUEST, row), ''):>9}".rstrip())
    return lines

"""Shadow page tables, kept as a virtual TLB: filled by hidden faults, emptied as far as the guest fences."""

from __future__ import annotations

import struct
from typing import Any, Final

from simvirt import machine
from simvirt.emulation.making import PAGE, Filled, Made, as_column
from simvirt.machine import constants as c

POOL: Final = 2048  # pages of tables, the first of which is the monitor's own
SV39: Final = 8 << 60
SPACES: Final = 1 << 16
LEAF: Final = c.PTE_V | c.PTE_U | c.PTE_A | c.PTE_D
WORD: Final = struct.Struct("<Q")
NOTHING: Final = bytes(PAGE)

Key = tuple[int, ...]
"""What a table is the shadow of: a context of the guest, and what it translates by."""


class Shadow:
    """Tables that the real hart walks: a root for each context of each table of the guest."""

    def __init__(self, real: Made, first: int) -> None:
        self.real = real
        self.first = first  # place in ram of the pool
        self.ram: Any = real.memory["ram"]
        self.base = real.size.base
        self.absent = as_column(Filled(c.FAST, c.UNFOUND))
        self.fast = [real.fast[column] for column in ("reads", "writes", "fetches")]
        self.roots: dict[Key, tuple[int, int]] = {}
        self.used, self.space = 1, 0
        self.current: Key = ()

    def give_page(self) -> int:
        """Place in ram of an empty table."""
        place = self.first + self.used * PAGE
        self.used += 1
        self.ram[place : place + PAGE] = NOTHING
        return place

    def empty(self) -> None:
        """Forget all; address spaces of the real TLB are used once, so that old entries match nothing."""
        self.roots.clear()
        self.used, self.current = 1, ()

    def enter(self, key: Key) -> None:
        """Let the real hart translate by a table."""
        if key == self.current:
            return
        if key not in self.roots:
            if self.used + 3 > POOL:
                self.empty()
            self.next_space()
            self.roots[key] = self.give_page(), self.space
        place, space = self.roots[key]
        self.real.registers["csr"][c.SATP] = (SV39 | space << 44 | place + self.base >> 12) - (1 << 64)
        for column in self.fast:
            column[c.OF_USER : c.OF_USER + c.FAST] = self.absent
        self.current = key

    def next_space(self) -> None:
        """Take a new address space; when all are used the real TLB is emptied."""
        self.space += 1
        if self.space == SPACES:
            self.space = 1
            machine.forget(self.real.machine, 0, -1)

    def fill(self, key: Key, a: int, at: int, rights: int) -> None:
        """Map a page of the guest."""
        if self.used + 3 > POOL:
            self.empty()
        self.enter(key)
        table, space = self.roots[key]
        for level in (2, 1):
            table = self.table_below(table + 8 * (a >> 12 + 9 * level & 511))
        place = table + 8 * (a >> 12 & 511)
        if WORD.unpack_from(self.ram, place)[0]:
            machine.forget(self.real.machine, a, space)
        WORD.pack_into(self.ram, place, at >> 12 << 10 | LEAF | rights)

    def table_below(self, place: int) -> int:
        """Place in ram of the table that an entry names, which is made if it is not there."""
        entry = WORD.unpack_from(self.ram, place)[0]
        if entry:
            return int(entry >> 10 << 12) - self.base
        table = self.give_page()
        WORD.pack_into(self.ram, place, table + self.base >> 12 << 10 | c.PTE_V)
        return table

    def forget_page(self, a: int) -> None:
        """Take a page out of all tables."""
        for root, space in self.roots.values():
            place = self.leaf_place(root, a)
            if place >= 0 and WORD.unpack_from(self.ram, place)[0]:
                WORD.pack_into(self.ram, place, 0)
                machine.forget(self.real.machine, a, space)

    def leaf_place(self, table: int, a: int) -> int:
        """Place in ram of the entry for a page; -1 where there is no table for it."""
        for level in (2, 1):
            entry = WORD.unpack_from(self.ram, table + 8 * (a >> 12 + 9 * level & 511))[0]
            if not entry:
                return -1
            table = (entry >> 10 << 12) - self.base
        return table + 8 * (a >> 12 & 511)

    def forget_space(self, space: int) -> None:
        """Forget the tables of an address space of the guest."""
        for key in [key for key in self.roots if key[1] >> 44 & 0xFFFF == space]:
            del self.roots[key]
        if self.current not in self.roots:
            self.current = ()

"""Shadow page tables, kept as a virtual TLB: filled by hidden faults, emptied when the guest fences or changes its table."""

from __future__ import annotations

import struct
from typing import Any, Final

from simvirt.emulation.making import PAGE, Filled, Made, as_column
from simvirt.machine import constants as c
from simvirt.machine import plain
from simvirt.machine.tlb import find_entry, forget_entry

POOL: Final = 256  # pages of tables, the first of which is the monitor's own
SV39: Final = 8 << 60
SPACES: Final = 1 << 16
LEAF: Final = c.PTE_V | c.PTE_U | c.PTE_A | c.PTE_D
MAPPED: Final = c.CONTEXTS * c.FAST - c.FAST


class Shadow:
    """Tables that the real hart walks: a root for each context of the guest."""

    def __init__(self, real: Made, first: int) -> None:
        self.real = real
        self.first = first  # place in ram of the pool
        self.view = plain.Machine()
        for name in ("tlb", "fast", "counts"):
            self.view.bind(name, real.tables[name], None)
        self.absent = as_column(Filled(MAPPED, c.UNFOUND))
        self.roots: dict[int, tuple[int, int]] = {}
        self.used, self.space = 1, 0
        self.current = -1

    def give_page(self) -> int:
        """Place in ram of an empty table."""
        place = self.first + self.used * PAGE
        self.used += 1
        self.real.memory["ram"][place : place + PAGE] = bytes(PAGE)
        return place

    def empty(self) -> None:
        """Forget all; address spaces of the real TLB are used once, so that old entries match nothing."""
        self.roots.clear()
        self.used, self.current = 1, -1

    def enter(self, context: int) -> None:
        """Let the real hart translate by the table of a context."""
        if context == self.current:
            return
        if context not in self.roots:
            self.next_space()
            self.roots[context] = self.give_page(), self.space
        place, space = self.roots[context]
        page = place + self.real.size.base >> 12
        self.real.registers["csr"][c.SATP] = (SV39 | space << 44 | page) - (1 << 64)
        for column in ("reads", "writes", "fetches"):
            self.real.fast[column][c.FAST :] = self.absent
        self.current = context

    def next_space(self) -> None:
        """Take a new address space; when all are used the real TLB is emptied."""
        self.space += 1
        if self.space == SPACES:
            self.space = 1
            self.real.tlb["level"][:] = as_column(Filled(len(self.real.tlb["level"]), -1))

    def fill(self, context: int, a: int, at: int, rights: int) -> None:
        """Map a page of the guest."""
        if self.used + 3 > POOL:
            self.empty()
        self.enter(context)
        place = self.table_of(self.roots[context][0], a) + 8 * (a >> 12 & 511)
        ram: Any = self.real.memory["ram"]
        if struct.unpack_from("<Q", ram, place)[0]:
            self.forget(a)
        struct.pack_into("<Q", ram, place, at >> 12 << 10 | LEAF | rights)

    def table_of(self, table: int, a: int) -> int:
        """Place in ram of the lowest table for an address, which is made if it is not there."""
        ram: Any = self.real.memory["ram"]
        for level in (2, 1):
            place = table + 8 * (a >> 12 + 9 * level & 511)
            entry = struct.unpack_from("<Q", ram, place)[0]
            table = (entry >> 10 << 12) - self.real.size.base if entry else self.give_page()
            struct.pack_into("<Q", ram, place, table + self.real.size.base >> 12 << 10 | c.PTE_V)
        return table

    def forget(self, a: int) -> None:
        """Take what the real TLB has of a page out of it."""
        for unit in (0, 1):
            row = find_entry(self.view, unit, a, self.space_of_current())
            if row >= 0:
                forget_entry(self.view, row)

    def space_of_current(self) -> int:
        """The address space in use."""
        return self.roots[self.current][1]

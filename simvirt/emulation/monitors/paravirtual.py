"""Paravirtualization: the guest's kernel knows of the monitor, and asks by one call for what would take it many exits.

*Model.* As under `trap`, but a call (`ecall`) of the guest's kernel with EXTENSION in `a7` is one to the monitor. `a6` is the function,
arguments are in `a0` to `a2`; the result is an error as SBI has it in `a0` (0 for none) and a value in `a1`:

* 0, version: the value is VERSION. A machine that has no such monitor under it gives "not supported", so that a guest finds out.
* 1, update of tables: at the physical address `a0` lie `a1` entries of three words: where an entry of a table of pages lies, what it
  is to be, and the page whose translation it is. They are written, and these pages are forgotten; the guest need not fence.
* 2, timer: it rings at the time `a0`.
* 3, console: `a1` bytes at the physical address `a0` are said.

An update or text that is not as a whole in the memory, or has more than MOST entries or bytes, is refused with "invalid address" or
"invalid parameter", and nothing of it is done. A guest that asks for nothing is one under `trap`.
*Ignores.* Interrupts that are held off without an exit, and calls of programs that go straight to the kernel.
*Source.* Barham et al., Xen and the Art of Virtualization, SOSP 2003 (hypercalls, batched updates of page tables); RISC-V Supervisor
Binary Interface Specification 2.0 (errors; extensions from 0x08000000 on are experimental).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final

from simvirt import machine
from simvirt.emulation.making import PAGE
from simvirt.emulation.monitors.trap import Trap
from simvirt.machine import constants as c
from simvirt.machine.devices.uart import SENT

EXTENSION: Final = 0x08535650
VERSION: Final = 1
MOST: Final = 4096
OK, NOT_SUPPORTED, INVALID, BAD_ADDRESS = 0, -2, -3, -5
A0, A1, A6, A7 = 10, 11, 16, 17
UPDATE: Final = struct.Struct("<3q")
WORD: Final = struct.Struct("<q")
LENGTH: Final = 4  # of the instruction that calls


class Paravirtual(Trap):
    """The virtual machine of a guest that may make hypercalls."""

    def emulate(self, cause: int | str) -> None:
        """Serve a hypercall; any other instruction is carried out."""
        x = self.registers["x"]
        if cause != c.ECALL or self.own["mode"][0] == c.USER or int(x[A7]) != EXTENSION:
            super().emulate(cause)
            return
        self.own["count"][0] += 1
        self.own["pc"][0] += LENGTH
        name, serve = CALLS.get(int(x[A6]), ("not there", Paravirtual.refuse))
        self.note(cause, f"hypercall: {name}")
        x[A0], x[A1] = serve(self, int(x[A0]), int(x[A1]))

    def refuse(self, first: int, second: int) -> tuple[int, int]:
        """There is no such call."""
        return NOT_SUPPORTED, 0

    def version(self, first: int, second: int) -> tuple[int, int]:
        """That there is a monitor."""
        return OK, VERSION

    def place(self, at: int, count: int) -> int:
        """Place in ram of so many bytes at a physical address; -1 where they are not in the memory."""
        begin = at - self.size.base
        return begin if 0 <= begin <= self.size.memory - count else -1

    def update(self, at: int, count: int) -> tuple[int, int]:
        """Write entries of tables, and forget what they have translated."""
        if not 0 <= count <= MOST:
            return INVALID, 0
        begin = self.place(at, count * UPDATE.size)
        if begin < 0:
            return BAD_ADDRESS, 0
        rows = [UPDATE.unpack_from(self.memory["ram"], begin + k * UPDATE.size) for k in range(count)]
        places = [self.place(entry, WORD.size) for entry, _, _ in rows]
        if any(place < 0 or place % WORD.size for place in places):
            return BAD_ADDRESS, 0
        for place, (_, value, page) in zip(places, rows, strict=True):
            self.write(place, value, page)
        return OK, count

    def write(self, place: int, value: int, page: int) -> None:
        """Write an entry, and forget the page that it translates."""
        machine.write_to(self.machine, place // PAGE)
        WORD.pack_into(self.memory["ram"], place, value)
        machine.forget(self.machine, page, self.csr[c.SATP] >> 44 & 0xFFFF)
        self.shadow.forget_page(page)

    def timer(self, at: int, second: int) -> tuple[int, int]:
        """When the timer rings next."""
        self.clint["compare"][0] = at
        return OK, 0

    def write_console(self, at: int, count: int) -> tuple[int, int]:
        """Say bytes of memory."""
        if not 0 <= count <= MOST:
            return INVALID, 0
        begin = self.place(at, count)
        if begin < 0:
            return BAD_ADDRESS, 0
        uart = self.uart
        for letter in self.memory["ram"][begin : begin + count]:
            uart["sent"][int(uart["sent_count"][0]) % SENT] = letter
            uart["sent_count"][0] += 1
        self.counts["characters"][0] += count
        self.own["stop"][0] = c.OUTPUT
        return OK, count


CALLS: Final[dict[int, tuple[str, Callable[[Paravirtual, int, int], tuple[int, int]]]]] = {
    0: ("version", Paravirtual.version),
    1: ("update of tables", Paravirtual.update),
    2: ("timer", Paravirtual.timer),
    3: ("console", Paravirtual.write_console),
}
"""What serves a call, by its function."""

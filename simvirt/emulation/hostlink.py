"""The link to the host (HTIF): an ELF file with a word `tohost` prints, calls and ends through it, as test programs for RISC-V do.

*Model.* The word is looked at between slices. Its highest byte names a device, the next one a command, the rest is what it is about:
device 0 ends the run where that is odd, else it points at a system call of which `write` and `exit` are there; device 1 is a console.

*Ignores.* Files, and what is typed: reading gets nothing.

*Source.* What Spike, the reference simulator of RISC-V International, does (`fesvr`: device 0 `syscall_proxy`, device 1 `bcd`).
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

WORD: Final = struct.Struct("<Q")
CALL: Final = struct.Struct("<8Q")
SYSTEM, CONSOLE = 0, 1  # devices
PUT: Final = 1  # command of the console
WRITE, EXIT = 64, 93  # system calls
ABSENT: Final = -38 & (1 << 64) - 1  # ENOSYS
BAD_ADDRESS: Final = -14 & (1 << 64) - 1  # EFAULT
ANSWERED: Final = 1
TO, FROM = "tohost", "fromhost"


class Served(NamedTuple):
    """What the guest said, and its exit code if it has ended."""

    said: bytes = b""
    code: int | None = None


class HostLink:
    """The words of a guest for its host."""

    def __init__(self, ram: bytearray, size: int, base: int, symbols: dict[str, int]) -> None:
        self.ram, self.size, self.base = ram, size, base
        self.to = self.place(symbols[TO], WORD.size)
        self.answer = self.place(symbols[FROM], WORD.size) if FROM in symbols else None

    def place(self, at: int, count: int) -> int | None:
        """Place in ram of so many bytes at a physical address; None where they do not lie in the memory."""
        begin = at - self.base
        return begin if begin >= 0 and begin + count <= self.size else None

    def put(self, place: int | None, value: int) -> None:
        """Set a word."""
        if place is not None:
            WORD.pack_into(self.ram, place, value)

    def serve(self) -> Served:
        """Do what the guest asks for, if it does."""
        asked = WORD.unpack_from(self.ram, self.to)[0] if self.to is not None else 0
        if not asked:
            return Served()
        self.put(self.to, 0)
        device, command, payload = asked >> 56, (asked >> 48) & 0xFF, asked & 0xFFFFFFFFFFFF
        if device == CONSOLE:
            return Served(bytes([payload & 0xFF]) if command == PUT else b"")
        if device != SYSTEM or command:
            return Served()
        return Served(code=payload >> 1) if payload & 1 else self.call(payload)

    def call(self, at: int) -> Served:
        """A system call: its number and arguments lie in memory, where the result goes too."""
        place = self.place(at, CALL.size)
        self.put(self.answer, ANSWERED)
        if place is None:
            return Served()
        number, first, second, third = CALL.unpack_from(self.ram, place)[:4]
        if number == EXIT:
            return Served(code=first & 0xFFFFFFFF)
        text = self.place(second, third) if number == WRITE else None
        self.put(place, ABSENT if number != WRITE else BAD_ADDRESS if text is None else third)
        return Served(b"" if text is None else bytes(self.ram[text : text + third]))

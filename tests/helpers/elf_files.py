"""ELF files for RISC-V that are linked with their host: one segment, and the symbols `tohost` and `fromhost`."""

from __future__ import annotations

from simvirt.emulation.images import HEADER, SECTION, SEGMENT, SYMBOL

IDENT = b"\x7fELF\x02\x01\x01" + bytes(9)
NAMES = b"\0tohost\0fromhost\0.symtab\0.strtab\0"
TABLE, TEXTS = 2, 3  # kinds of sections


def linked_file(memory: bytes, base: int, to: int, answer: int, size: int = 0) -> bytes:
    """A file whose bytes lie at an address, where it begins too; the words for the host lie at two others."""
    at = HEADER.size + SEGMENT.size
    symbols = bytes(SYMBOL.size) + SYMBOL.pack(NAMES.index(b"tohost"), 0, 0, 0, to, 8) + SYMBOL.pack(NAMES.index(b"fromhost"), 0, 0, 0, answer, 8)
    sections = at + len(memory) + len(symbols) + len(NAMES)
    head = HEADER.pack(IDENT, 2, 243, 1, base, HEADER.size, sections, 0, HEADER.size, SEGMENT.size, 1, SECTION.size, 3, 2)
    segment = SEGMENT.pack(1, 7, at, base, base, len(memory), size or len(memory), 0)
    table = SECTION.pack(NAMES.index(b".symtab"), TABLE, 0, 0, at + len(memory), len(symbols), 2, 0, 8, SYMBOL.size)
    names = SECTION.pack(NAMES.index(b".strtab"), TEXTS, 0, 0, at + len(memory) + len(symbols), len(NAMES), 0, 0, 1, 0)
    return head + segment + memory + symbols + NAMES + bytes(SECTION.size) + table + names

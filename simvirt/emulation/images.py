"""Images: what a file holds, as pieces of memory and the address to begin at. Whatever is wrong with a file is said with its offset."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simvirt.errors import UsageError

ELF: Final = b"\x7fELF"
HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT: Final = struct.Struct("<IIQQQQQQ")
LOADED: Final = 1
RISCV: Final = 243
CLASS_64, LITTLE = 2, 1
MOST_SEGMENTS: Final = 256


@dataclass(frozen=True)
class Image:
    """Pieces of memory by physical address, and where to begin."""

    name: str
    pieces: tuple[tuple[int, bytes], ...]
    entry: int

    @property
    def end(self) -> int:
        """Behind the last byte."""
        return max(at + len(data) for at, data in self.pieces)


def read_file(path: Path, what: str) -> bytes:
    """The bytes of a file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: the {what} cannot be read: {error.strerror or error}") from None
    if not data:
        raise UsageError(f"{path}: the {what} is empty; expected an ELF file for RISC-V of 64 bits, or a raw image")
    return data


def load(path: Path, at: int, what: str) -> Image:
    """An image from a file: ELF at its own addresses, anything else as it is at an address."""
    data = read_file(path, what)
    return elf(data, str(path)) if data.startswith(ELF) else Image(str(path), ((at, data),), at)


def elf(data: bytes, name: str) -> Image:
    """The segments of an ELF file that are to be loaded."""
    if len(data) < HEADER.size:
        raise UsageError(f"{name}: offset 0: an ELF header of {HEADER.size} bytes was expected, {len(data)} came")
    ident, _, machine, _, entry, at, _, _, _, size, count, *_ = HEADER.unpack_from(data)
    if ident[4] != CLASS_64 or ident[5] != LITTLE or machine != RISCV:
        raise UsageError(f"{name}: offset 4: expected a little-endian ELF file of 64 bits for RISC-V ({RISCV}), machine {machine} came")
    if size != SEGMENT.size or count > MOST_SEGMENTS:
        raise UsageError(f"{name}: offset 54: expected up to {MOST_SEGMENTS} segments of {SEGMENT.size} bytes, {count} of {size} came")
    found = [segment(data, name, at + k * size) for k in range(count)]
    pieces = tuple(piece for piece in found if piece is not None)
    if not pieces:
        raise UsageError(f"{name}: offset {at}: an ELF file without a segment to load")
    return Image(name, pieces, physical(data, at, count, entry))


def segment(data: bytes, name: str, at: int) -> tuple[int, bytes] | None:
    """A segment as a piece of memory; None if it is not to be loaded."""
    if at < 0 or at + SEGMENT.size > len(data):
        raise UsageError(f"{name}: offset {at}: the segment's header lies behind the end of the file, at {len(data)}")
    kind, _, offset, _, address, in_file, in_memory, _ = SEGMENT.unpack_from(data, at)
    if kind != LOADED or not in_memory:
        return None
    if offset + in_file > len(data) or in_file > in_memory:
        raise UsageError(f"{name}: offset {at}: a segment of {in_file} bytes at {offset} in a file of {len(data)}")
    return address, data[offset : offset + in_file]


def physical(data: bytes, at: int, count: int, entry: int) -> int:
    """The physical address of the entry, which is virtual."""
    for k in range(count):
        kind, _, _, virtual, address, _, size, _ = SEGMENT.unpack_from(data, at + k * SEGMENT.size)
        if kind == LOADED and virtual <= entry < virtual + size:
            return int(entry - virtual + address)
    return entry

"""Images: what a file holds, as pieces of memory and the address to begin at. Whatever is wrong with a file is said with its offset."""

from __future__ import annotations

import re
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

from simvirt.errors import UsageError

ELF: Final = b"\x7fELF"
HEADER: Final = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT: Final = struct.Struct("<IIQQQQQQ")
SECTION: Final = struct.Struct("<IIQQQQIIQQ")
SYMBOL: Final = struct.Struct("<IBBHQQ")
LINUX: Final = b"RSC\x05"
LINUX_AT: Final = 56  # where a kernel of Linux says that it is one
LOADED: Final = 1
SYMBOLS: Final = 2  # kind of a section
RISCV: Final = 243
CLASS_64, LITTLE = 2, 1
EXECUTABLE, SHARED = 2, 3
MOST_SEGMENTS: Final = 256
MOST: Final = 1 << 30  # bytes of a file
MOST_LABELS: Final = 500_000
CODE_SYMBOLS: Final = (0, 2)  # a label, a function
NAME: Final = re.compile(r"[A-Za-z_][\w.]*")
LINKS: Final = ("tohost", "fromhost")


@dataclass(frozen=True)
class Image:
    """Pieces of memory by physical address, and where to begin."""

    name: str
    pieces: tuple[tuple[int, bytes], ...]
    entry: int
    zeros: tuple[tuple[int, int], ...] = ()  # where, and how many bytes of zero a program has behind a piece
    symbols: dict[str, int] = field(default_factory=dict)  # physical addresses of the words that link a guest with its host
    supervisor: bool = False  # it begins in supervisor mode, above the firmware that is built in
    labels: dict[str, int] = field(default_factory=dict)  # addresses of its functions and labels by their names, for a debugger

    @property
    def end(self) -> int:
        """Behind the last byte."""
        return max(at + len(data) for at, data in self.pieces)

    def extents(self) -> Iterator[tuple[int, int]]:
        """Where its bytes lie, and how many: what it brings, and what is zero."""
        yield from ((at, len(data)) for at, data in self.pieces)
        yield from self.zeros


def read_file(path: Path, what: str) -> bytes:
    """The bytes of a file; a device, or what has no end, is none."""
    try:
        about = path.stat()
        if not (stat.S_ISREG(about.st_mode) or stat.S_ISFIFO(about.st_mode)):
            raise UsageError(f"{path}: the {what} is no file but a {'directory' if stat.S_ISDIR(about.st_mode) else 'device'}")
        with path.open("rb") as file:
            data = file.read(MOST + 1) if about.st_size <= MOST else b""
    except OSError as error:
        raise UsageError(f"{path}: the {what} cannot be read: {error.strerror or error}") from None
    if about.st_size > MOST or len(data) > MOST:
        raise UsageError(f"{path}: the {what} has more than {MOST >> 30} GiB")
    if not data:
        raise UsageError(f"{path}: the {what} is empty; expected an ELF file for RISC-V of 64 bits, or a raw image")
    return data


def load(path: Path, at: int, what: str) -> Image:
    """An image from a file: ELF at its own addresses, anything else as it is at an address."""
    data = read_file(path, what)
    if data.startswith(ELF):
        return elf(data, str(path))
    return Image(str(path), ((at, data),), at, supervisor=data[LINUX_AT : LINUX_AT + len(LINUX)] == LINUX)


def elf(data: bytes, name: str) -> Image:
    """The segments of an ELF file that are to be loaded."""
    check_kind(data, name)
    _, kind, machine, _, entry, at, _, _, _, size, count, *_ = HEADER.unpack_from(data)
    if machine != RISCV:
        raise UsageError(f"{name}: offset 18: expected an ELF file for RISC-V ({RISCV}), machine {machine} came")
    if kind not in (EXECUTABLE, SHARED):
        raise UsageError(f"{name}: offset 16: expected an ELF file that is linked ({EXECUTABLE} or {SHARED}), type {kind} came")
    if size != SEGMENT.size or count > MOST_SEGMENTS:
        raise UsageError(f"{name}: offset 54: expected up to {MOST_SEGMENTS} segments of {SEGMENT.size} bytes, {count} of {size} came")
    found = [one for k in range(count) if (one := segment(data, name, at + k * size)) is not None]
    if not found:
        raise UsageError(f"{name}: offset {at}: an ELF file without a segment to load")
    pieces = tuple((one.address, one.data) for one in found)
    zeros = tuple((one.address + len(one.data), one.size - len(one.data)) for one in found if one.size > len(one.data))
    places = {symbol: physical(found, value) for symbol, value in linked(data).items()}
    return Image(
        name, pieces, begin_of(found, entry, name), zeros, {symbol: at for symbol, at in places.items() if at is not None},
        labels=labels_of(data),
    )


def check_kind(data: bytes, name: str) -> None:
    """UsageError where the first bytes are not those of a little-endian file of 64 bits."""
    if len(data) < HEADER.size:
        raise UsageError(f"{name}: offset 0: an ELF header of {HEADER.size} bytes was expected, {len(data)} came")
    if data[4] != CLASS_64:
        raise UsageError(f"{name}: offset 4: expected an ELF file of 64 bits ({CLASS_64}), class {data[4]} came")
    if data[5] != LITTLE:
        raise UsageError(f"{name}: offset 5: expected a little-endian ELF file ({LITTLE}), {data[5]} came")


@dataclass(frozen=True)
class Segment:
    """What is loaded of an ELF file."""

    virtual: int
    address: int
    data: bytes
    size: int  # in memory


def segment(data: bytes, name: str, at: int) -> Segment | None:
    """A segment; None if it is not to be loaded."""
    if at < 0 or at + SEGMENT.size > len(data):
        raise UsageError(f"{name}: offset {at}: the segment's header lies behind the end of the file, at {len(data)}")
    kind, _, offset, virtual, address, in_file, in_memory, _ = SEGMENT.unpack_from(data, at)
    if kind != LOADED or not in_memory:
        return None
    if offset + in_file > len(data) or in_file > in_memory:
        raise UsageError(f"{name}: offset {at}: a segment of {in_file} bytes at {offset} in a file of {len(data)}")
    return Segment(virtual, address, data[offset : offset + in_file], in_memory)


def physical(segments: list[Segment], virtual: int) -> int | None:
    """The physical address of a virtual one, which is taken as it is where only that lies in a segment; None for neither."""
    for one in segments:
        if one.virtual <= virtual < one.virtual + one.size:
            return virtual - one.virtual + one.address
    return virtual if any(one.address <= virtual < one.address + one.size for one in segments) else None


def begin_of(segments: list[Segment], entry: int, name: str) -> int:
    """The physical address to begin at; UsageError where nothing is loaded there."""
    found = physical(segments, entry)
    if found is None or found & 1:
        raise UsageError(f"{name}: offset 24: the entry, {entry:#x}, is no address of an instruction in a segment that is loaded")
    return found


def linked(data: bytes) -> dict[str, int]:
    """The symbols that link a guest with its host; none where the file has none, or a table of them that is cut off."""
    found: dict[str, int] = {}
    for names, at, _, value in symbols_of(data, LINKS[0].encode()):
        found |= {one: value for one in LINKS if names.startswith(one.encode() + b"\0", at)}
    return found


def labels_of(data: bytes) -> dict[str, int]:
    """Names of the file's functions and labels, as they are linked; those that are not letters, and beyond a number, are left out."""
    found: dict[str, int] = {}
    for names, at, about, value in islice(symbols_of(data), MOST_LABELS):
        name = names[at : names.find(b"\0", at)].decode("ascii", "ignore")
        if about & 15 in CODE_SYMBOLS and NAME.fullmatch(name):
            found[name] = value
    return found


def symbols_of(data: bytes, wanted: bytes = b"") -> Iterator[tuple[bytes, int, int, int]]:
    """Names of a table of symbols, and of each symbol where its name begins there, its kind and its value; of tables with a wanted name."""
    sections = list(sections_of(data))
    for kind, offset, size, link in sections:
        if kind != SYMBOLS or link >= len(sections):
            continue
        names = data[sections[link][1] : sections[link][1] + sections[link][2]]
        if wanted in names:
            table = data[offset : offset + size]
            for at, about, _, _, value, _ in SYMBOL.iter_unpack(table[: len(table) - len(table) % SYMBOL.size]):
                yield names, at, about, value


def sections_of(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Kind, offset, size and link of the sections."""
    at, size, count = HEADER.unpack_from(data)[6], *HEADER.unpack_from(data)[11:13]
    for k in range(count if size == SECTION.size else 0):
        if at + (k + 1) * size > len(data):
            return
        _, kind, _, _, offset, length, link, *_ = SECTION.unpack_from(data, at + k * size)
        yield kind, offset, length, link

"""Makes the tables of a machine: columns of their lengths, as arrays for the compiled machine and as lists for the plain one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any, Final

import numpy as np

from simvirt import machine
from simvirt.emulation import encoding
from simvirt.emulation.monitors.options import Options
from simvirt.emulation.registers import REGISTERS
from simvirt.errors import UsageError
from simvirt.machine import constants as c
from simvirt.machine import tables
from simvirt.machine.blocks import FIRST_ROW, HALFWORDS
from simvirt.machine.decode import COMPRESSED, NO_IMMEDIATE, NO_RD, NO_RS1, NO_RS2
from simvirt.machine.devices.bus import DEVICES
from simvirt.machine.devices.plic import SOURCES
from simvirt.machine.devices.rings import LARGEST, QUEUES, SLOTS, TALLIES
from simvirt.machine.devices.uart import RING, SENT
from simvirt.machine.devices.virtio import CONFIG_BYTES
from simvirt.machine.devices.virtio_net import FRAME_BYTES, FRAMES
from simvirt.units import parse_size

PAGE: Final = 4096
LEAST: Final = 4 << 20
MOST: Final = 4 << 30
BEHIND: Final = 16  # bytes behind the memory, for accesses to devices and across pages
HEADER: Final = 32  # bytes at the begin of a chain that a device looks at
MODES: Final = 2 * c.GUEST  # of the host, and of a guest
BUCKETS: Final = COMPRESSED + 24
NONZERO: Final = {"imm": NO_IMMEDIATE, "rd": NO_RD, "rs1": NO_RS1, "rs2": NO_RS2}
PIECES: Final = {"rd": 0, "rs1": 1, "rs2": 2, "imm": 3}
LONGEST: Final = 64  # instructions of a block at most
CAPACITY: Final = {"compiled": (1 << 20, 4096), "plain": (1 << 16, 256)}
"""Rows of decoded instructions, and pages with a slot, by how the machine runs; results are the same."""


@dataclass(frozen=True)
class Size:
    """What a machine is made with."""

    memory: int = 128 << 20
    base: int = 0x80000000
    sets: int = 128
    ways: int = 4
    pace: int = 1  # instructions a tick of the clock
    logged: int = 0  # rows of the log; none where nobody looks at what happens

    @property
    def pages(self) -> int:
        """Pages of memory."""
        return self.memory // PAGE


def sized(memory: str) -> Size:
    """A machine with a memory of whole pages; UsageError where that is no size, too small or too large."""
    found = int(parse_size(memory))
    if found % PAGE or not LEAST <= found <= MOST:
        raise UsageError(f"--memory {memory}: expected whole pages from {LEAST >> 20} MiB to {MOST >> 30} GiB, for example 128MiB")
    return Size(memory=found)


Happening = tuple[int, int, int, int, int, int]
"""A row of the log: its kind, what, where, more, the count of instructions and the ticks that had passed in waiting."""
LOG_COLUMNS: Final = ("kind", "what", "where", "more", "count", "skipped")


class Made:
    """A machine, and its tables as Python sees them: `made.hart["pc"][0]`."""

    told: Callable[[str], None] | None = None  # of each exit to a monitor, by its name

    def __init__(self, size: Size, options: Options | None = None) -> None:
        self.size = size
        self.options = options or Options()
        self.machine = machine.make_machine()
        self.tables: dict[str, dict[str, Any]] = {}
        self.records: dict[str, Any] = {}
        given = initial(size)
        for name, kind in tables.Machine.__annotations__.items():
            self.add(name, kind, given[name])
        self.reset()

    def __getattr__(self, table: str) -> dict[str, Any]:
        try:
            return self.__dict__["tables"][table]  # type: ignore[no-any-return]
        except KeyError:
            raise AttributeError(table) from None

    def add(self, name: str, kind: type, given: Mapping[str, Any]) -> None:
        """Make a table, those of its columns that lie together as one array."""
        together = machine.RECORDS[name]
        columns = {column: as_column(given[column]) for column in kind.__annotations__ if column not in together}
        records = None
        if together:
            array = np.zeros(len(given[together[0]]), form(name))
            for column in together:
                if not (isinstance(given[column], Filled) and not given[column].value):
                    array[column] = values_of(given[column])
                columns[column] = array[column]
            records = array.view(np.int64).reshape(-1)
        self.tables[name], self.records[name] = columns, records
        machine.bind(self.machine, name, columns, records)

    def share(self, other: Made, name: str, *columns: str) -> None:
        """Use a table of another machine, or some of its columns that are arrays."""
        self.tables[name] = self.tables[name] | {column: other.tables[name][column] for column in columns or other.tables[name]}
        if not columns:
            self.records[name] = other.records[name]
        machine.bind(self.machine, name, self.tables[name], self.records[name])

    def reset(self) -> None:
        """Bring up to date what follows from registers."""
        machine.reset(self.machine)

    @property
    def exits(self) -> Counter[str]:
        """Exits to a monitor, by what they are for; a machine that nobody virtualizes has none."""
        return Counter()

    def happened(self) -> Sequence[Happening]:
        """What the log has, which is empty afterwards."""
        count, self.log["filled"][0] = int(self.log["filled"][0]), 0
        return list(zip(*([int(value) for value in self.log[column][:count]] for column in LOG_COLUMNS), strict=True))

    def counted(self) -> dict[str, Any]:
        """Tables of counts by their names."""
        return self.tables["counts"]

    def advance(self, end: int) -> int:
        """Run up to a count of instructions and traps, or until there is something to do; why it came back."""
        return int(machine.advance(self.machine, end))

    def type_in(self, letter: int) -> bool:
        """Let a character come in, if there is room."""
        return bool(machine.type_in(self.machine, letter))

    def take_columns(self, name: str) -> None:
        """Use the columns of a table without records that have been replaced."""
        machine.bind(self.machine, name, self.tables[name], None)

    def fence(self) -> None:
        """Forget all translations."""
        machine.fence_all(self.machine)

    def written(self, page: int) -> None:
        """Forget what was decoded of a page of ram that has been written to."""
        machine.write_to(self.machine, page)

    def store(self, place: int, data: bytes) -> None:
        """Write into ram at a place where all of it lies in the memory."""
        self.memory["ram"][place : place + len(data)] = data
        for page in range(place // PAGE, -(-(place + len(data)) // PAGE)):
            self.written(page)


def form(table: str) -> np.dtype[np.void]:
    """A row of a table whose columns lie together: the wide ones, then the narrow ones, and what is left free."""
    formats = machine.FORMATS[table]
    ends = list(accumulate(int(found[1:]) for found in formats))
    names, size = machine.RECORDS[table], 8 * machine.WORDS[table]
    return np.dtype({"names": names, "formats": formats, "offsets": [0, *ends[:-1]], "itemsize": size})


@dataclass(frozen=True)
class Filled:
    """A column whose values are all alike; one of zeros takes no memory before it is used."""

    count: int
    value: int = 0

    def __len__(self) -> int:
        return self.count


def values_of(column: Any) -> Any:
    """A column as an array."""
    if isinstance(column, Filled):
        return np.full(column.count, column.value, np.int64) if column.value else np.zeros(column.count, np.int64)
    return np.asarray(column, dtype=np.int64)


def as_column(column: Any) -> Any:
    """A column as the machine in use wants it."""
    if isinstance(column, bytearray):
        return column
    return values_of(column) if machine.MODE == "compiled" else values_of(column).tolist()


def row(kind: type, **values: Any) -> dict[str, Any]:
    """A table of one row: zeros but for what is given."""
    return {column: values.get(column, [0]) for column in kind.__annotations__}


def rows(kind: type, count: int, **fill: int) -> dict[str, Any]:
    """A table of rows that are all alike."""
    return {column: Filled(count, fill.get(column, 0)) for column in kind.__annotations__}


def initial(size: Size, mode: str = machine.MODE) -> dict[str, dict[str, Any]]:
    """All tables of a machine that has been switched on."""
    rows_of_code, slots = CAPACITY[mode]
    units = 2 * size.sets * size.ways
    cache = {
        "used": [FIRST_ROW], "rows": [rows_of_code], "most": [slots], "starts": Filled(slots * HALFWORDS),
        "owner": Filled(slots), "illegal": [encoding.illegal()], "go_on": [encoding.go_on()],
        "call_out": [encoding.call_out()],
    }
    sets = {"oldest": Filled(2 * size.sets), "sets": [size.sets], "ways": [size.ways]}
    return {
        "hart": row(tables.Hart, pc=[size.base], mode=[c.MACHINE], pace=[size.pace], reserved=[-1], longest=[LONGEST]),
        "registers": {"x": Filled(c.DUMP + 1), "csr": control()},
        "memory": row(tables.Memory, ram=bytearray(size.memory + BEHIND), size=[size.memory], base=[size.base]),
        "code": rows(tables.Code, rows_of_code),
        "cache": row(tables.Cache, **cache),
        "pages": rows(tables.Pages, size.pages, slot=-1),
        "fast": rows(tables.Fast, c.FAST * c.CONTEXTS, reads=c.UNFOUND, writes=c.UNFOUND, fetches=c.UNFOUND),
        "tlb": rows(tables.Tlb, units, level=-1) | sets,
        **decoding(),
        "csrs": csrs(),
        "stage": row(tables.Stage),
        "clint": row(tables.Clint, compare=[-1]),
        "plic": plic(),
        "uart": row(tables.Uart, thri=[1], sent=Filled(SENT), came=Filled(RING)),
        "virtio": rows(tables.Virtio, SLOTS),
        "queues": rows(tables.Queues, SLOTS * QUEUES),
        "chain": row(tables.Chain, header=bytearray(HEADER)),
        "segments": rows(tables.Segments, LARGEST + 1),
        "disk": {"data": bytearray(HEADER), "sectors": [0], "name": bytearray(HEADER), "config": bytearray(SLOTS * CONFIG_BYTES + 8)},
        "frames": frames(),
        "counts": counts(),
        "log": log(size.logged),
    }


def control() -> Any:
    """Registers of control as they are at first."""
    values = np.zeros(4096, np.int64)
    for register in REGISTERS:
        values[register.number] = register.initial
    return values


def csrs() -> dict[str, Any]:
    """What each number of a register of control is."""
    table = {column: np.zeros(4096, np.int64) for column in tables.Csrs.__annotations__}
    for register in REGISTERS:
        n = register.number
        table["kind"][n], table["home"][n] = register.kind, n if register.home is None else register.home
        table["readable"][n], table["writable"][n] = register.readable, register.writable
    return table


def plic() -> dict[str, Any]:
    """Sources and contexts of interrupts."""
    sources = ("priority", "pending", "level", "claimed")
    return {column: [0] * (SOURCES if column in sources else 2) for column in tables.Plic.__annotations__}


def frames() -> dict[str, Any]:
    """No frame waits in either direction."""
    count = 2 * FRAMES
    return {"data": bytearray(count * FRAME_BYTES), "count": Filled(count), "head": [0, 0], "tail": [0, 0], "goes": [0]}


def counts() -> dict[str, Any]:
    """All zero."""
    sizes = {
        "traps": MODES * 2 * c.CAUSES, "instructions": MODES, "references": 3, "second": 3, "accesses": 2 * DEVICES,
        "carried": len(machine.INSTRUCTIONS),
        "virtio": SLOTS * TALLIES,
    }
    return {column: [0] * sizes.get(column, 2) for column in tables.Counts.__annotations__}


def log(count: int) -> dict[str, Any]:
    """The log, of so many rows."""
    return rows(tables.Log, count) | {"filled": [0], "rows": [count]}


@cache
def decoding() -> dict[str, dict[str, Any]]:
    """The patterns of the instruction set as tables: by bucket, the encodings that an instruction there may have."""
    patterns: dict[str, list[int]] = {column: [] for column in tables.Patterns.__annotations__}
    pieces: dict[str, list[int]] = {column: [] for column in tables.Pieces.__annotations__}
    buckets: dict[str, list[int]] = {"first": [], "count": []}
    for bucket in range(BUCKETS):
        found = [one for one in encoding.encodings() if belongs(one, bucket)]
        extend(buckets, first=len(patterns["op"]), count=len(found))
        for one in found:
            add_pattern(patterns, one, len(pieces["what"]))
            add_pieces(pieces, one.pieces)
    return {"patterns": patterns, "pieces": pieces, "decoding": buckets | {"base": bases()}}


def bases() -> list[int]:
    """By operation, the bits that its encoding of 32 bits has."""
    found = dict.fromkeys(range(len(machine.INSTRUCTIONS)), 0)
    found |= {one.op: one.match for one in reversed(encoding.encodings()) if one.bits == 32}
    return list(found.values())


def belongs(one: encoding.Encoding, bucket: int) -> bool:
    """Whether an encoding may be found in a bucket."""
    if bucket < COMPRESSED:
        fixed = (bucket >> 3) << 2 | (bucket & 7) << 12 | 3
        return one.bits == 32 and fixed & one.mask & 0x707F == one.match & 0x707F
    fixed = (bucket - COMPRESSED) >> 3 | (bucket & 7) << 13
    return one.bits == 16 and fixed & one.mask & 0xE003 == one.match & 0xE003


def extend(columns: dict[str, list[int]], **values: int) -> None:
    """Add a row."""
    for column, value in values.items():
        columns[column].append(value)


def add_pattern(patterns: dict[str, list[int]], one: encoding.Encoding, first: int) -> None:
    """Add an encoding, whose pieces begin at a row."""
    fixed = {column: one.fixed.get(column, 0) for column in ("rd", "rs1", "rs2", "imm")}
    nonzero = sum(NONZERO[what] for what in one.nonzero)
    extend(
        patterns, mask=one.mask, match=one.match, op=one.op, **fixed, first=first, pieces=len(one.pieces), sign=one.sign,
        nonzero=nonzero, other=one.other, relative=int(one.relative), ends=one.ends,
    )


def add_pieces(pieces: dict[str, list[int]], found: Sequence[encoding.Piece]) -> None:
    """Add the fields of an encoding."""
    for one in found:
        extend(pieces, what=PIECES[one.what], low=one.low, mask=(1 << one.width) - 1, to=one.to, add=one.add)

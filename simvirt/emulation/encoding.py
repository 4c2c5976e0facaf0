"""Encodings as patterns: `imm[11:0] rs1 000 rd 0010011` says which bits of an instruction are fixed, and what the others mean.

Parts stand from the highest bit to the lowest: fixed bits, `rd`, `rs1`, `rs2` (five bits), with `'` those of three bits that name
registers 8 to 15, joined by `/` where one field names two, with `!0` where that number is another instruction; `csr`, `zimm`;
`imm[4:1|11]`, `uimm[..]` without a sign, `nzimm[..]`, `nzuimm[..]` where zero is another instruction; `aq`, `rl`, `any[..]` for
bits that change nothing here. Decoder, disassembler and assembler come from these patterns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

from simvirt.emulation.compressed import COMPRESSED
from simvirt.machine.isa.shapes import BRANCH, GO_ON, JUMP, JUMP_REGISTER, SYSTEM, UPPER_PC
from simvirt.machine.steps import INSTRUCTIONS

IMMEDIATES: Final = re.compile(r"(nz)?(u)?imm\[([\d:|]+)\]")
SKIPPED: Final = re.compile(r"aq|rl|any\[(\d+):0\]")
COLUMNS: Final = {"rd": "rd", "rs1": "rs1", "rs2": "rs2", "csr": "imm", "zimm": "rs1"}
WIDTHS: Final = {"rd": 5, "rs1": 5, "rs2": 5, "csr": 12, "zimm": 5}


@dataclass(frozen=True)
class Piece:
    """Bits of an instruction that are bits of a register's number or of the immediate."""

    what: str  # rd, rs1, rs2, imm
    low: int
    width: int
    to: int = 0
    add: int = 0


@dataclass(frozen=True)
class Encoding:
    """One form of an instruction: its bits, and the operation that it is."""

    syntax: str
    op: int
    shape: int
    bits: int  # 16 or 32
    mask: int
    match: int
    pieces: tuple[Piece, ...]
    fixed: dict[str, int]  # registers that no field names
    sign: int  # highest bit of a signed immediate; 0 for none
    nonzero: frozenset[str]
    other: int  # number that rd is not, beside 0

    @property
    def mnemonic(self) -> str:
        """Its name in assembler."""
        return self.syntax.split()[0]

    @property
    def relative(self) -> bool:
        """Whether the immediate counts from the instruction."""
        return self.shape in (BRANCH, JUMP, UPPER_PC)

    @property
    def ends(self) -> int:
        """Whether it ends a block, and as a system instruction."""
        return 2 if self.shape == SYSTEM else int(self.shape in (JUMP, JUMP_REGISTER))

    def values(self, bits: int) -> dict[str, int]:
        """Registers and immediate of an instruction."""
        found = {"rd": 0, "rs1": 0, "rs2": 0, "imm": 0} | self.fixed
        for piece in self.pieces:
            found[piece.what] |= ((bits >> piece.low & (1 << piece.width) - 1) << piece.to) + piece.add
        if self.sign and found["imm"] >> self.sign & 1:
            found["imm"] -= 2 << self.sign
        return found

    def fits(self, bits: int) -> bool:
        """Whether an instruction has this form."""
        values = self.values(bits) if bits & self.mask == self.match else None
        return values is not None and all(values[what] for what in self.nonzero) and (not self.other or values["rd"] != self.other)

    def encoded(self, values: dict[str, int]) -> int:
        """The instruction with these registers and this immediate; ValueError if they have no place in it."""
        bits = self.match
        for piece in self.pieces:
            bits |= ((values[piece.what] - piece.add) >> piece.to & (1 << piece.width) - 1) << piece.low
        if not self.fits(bits) or any(self.values(bits)[what] != values.get(what, number) for what, number in self.values(bits).items()):
            raise ValueError(f"{self.mnemonic} cannot hold these operands")
        return bits


@dataclass
class _Reading:
    """A pattern as far as it has been read, from the lowest bit up."""

    at: int = 0
    mask: int = 0
    match: int = 0
    sign: int = 0
    other: int = 0

    def __post_init__(self) -> None:
        self.pieces: list[Piece] = []
        self.nonzero: set[str] = set()

    def take(self, part: str) -> None:
        """Read a part."""
        if skipped := SKIPPED.fullmatch(part):
            self.at += int(skipped[1] or 0) + 1
        elif immediate := IMMEDIATES.fullmatch(part):
            self.immediate(immediate[3], signed=not immediate[2], nonzero=bool(immediate[1]))
        elif part.strip("01") == "":
            self.mask |= (1 << len(part)) - 1 << self.at
            self.match |= int(part, 2) << self.at
            self.at += len(part)
        else:
            self.registers(part)

    def immediate(self, ranges: str, signed: bool, nonzero: bool) -> None:
        """Bits of the immediate, the highest first."""
        for part in reversed(ranges.split("|")):
            high, low = (int(bit) for bit in (part.split(":") * 2)[:2])
            self.pieces.append(Piece("imm", self.at, high - low + 1, low))
            self.sign = max(self.sign, high) if signed else self.sign
            self.at += high - low + 1
        self.nonzero |= {"imm"} if nonzero else set()

    def registers(self, part: str) -> None:
        """A field that names a register, or several."""
        names, _, excluded = part.partition("!")
        short = "'" in names
        width = 3 if short else WIDTHS[names.split("/")[0]]
        for name in names.replace("'", "").split("/"):
            self.pieces.append(Piece(COLUMNS[name], self.at, width, 0, 8 if short else 0))
            self.nonzero |= {COLUMNS[name]} if excluded else set()
        self.other = int(excluded or 0)
        self.at += width


def encoding(syntax: str, pattern: str, op: int, shape: int, fixed: dict[str, int]) -> Encoding:
    """An encoding from its pattern."""
    reading = _Reading()
    for part in reversed(pattern.split()):
        reading.take(part)
    assert reading.at in (16, 32), f"{syntax}: {reading.at} bits"
    nonzero, other = frozenset(reading.nonzero), reading.other
    return Encoding(syntax, op, shape, reading.at, reading.mask, reading.match, tuple(reading.pieces), fixed, reading.sign, nonzero, other)


@cache
def encodings() -> tuple[Encoding, ...]:
    """All of them, those with more fixed bits first."""
    numbers = {found.mnemonic: op for op, found in enumerate(INSTRUCTIONS)}
    found = [encoding(one.syntax, one.pattern, op, one.shape, {}) for op, one in enumerate(INSTRUCTIONS) if one.pattern]
    for short in COMPRESSED:
        op = numbers[short.base]
        found.append(encoding(short.syntax, short.pattern, op, INSTRUCTIONS[op].shape, short.fixed))
    return tuple(sorted(found, key=lambda one: -one.mask.bit_count()))


def operation(shape: int, mnemonic: str = "") -> int:
    """Number of the operation of a shape, and of a name if one is given."""
    return next(op for op, one in enumerate(INSTRUCTIONS) if one.shape == shape and mnemonic in ("", one.mnemonic))


def go_on() -> int:
    """Number of the operation that ends a block which no instruction ends."""
    return operation(GO_ON)


def call_out() -> int:
    """Number of the operation for what a monitor carries out."""
    return operation(SYSTEM, "(call-out)")


def illegal() -> int:
    """Number of the operation for what is no instruction."""
    return operation(SYSTEM, "(illegal)")

"""Writes instructions as an assembler reads them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from simvirt.emulation.encoding import Encoding, encodings
from simvirt.emulation.registers import NUMBERS

ABI: Final = (
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", *(f"a{k}" for k in range(8)), *(f"s{k}" for k in range(2, 12)),
    "t3", "t4", "t5", "t6",
)
"""Names of the registers by the calling convention."""
FIELDS: Final = re.compile(r"rd|rs1|rs2|imm|upper|target|csr|zimm")


def find(bits: int) -> Encoding | None:
    """The encoding of an instruction; None if it is none."""
    width = 32 if bits & 3 == 3 else 16
    return next((one for one in encodings() if one.bits == width and one.fits(bits)), None)


def disassembled(bits: int, at: int = 0) -> str:
    """An instruction that lies at an address."""
    one = find(bits)
    if one is None:
        return f".half {bits:#x}" if bits & 3 != 3 else f".word {bits:#x}"
    values = one.values(bits)
    name, _, operands = one.syntax.partition(" ")
    return f"{name} {FIELDS.sub(lambda field: operand(field[0], values, at), operands)}".rstrip()


def operand(field: str, values: dict[str, int], at: int) -> str:
    """A register, number or address as text."""
    match field:
        case "rd" | "rs1" | "rs2":
            return ABI[values[field]]
        case "zimm":
            return str(values["rs1"])
        case "csr":
            return NUMBERS.get(values["imm"], hex(values["imm"]))
        case "target":
            return hex(at + values["imm"] & (1 << 64) - 1)
        case "upper":
            return hex(values["imm"] >> 12 & 0xFFFFF)
    return str(values["imm"])


def listed(data: bytes, at: int) -> Iterator[tuple[int, int, str]]:
    """Address, bits and text of the instructions in a piece of memory."""
    place = 0
    while place + 2 <= len(data):
        size = 4 if data[place] & 3 == 3 else 2
        bits = int.from_bytes(data[place : place + size], "little")
        yield at + place, bits, disassembled(bits, at + place)
        place += size

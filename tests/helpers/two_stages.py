"""Guests above a host on the emulated machine: how one gets into them, tables, what a trap says."""

from __future__ import annotations

from typing import Final

from simvirt.emulation.emulator import Emulator
from simvirt.machine import constants as c

HOST: Final = 0x80100000
"""Where tables of the host lie: the root has four pages."""
SV39: Final = 8 << 60
FAULT_AT: Final = 0x80000100
INTO_GUEST: Final = (
    "la t0, guest\ncsrw mepc, t0\nli t1, {mode}\nslli t1, t1, 11\nli t2, 1\nslli t2, t2, 39\nor t1, t1, t2\ncsrw mstatus, t1\nmret\nguest:\n"
)


def put(emulator: Emulator, at: int, value: int) -> None:
    """Write an entry of a table."""
    emulator.ram[at - 0x80000000 : at - 0x80000000 + 8] = value.to_bytes(8, "little")


def trapped(emulator: Emulator, **expected: int) -> None:
    """Run to the trap, and compare registers of control."""
    csr = emulator.made.registers["csr"]
    csr[c.MTVEC] = FAULT_AT
    put(emulator, FAULT_AT, 0x6F)
    emulator.run(60)
    names = {"cause": c.MCAUSE, "value": c.MTVAL, "physical": c.MTVAL2, "instruction": c.MTINST}
    assert {name: int(csr[names[name]]) for name in expected} == expected

"""Registers of control: who may read and write them, and what a write brings about.

What each holds is a table (`emulation/registers.py`).
"""

from simvirt.machine.constants import (
    ABSENT,
    COUNTER,
    DELEGATED,
    MACHINE,
    MCOUNTEREN,
    MCOUNTINHIBIT,
    MCYCLE,
    MIDELEG,
    MINSTRET,
    MIP,
    MSTATUS,
    PENDING,
    SATP,
    SCOUNTEREN,
    STATUS,
    STATUS_MPP,
    STATUS_MXR,
    STATUS_TVM,
    SUPERVISOR,
    TIME,
    TRANSLATION,
    USER,
)
from simvirt.machine.devices.clint import ticks
from simvirt.machine.interrupts import pending
from simvirt.machine.tables import IntArray, Machine
from simvirt.machine.tlb import forget_fast
from simvirt.machine.traps import refresh
from simvirt.machine.words import wrap

NO_MODE = 0x1000  # 2 in the field of the previous mode


def accessible(m: Machine, number: int, writes: bool) -> bool:
    """Whether the mode may read a register, and write it if it `writes`."""
    mode: int = m.hart.mode[0]
    kind: int = m.csrs.kind[number]
    if kind == ABSENT or (number >> 8) & 3 > mode or (writes and number >> 10 == 3):
        return False
    if kind == TRANSLATION and mode == SUPERVISOR and m.registers.csr[MSTATUS] & STATUS_TVM:
        return False
    return kind != COUNTER or mode == MACHINE or counted(m, number & 31, mode)


def counted(m: Machine, bit: int, mode: int) -> bool:
    """Whether a mode below machine mode may read a counter."""
    if not (m.registers.csr[MCOUNTEREN] >> bit) & 1:
        return False
    return mode != USER or (m.registers.csr[SCOUNTEREN] >> bit) & 1 != 0


def visible(m: Machine, number: int) -> int:
    """Bits of its home that a register shows."""
    if m.csrs.kind[number] == DELEGATED or number == MIP - 0x200:
        return m.csrs.readable[number] & m.registers.csr[MIDELEG]
    return m.csrs.readable[number]


def read_csr(m: Machine, number: int) -> int:
    """What a register holds."""
    kind: int = m.csrs.kind[number]
    if kind == PENDING:
        return pending(m) & visible(m, number)
    if kind == COUNTER:
        return ticks(m) if number == TIME else counter(m, m.csrs.home[number], m.hart.count[0] - 1)
    return m.registers.csr[m.csrs.home[number]] & visible(m, number)


def stands(m: Machine, home: int) -> bool:
    """Whether a counter is stopped."""
    return (m.registers.csr[MCOUNTINHIBIT] >> (home & 31)) & 1 != 0


def counter(m: Machine, home: int, count: int) -> int:
    """A counter at a count of instructions: its register holds what is to be added, or all of it where the counter is stopped."""
    return m.registers.csr[home] if stands(m, home) else wrap(m.registers.csr[home] + count)


def set_inhibited(m: Machine, value: int) -> None:
    """Stop counters, or let them go on from where they stand."""
    cycles: int = counter(m, MCYCLE, m.hart.count[0])
    retired: int = counter(m, MINSTRET, m.hart.count[0])
    m.registers.csr[MCOUNTINHIBIT] = value
    write_csr(m, MCYCLE, cycles)
    write_csr(m, MINSTRET, retired)


def write_csr(m: Machine, number: int, value: int) -> None:
    """Set what may be set, and bring up to date what follows from it."""
    csr: IntArray = m.registers.csr
    home: int = m.csrs.home[number]
    kind: int = m.csrs.kind[number]
    mask: int = m.csrs.writable[number] & (visible(m, number) if kind == PENDING or kind == DELEGATED else -1)
    before: int = csr[home]
    now: int = before & ~mask | value & mask
    if kind == STATUS:
        if now & STATUS_MPP == NO_MODE:
            now = now & ~STATUS_MPP | before & STATUS_MPP
        csr[home] = now
        if (before ^ now) & STATUS_MXR:
            forget_fast(m)
        refresh(m)
    elif kind == TRANSLATION:
        if (now >> 60) & 15 == 0 or (now >> 60) & 15 == 8:
            set_translation(m, now)
    elif kind == COUNTER:
        csr[home] = value if stands(m, home) else wrap(value - m.hart.count[0])
    elif number == MCOUNTINHIBIT:
        set_inhibited(m, now)
    else:
        csr[home] = now
    m.hart.limit[0] = 0


def set_translation(m: Machine, value: int) -> None:
    """Another table of pages, or another address space."""
    if value != m.registers.csr[SATP]:
        m.counts.switches[0] += 1
        m.registers.csr[SATP] = value
        forget_fast(m)
    refresh(m)

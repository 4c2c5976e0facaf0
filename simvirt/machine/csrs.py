"""Registers of control: who may read and write them, and what a write brings about.

What each holds is a table (`emulation/registers.py`).
"""

from simvirt.machine.constants import (
    ABSENT,
    COUNTER,
    DELEGATED,
    GUEST_BITS,
    GUEST_INTERRUPTS,
    HCOUNTEREN,
    HGATP,
    HIDELEG,
    HSTATUS,
    HSTATUS_VTVM,
    HTIMEDELTA,
    ILLEGAL,
    MACHINE,
    MCOUNTEREN,
    MCOUNTINHIBIT,
    MCYCLE,
    MIDELEG,
    MIE,
    MINSTRET,
    MIP,
    MSTATUS,
    PENDING,
    PMP_A,
    PMP_ADDRESS,
    PMP_BITS,
    PMP_CONFIGURATION,
    PMP_L,
    PMP_R,
    PMP_TOP,
    PMP_W,
    PROTECTION,
    REGION,
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
    VIRTUAL_INSTRUCTION,
    VSIP,
)
from simvirt.machine.devices.clint import ticks
from simvirt.machine.interrupts import pending
from simvirt.machine.tables import IntArray, Machine
from simvirt.machine.tlb import forget_fast
from simvirt.machine.traps import refresh
from simvirt.machine.words import left_shift, wrap

TABLE_MODE = -0x1000000000000000  # field of the kind of table
LAST_REGION = 15
NO_MODE = 0x1000  # 2 in the field of the previous mode


def own_number(m: Machine, number: int) -> int:
    """The register that a number names: a guest's supervisor has registers of its own."""
    if m.hart.virtual[0] and number >> 8 == 1 and m.csrs.kind[number + 0x100] != ABSENT:
        return number + 0x100
    return number


def refusal(m: Machine, number: int, writes: bool) -> int:
    """Cause of the trap of who may not read a register, or write it if it `writes`; 0 for who may."""
    level: int = (number >> 8) & 3
    if m.csrs.kind[number] == ABSENT or (writes and number >> 10 == 3):
        return ILLEGAL
    if level > m.hart.mode[0] and (level == MACHINE or not m.hart.virtual[0]) and not (level == 2 and m.hart.mode[0] == SUPERVISOR):
        return ILLEGAL
    if m.csrs.kind[number] == COUNTER and m.hart.mode[0] != MACHINE:
        return refusal_of_counter(m, number & 31)
    if m.hart.virtual[0]:
        return refusal_of_guest(m, number, level)
    of_supervisor: bool = number == SATP or number == HGATP
    return ILLEGAL if of_supervisor and m.hart.mode[0] == SUPERVISOR and m.registers.csr[MSTATUS] & STATUS_TVM else 0


def refusal_of_guest(m: Machine, number: int, level: int) -> int:
    """What a guest may not touch although a supervisor may."""
    if level == 2 or (level == SUPERVISOR and m.hart.mode[0] == USER):
        return VIRTUAL_INSTRUCTION
    return VIRTUAL_INSTRUCTION if number == SATP and m.registers.csr[HSTATUS] & HSTATUS_VTVM else 0


def refusal_of_counter(m: Machine, bit: int) -> int:
    """Cause of the trap of a mode below machine mode that may not read a counter."""
    csr: IntArray = m.registers.csr
    if not (csr[MCOUNTEREN] >> bit) & 1:
        return ILLEGAL
    if m.hart.virtual[0] and not (csr[HCOUNTEREN] >> bit) & 1:
        return VIRTUAL_INSTRUCTION
    if m.hart.mode[0] != USER or (csr[SCOUNTEREN] >> bit) & 1:
        return 0
    return VIRTUAL_INSTRUCTION if m.hart.virtual[0] else ILLEGAL


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
    if kind == GUEST_INTERRUPTS:
        return ((pending(m) if number == VSIP else m.registers.csr[MIE]) & m.registers.csr[HIDELEG] & GUEST_BITS) >> 1
    if kind == COUNTER:
        return time_of(m) if number == TIME else counter(m, m.csrs.home[number], m.hart.count[0] - 1)
    return m.registers.csr[m.csrs.home[number]] & visible(m, number)


def time_of(m: Machine) -> int:
    """The clock, for a guest shifted."""
    return wrap(ticks(m) + m.registers.csr[HTIMEDELTA]) if m.hart.virtual[0] else ticks(m)


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
    if kind == GUEST_INTERRUPTS:
        mask = mask & m.registers.csr[HIDELEG]
        csr[home] = before & ~mask | left_shift(value, 1) & mask
    elif kind == STATUS:
        if now & STATUS_MPP == NO_MODE:
            now = now & ~STATUS_MPP | before & STATUS_MPP
        csr[home] = now
        if (before ^ now) & STATUS_MXR:
            forget_fast(m)
        refresh(m)
    elif kind == TRANSLATION:
        set_translation(m, number, known_mode(m, number, before, now))
    elif kind == COUNTER:
        csr[home] = value if stands(m, home) else wrap(value - m.hart.count[0])
    elif number == MCOUNTINHIBIT:
        set_inhibited(m, now)
    elif kind == PROTECTION:
        csr[home] = unlocked(before, now)
    elif kind == REGION and is_locked(m, number - PMP_ADDRESS):
        csr[home] = before
    else:
        csr[home] = now
    m.hart.limit[0] = 0


def unlocked(before: int, now: int) -> int:
    """How eight regions are protected after a write: those that are locked as before, and none may be written to but not read."""
    found: int = 0
    for k in range(8):
        old: int = (before >> 8 * k) & PMP_BITS
        new: int = (now >> 8 * k) & PMP_BITS
        if not new & PMP_R:
            new = new & ~PMP_W
        found |= left_shift(old if old & PMP_L else new, 8 * k)
    return found


def is_locked(m: Machine, region: int) -> bool:
    """Whether the address of a region is locked: with it, or with the next one if that begins there."""
    above: int = protection(m, region + 1)
    return protection(m, region) & PMP_L != 0 or (above & PMP_L != 0 and above & PMP_A == PMP_TOP)


def protection(m: Machine, region: int) -> int:
    """How a region is protected; none lies behind the last."""
    if region > LAST_REGION:
        return 0
    return (m.registers.csr[PMP_CONFIGURATION + 2 * (region >> 3)] >> 8 * (region & 7)) & PMP_BITS


def known_mode(m: Machine, number: int, before: int, now: int) -> int:
    """What a write leaves where its mode is not known: of a register of the running mode nothing, of those for a guest the mode."""
    if (now >> 60) & 15 == 0 or (now >> 60) & 15 == 8:
        return now
    if number == SATP or m.hart.virtual[0]:
        return before
    return now & ~TABLE_MODE | before & TABLE_MODE


def set_translation(m: Machine, number: int, value: int) -> None:
    """Another table of pages, or another address space."""
    if value != m.registers.csr[number]:
        m.counts.switches[1 if number == HGATP else 0] += 1
        m.registers.csr[number] = value
        forget_fast(m)
    refresh(m)

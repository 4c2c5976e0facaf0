"""Modes, and how traps change them: exceptions and interrupts go to machine mode, or to the supervisor where it has been given them."""

from simvirt.kernel.marks import apart
from simvirt.machine.constants import (
    BARE,
    CAUSES,
    LEFT,
    MACHINE,
    MCAUSE,
    MEDELEG,
    MEPC,
    MIDELEG,
    MPP_BIT,
    MSTATUS,
    MTVAL,
    MTVEC,
    OF_SUPERVISOR,
    OF_SUPERVISOR_SUM,
    OF_USER,
    SATP,
    SCAUSE,
    SEPC,
    SPP_BIT,
    STATUS_MIE,
    STATUS_MPIE,
    STATUS_MPP,
    STATUS_MPRV,
    STATUS_SIE,
    STATUS_SPIE,
    STATUS_SPP,
    STATUS_SUM,
    STVAL,
    STVEC,
    SUPERVISOR,
    USER,
)
from simvirt.machine.tables import IntArray, Machine
from simvirt.machine.words import left_shift


def context_of(m: Machine, mode: int) -> int:
    """First row of `fast` for accesses of a mode."""
    csr: IntArray = m.registers.csr
    if mode == MACHINE or (csr[SATP] >> 60) & 15 == 0:
        return BARE
    if mode == USER:
        return OF_USER
    return OF_SUPERVISOR_SUM if csr[MSTATUS] & STATUS_SUM else OF_SUPERVISOR


def refresh(m: Machine) -> None:
    """Bring up to date what follows from mode, status and table of pages."""
    mode: int = m.hart.mode[0]
    status: int = m.registers.csr[MSTATUS]
    m.hart.fetching[0] = min(context_of(m, mode), OF_SUPERVISOR)
    if mode == MACHINE and status & STATUS_MPRV:
        mode = (status & STATUS_MPP) >> MPP_BIT
    m.hart.context[0] = context_of(m, mode)


def settle(m: Machine) -> None:
    """Add the instructions since the mode was entered to those of the mode."""
    m.counts.instructions[m.hart.mode[0]] += m.hart.count[0] - m.hart.since[0]
    m.hart.since[0] = m.hart.count[0]


def set_mode(m: Machine, mode: int) -> None:
    """Enter a mode."""
    settle(m)
    m.hart.mode[0] = mode
    refresh(m)


def to_machine(m: Machine, pc: int, cause: int, value: int) -> None:
    """A trap into machine mode."""
    csr: IntArray = m.registers.csr
    status: int = csr[MSTATUS] & ~(STATUS_MPP | STATUS_MPIE | STATUS_MIE)
    if csr[MSTATUS] & STATUS_MIE:
        status |= STATUS_MPIE
    csr[MSTATUS] = status | m.hart.mode[0] << MPP_BIT
    csr[MEPC], csr[MCAUSE], csr[MTVAL] = pc, cause, value
    m.hart.pc[0] = vector(csr[MTVEC], cause)
    set_mode(m, MACHINE)


def to_supervisor(m: Machine, pc: int, cause: int, value: int) -> None:
    """A trap into supervisor mode."""
    csr: IntArray = m.registers.csr
    status: int = csr[MSTATUS] & ~(STATUS_SPP | STATUS_SPIE | STATUS_SIE)
    if csr[MSTATUS] & STATUS_SIE:
        status |= STATUS_SPIE
    csr[MSTATUS] = status | m.hart.mode[0] << SPP_BIT
    csr[SEPC], csr[SCAUSE], csr[STVAL] = pc, cause, value
    m.hart.pc[0] = vector(csr[STVEC], cause)
    set_mode(m, SUPERVISOR)


def vector(base: int, cause: int) -> int:
    """Where a handler begins: one for all, or one for each interrupt."""
    if base & 1 and cause < 0:
        return (base & -4) + 4 * (cause & 63)
    return base & -4


@apart
def take(m: Machine, pc: int, cause: int, interrupt: bool, value: int) -> None:
    """Go where a trap is handled; that is work too, so that a guest which does nothing but trap uses up its budget."""
    m.hart.taken[0] += 1
    m.hart.limit[0] = 0
    mode: int = m.hart.mode[0]
    given: int = m.registers.csr[MIDELEG] if interrupt else m.registers.csr[MEDELEG]
    m.counts.traps[mode * 2 * CAUSES + (CAUSES if interrupt else 0) + cause] += 1
    sign: int = left_shift(1, 63) if interrupt else 0
    if mode <= SUPERVISOR and (given >> cause) & 1:
        to_supervisor(m, pc, cause | sign, value)
    else:
        to_machine(m, pc, cause | sign, value)


@apart
def trap(m: Machine, i: int, cause: int, value: int) -> int:
    """The instruction of a row is not carried out: it traps."""
    m.hart.count[0] -= m.code.left[i] + 1
    take(m, m.hart.page[0] + m.code.at[i], cause, False, value)
    return LEFT

"""Modes, and how traps change them: exceptions and interrupts go to machine mode, or to the supervisor where it has been given them."""

from simvirt.kernel.marks import apart
from simvirt.machine.constants import (
    BARE,
    CALLED,
    CAUSES,
    EXIT,
    FAST,
    GUEST,
    GUEST_CONTEXTS,
    HEDELEG,
    HGATP,
    HIDELEG,
    HSTATUS,
    HSTATUS_GVA,
    HSTATUS_SPV,
    HSTATUS_SPVP,
    HTINST,
    HTVAL,
    LEFT,
    MACHINE,
    MCAUSE,
    MEDELEG,
    MEPC,
    MIDELEG,
    MPP_BIT,
    MSTATUS,
    MTINST,
    MTVAL,
    MTVAL2,
    MTVEC,
    OF_SUPERVISOR,
    OF_SUPERVISOR_SUM,
    OF_USER,
    SATP,
    SCAUSE,
    SEPC,
    SPP_BIT,
    STATUS_GVA,
    STATUS_MIE,
    STATUS_MPIE,
    STATUS_MPP,
    STATUS_MPRV,
    STATUS_MPV,
    STATUS_SIE,
    STATUS_SPIE,
    STATUS_SPP,
    STATUS_SUM,
    STVAL,
    STVEC,
    SUPERVISOR,
    USER,
    VSATP,
    VSCAUSE,
    VSEPC,
    VSSTATUS,
    VSTVAL,
    VSTVEC,
)
from simvirt.machine.log import ENTERED, TRAPPED, log_event, tracing
from simvirt.machine.tables import IntArray, Machine
from simvirt.machine.words import left_shift

OF_ADDRESSES = 0xB0F0FB  # causes whose value is an address


def context_of(m: Machine, mode: int, virtual: int) -> int:
    """First row of `fast` for accesses of a mode."""
    csr: IntArray = m.registers.csr
    if virtual and mode != MACHINE:
        return guest_context(m, mode)
    if mode == MACHINE or (csr[SATP] >> 60) & 15 == 0:
        return BARE
    if mode == USER:
        return OF_USER
    return OF_SUPERVISOR_SUM if csr[MSTATUS] & STATUS_SUM else OF_SUPERVISOR


def guest_context(m: Machine, mode: int) -> int:
    """First row of `fast` for accesses of a mode of a guest."""
    csr: IntArray = m.registers.csr
    if (csr[VSATP] | csr[HGATP]) >> 60 & 15 == 0:
        return BARE
    if mode == USER:
        return GUEST_CONTEXTS + OF_USER
    return GUEST_CONTEXTS + (OF_SUPERVISOR_SUM if csr[VSSTATUS] & STATUS_SUM else OF_SUPERVISOR)


def refresh(m: Machine) -> None:
    """Bring up to date what follows from mode, status and table of pages."""
    mode: int = m.hart.mode[0]
    status: int = m.registers.csr[MSTATUS]
    virtual: int = m.hart.virtual[0]
    own: int = context_of(m, mode, virtual)
    m.hart.fetching[0] = own - FAST if own & (GUEST_CONTEXTS - 1) == OF_SUPERVISOR_SUM else own
    if mode == MACHINE and status & STATUS_MPRV:
        mode = (status & STATUS_MPP) >> MPP_BIT
        virtual = 1 if status & STATUS_MPV else 0
    m.hart.context[0] = context_of(m, mode, virtual)


def settle(m: Machine) -> None:
    """Add the instructions since the mode was entered to those of the mode."""
    m.counts.instructions[m.hart.mode[0] + GUEST * m.hart.virtual[0]] += m.hart.count[0] - m.hart.since[0]
    m.hart.since[0] = m.hart.count[0]


def set_mode(m: Machine, mode: int, virtual: int) -> None:
    """Enter a mode, of a guest or not."""
    settle(m)
    if tracing(m) and (m.hart.mode[0] != mode or m.hart.virtual[0] != virtual):
        log_event(m, ENTERED, mode + GUEST * virtual, 0, 0)
    m.hart.mode[0], m.hart.virtual[0] = mode, virtual
    refresh(m)


def to_machine(m: Machine, pc: int, cause: int, value: int) -> None:
    """A trap into machine mode."""
    csr: IntArray = m.registers.csr
    status: int = csr[MSTATUS] & ~(STATUS_MPP | STATUS_MPIE | STATUS_MIE | STATUS_MPV | STATUS_GVA)
    if csr[MSTATUS] & STATUS_MIE:
        status |= STATUS_MPIE
    if m.hart.virtual[0]:
        status |= STATUS_MPV
    if m.hart.guest[0]:
        status |= STATUS_GVA
    csr[MSTATUS] = status | m.hart.mode[0] << MPP_BIT
    csr[MEPC], csr[MCAUSE], csr[MTVAL] = pc, cause, value
    csr[MTVAL2], csr[MTINST] = m.hart.physical[0], m.hart.instruction[0]
    m.hart.pc[0] = vector(csr[MTVEC], cause)
    if m.hart.served[0]:
        m.hart.stop[0] = CALLED
    if m.hart.watched[0]:
        m.hart.stop[0] = EXIT
    set_mode(m, MACHINE, 0)


def to_supervisor(m: Machine, pc: int, cause: int, value: int) -> None:
    """A trap into supervisor mode."""
    csr: IntArray = m.registers.csr
    status: int = csr[MSTATUS] & ~(STATUS_SPP | STATUS_SPIE | STATUS_SIE)
    if csr[MSTATUS] & STATUS_SIE:
        status |= STATUS_SPIE
    csr[MSTATUS] = status | m.hart.mode[0] << SPP_BIT
    csr[SEPC], csr[SCAUSE], csr[STVAL] = pc, cause, value
    csr[HTVAL], csr[HTINST] = m.hart.physical[0], m.hart.instruction[0]
    note_guest(m)
    m.hart.pc[0] = vector(csr[STVEC], cause)
    set_mode(m, SUPERVISOR, 0)


def note_guest(m: Machine) -> None:
    """What hstatus says of where a trap came from: the privilege of the guest stays where none trapped."""
    csr: IntArray = m.registers.csr
    status: int = csr[HSTATUS] & ~(HSTATUS_SPV | HSTATUS_GVA)
    if m.hart.virtual[0]:
        status = status & ~HSTATUS_SPVP | HSTATUS_SPV | (HSTATUS_SPVP if m.hart.mode[0] == SUPERVISOR else 0)
    csr[HSTATUS] = status | (HSTATUS_GVA if m.hart.guest[0] else 0)


def to_guest(m: Machine, pc: int, cause: int, value: int) -> None:
    """A trap of a guest into its own supervisor."""
    csr: IntArray = m.registers.csr
    status: int = csr[VSSTATUS] & ~(STATUS_SPP | STATUS_SPIE | STATUS_SIE)
    if csr[VSSTATUS] & STATUS_SIE:
        status |= STATUS_SPIE
    csr[VSSTATUS] = status | m.hart.mode[0] << SPP_BIT
    csr[VSEPC], csr[VSCAUSE], csr[VSTVAL] = pc, cause, value
    m.hart.pc[0] = vector(csr[VSTVEC], cause)
    set_mode(m, SUPERVISOR, 1)


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
    further: int = m.registers.csr[HIDELEG] if interrupt else m.registers.csr[HEDELEG]
    if m.hart.virtual[0] and not interrupt and (OF_ADDRESSES >> cause) & 1:
        m.hart.guest[0] = 1
    kind: int = (mode + GUEST * m.hart.virtual[0]) * 2 * CAUSES + (CAUSES if interrupt else 0) + cause
    m.counts.traps[kind] += 1
    if tracing(m):
        log_event(m, TRAPPED, kind, pc, 0)
    sign: int = left_shift(1, 63) if interrupt else 0
    if m.hart.virtual[0] and (given & further) >> cause & 1:
        to_guest(m, pc, cause - 1 | sign if interrupt else cause, value)
    elif mode <= SUPERVISOR and (given >> cause) & 1:
        to_supervisor(m, pc, cause | sign, value)
    else:
        to_machine(m, pc, cause | sign, value)
    m.hart.guest[0], m.hart.physical[0], m.hart.instruction[0] = 0, 0, 0


@apart
def trap(m: Machine, i: int, cause: int, value: int) -> int:
    """The instruction of a row is not carried out: it traps."""
    m.hart.count[0] -= m.code.left[i] + 1
    take(m, m.hart.page[0] + m.code.at[i], cause, False, value)
    return LEFT

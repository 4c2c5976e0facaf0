"""Interrupts: which lines are up, which of them are taken, and the hart that waits for one."""

from simvirt.machine.constants import (
    GUEST_BITS,
    HIDELEG,
    IDLE,
    MACHINE,
    MEIP,
    MIDELEG,
    MIE,
    MIP,
    MSIP,
    MSTATUS,
    MTIP,
    SEIP,
    SSIP,
    STATUS_MIE,
    STATUS_SIE,
    STIP,
    SUPERVISOR,
    USER,
    VSEIP,
    VSSIP,
    VSSTATUS,
)
from simvirt.machine.devices.clint import passed, tick_of, ticks
from simvirt.machine.devices.plic import asks
from simvirt.machine.tables import Machine
from simvirt.machine.traps import take


def lines(m: Machine) -> int:
    """Bits of interrupts that devices raise."""
    up: int = MSIP if m.clint.msip[0] else 0
    if passed(m):
        up |= timer_bit(m)
    if asks(m, 0):
        up |= MEIP
    if asks(m, 1):
        up |= VSEIP if m.plic.passed[0] else SEIP
    return up


def timer_bit(m: Machine) -> int:
    """The interrupt that the timer raises: a firmware outside of the machine passes it on to the supervisor."""
    return STIP if m.hart.served[0] else MTIP


def pending(m: Machine) -> int:
    """The register mip: what devices raise, and what software has set."""
    return m.registers.csr[MIP] | lines(m)


def taken(m: Machine) -> int:
    """Bits of pending interrupts that the mode does not hold off; those of machine mode before the supervisor's."""
    found: int = pending(m) & m.registers.csr[MIE]
    status: int = m.registers.csr[MSTATUS]
    mode: int = m.hart.mode[0]
    own: int = found & ~m.registers.csr[MIDELEG]
    if own and (mode < MACHINE or status & STATUS_MIE):
        return own
    given: int = 0 if m.hart.injects[0] else found & m.registers.csr[MIDELEG] & ~m.registers.csr[HIDELEG]
    if given and (mode == USER or m.hart.virtual[0] or (mode == SUPERVISOR and status & STATUS_SIE)):
        return given if mode != MACHINE else 0
    if m.hart.virtual[0] and (mode == USER or m.registers.csr[VSSTATUS] & STATUS_SIE):
        return found & m.registers.csr[HIDELEG]
    return 0


def first_of(bits: int) -> int:
    """The interrupt that goes first: external, software, timer; machine's, supervisor's, a guest's."""
    if bits & MEIP:
        return 11
    if bits & MSIP:
        return 3
    if bits & MTIP:
        return 7
    if bits & SEIP:
        return 9
    if bits & (SSIP | STIP):
        return 1 if bits & SSIP else 5
    if bits & VSEIP:
        return 10
    return 2 if bits & VSSIP else 6


def interrupt(m: Machine) -> None:
    """Take an interrupt, if one is pending and allowed."""
    found: int = taken(m)
    if found & (MEIP | MSIP | MTIP | SEIP | SSIP | STIP | GUEST_BITS):
        take(m, m.hart.pc[0], first_of(found), True, 0)


def wait(m: Machine) -> None:
    """Let the time pass until an interrupt is pending that is enabled, allowed or not; without a timer the hart is idle for good."""
    if pending(m) & m.registers.csr[MIE]:
        m.hart.waiting[0] = 0
    elif m.clint.compare[0] > ticks(m) and m.registers.csr[MIE] & timer_bit(m):
        m.hart.skipped[0] += m.clint.compare[0] - ticks(m)
        m.hart.waiting[0] = 0
    else:
        m.hart.stop[0] = IDLE


def next_timer(m: Machine) -> int:
    """Count of instructions at which the timer rings; that at which the caller wants to be asked where it does not before."""
    end: int = m.hart.end[0] - m.hart.taken[0]
    if m.clint.compare[0] <= ticks(m) or m.clint.compare[0] - m.hart.skipped[0] > end // m.hart.pace[0] + 1:
        return end
    return min(end, tick_of(m, m.clint.compare[0]))

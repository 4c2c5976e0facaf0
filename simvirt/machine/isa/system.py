"""The privileged instructions, and those for registers of control (Zicsr, Zifencei)."""

from simvirt.machine.constants import (
    BREAKPOINT,
    CALL_OUT,
    COUNTER,
    ECALL,
    GUEST_INTERRUPTS,
    HSTATUS,
    HSTATUS_SPV,
    HSTATUS_VTSR,
    HSTATUS_VTVM,
    HSTATUS_VTW,
    ILLEGAL,
    MACHINE,
    MEPC,
    MPP_BIT,
    MSTATUS,
    SEPC,
    SPP_BIT,
    STATUS_MIE,
    STATUS_MPIE,
    STATUS_MPP,
    STATUS_MPRV,
    STATUS_MPV,
    STATUS_SIE,
    STATUS_SPIE,
    STATUS_SPP,
    STATUS_TSR,
    STATUS_TVM,
    STATUS_TW,
    SUPERVISOR,
    USER,
    VIRTUAL_INSTRUCTION,
    VSEPC,
    VSSTATUS,
)
from simvirt.machine.csrs import own_number, read_csr, refusal, write_csr
from simvirt.machine.fetching import go_on, go_to, leave
from simvirt.machine.isa.listing import instruction
from simvirt.machine.isa.shapes import GO_ON, NOTHING, SYSTEM
from simvirt.machine.stages import guest_space
from simvirt.machine.tables import IntArray, Machine
from simvirt.machine.tlb import forget_translations
from simvirt.machine.traps import set_mode, trap

REPLACE = 0
SET = 1
CLEAR = 2
OF_GUESTS_SUPERVISOR = 2  # behind ECALL


@instruction(GO_ON, "(go-on)", "")
@instruction(NOTHING, "fence", "0000 any[7:0] any[4:0] 000 any[4:0] 0001111")
def nothing() -> None:
    """All accesses of one hart are in order as it is."""


@instruction(SYSTEM, "(illegal)", "")
def illegal(m: Machine, x: IntArray, i: int) -> int:
    """Bits that are no instruction."""
    return trap(m, i, ILLEGAL, m.code.imm[i])


@instruction(SYSTEM, "(call-out)", "")
def call_out(m: Machine, x: IntArray, i: int) -> int:
    """In place of a system instruction: the monitor is called, which carries it out."""
    m.hart.count[0] -= 1
    m.hart.stop[0] = CALL_OUT
    m.hart.limit[0] = 0
    return leave(m, m.hart.page[0] + m.code.at[i])


def refused(m: Machine, i: int) -> int:
    """An instruction that the mode may not use."""
    return trap(m, i, ILLEGAL, m.code.link[i])


def refused_guest(m: Machine, i: int) -> int:
    """An instruction that a guest may not use, and a host could."""
    return trap(m, i, VIRTUAL_INSTRUCTION if m.hart.virtual[0] else ILLEGAL, m.code.link[i])


def withheld(m: Machine, of_host: int, of_guest: int) -> bool:
    """Whether a supervisor's instruction is not for who runs: a user, or a supervisor under a bit of status."""
    if m.hart.mode[0] != SUPERVISOR:
        return m.hart.mode[0] == USER
    return m.registers.csr[HSTATUS if m.hart.virtual[0] else MSTATUS] & (of_guest if m.hart.virtual[0] else of_host) != 0


@instruction(SYSTEM, "ecall", "000000000000 00000 000 00000 1110011")
def ecall(m: Machine, x: IntArray, i: int) -> int:
    """Call the mode above."""
    of_guest: bool = m.hart.virtual[0] != 0 and m.hart.mode[0] == SUPERVISOR
    return trap(m, i, ECALL + (OF_GUESTS_SUPERVISOR if of_guest else m.hart.mode[0]), 0)


@instruction(SYSTEM, "ebreak", "000000000001 00000 000 00000 1110011")
def ebreak(m: Machine, x: IntArray, i: int) -> int:
    """Call the debugger."""
    return trap(m, i, BREAKPOINT, m.hart.page[0] + m.code.at[i])


@instruction(SYSTEM, "fence.i", "any[11:0] any[4:0] 001 any[4:0] 0001111")
def fence_i(m: Machine, x: IntArray, i: int) -> int:
    """What was stored is what is fetched: blocks of pages that are written to are forgotten at once, so only this one ends."""
    return go_on(m, i)


@instruction(SYSTEM, "mret", "001100000010 00000 000 00000 1110011")
def mret(m: Machine, x: IntArray, i: int) -> int:
    """Return from a trap into machine mode."""
    status: int = m.registers.csr[MSTATUS]
    to: int = (status & STATUS_MPP) >> MPP_BIT
    if m.hart.mode[0] != MACHINE:
        return refused(m, i)
    virtual: int = 1 if status & STATUS_MPV and to != MACHINE else 0
    now: int = status & ~(STATUS_MPP | STATUS_MIE | STATUS_MPV) | STATUS_MPIE
    if status & STATUS_MPIE:
        now |= STATUS_MIE
    if to != MACHINE:
        now = now & ~STATUS_MPRV
    m.registers.csr[MSTATUS] = now
    return enter_mode(m, to, virtual, m.registers.csr[MEPC])


@instruction(SYSTEM, "sret", "000100000010 00000 000 00000 1110011")
def sret(m: Machine, x: IntArray, i: int) -> int:
    """Return from a trap into supervisor mode, to a guest if one trapped; a guest returns by registers of its own."""
    csr: IntArray = m.registers.csr
    if withheld(m, STATUS_TSR, HSTATUS_VTSR):
        return refused_guest(m, i)
    virtual: int = m.hart.virtual[0]
    home: int = VSSTATUS if virtual else MSTATUS
    status: int = csr[home]
    now: int = status & ~(STATUS_SPP | STATUS_SIE) | STATUS_SPIE
    if status & STATUS_SPIE:
        now |= STATUS_SIE
    csr[home] = now if virtual else now & ~STATUS_MPRV
    pc: int = csr[VSEPC if virtual else SEPC]
    if virtual == 0 and csr[HSTATUS] & HSTATUS_SPV:
        csr[HSTATUS], virtual = csr[HSTATUS] & ~HSTATUS_SPV, 1
    return enter_mode(m, (status & STATUS_SPP) >> SPP_BIT, virtual, pc)


def enter_mode(m: Machine, mode: int, virtual: int, pc: int) -> int:
    """Go on in another mode."""
    set_mode(m, mode, virtual)
    m.hart.limit[0] = 0
    return go_to(m, pc)


@instruction(SYSTEM, "wfi", "000100000101 00000 000 00000 1110011")
def wfi(m: Machine, x: IntArray, i: int) -> int:
    """Wait for an interrupt."""
    if m.hart.mode[0] != MACHINE and m.registers.csr[MSTATUS] & STATUS_TW:
        return refused(m, i)
    if withheld(m, STATUS_TW, HSTATUS_VTW):
        return refused_guest(m, i)
    m.hart.waiting[0] = 1
    m.hart.limit[0] = 0
    m.counts.fences[1] += 1
    return go_on(m, i)


@instruction(SYSTEM, "sfence.vma rs1, rs2", "0001001 rs2 rs1 000 00000 1110011")
def sfence_vma(m: Machine, x: IntArray, i: int) -> int:
    """Forget translations: of an address, of an address space, of both, or all."""
    if withheld(m, STATUS_TVM, HSTATUS_VTVM):
        return refused_guest(m, i)
    m.counts.fences[0] += 1
    fence(m, x, i, m.hart.virtual[0] != 0)
    return go_on(m, i)


def fence(m: Machine, x: IntArray, i: int, of_guest: bool) -> None:
    """Forget translations of the host or of a guest as the registers of a row say."""
    owner: int = guest_space(m) & ~0xFFFF if of_guest else 0
    forget_translations(m, x[m.code.rs1[i]], m.code.rs1[i] != 0, owner | x[m.code.rs2[i]] & 0xFFFF, m.code.rs2[i] != 0)


def access_csr(m: Machine, x: IntArray, i: int, operand: int, how: int) -> int:
    """Read a register of control, and replace it, or set or clear bits of it where the instruction names any."""
    number: int = m.code.imm[i]
    writes: bool = how == REPLACE or m.code.rs1[i] != 0
    cause: int = refusal(m, number, writes)
    if cause:
        return trap(m, i, cause, m.code.link[i])
    number = own_number(m, number)
    before: int = read_csr(m, number)
    if writes:
        shown: bool = m.csrs.kind[number] == COUNTER or m.csrs.kind[number] == GUEST_INTERRUPTS
        base: int = before if shown else m.registers.csr[m.csrs.home[number]]
        write_csr(m, number, operand if how == REPLACE else base | operand if how == SET else base & ~operand)
    x[m.code.rd[i]] = before
    return go_on(m, i)


@instruction(SYSTEM, "csrrw rd, csr, rs1", "csr rs1 001 rd 1110011")
def csrrw(m: Machine, x: IntArray, i: int) -> int:
    """Replace."""
    return access_csr(m, x, i, x[m.code.rs1[i]], REPLACE)


@instruction(SYSTEM, "csrrs rd, csr, rs1", "csr rs1 010 rd 1110011")
def csrrs(m: Machine, x: IntArray, i: int) -> int:
    """Set bits."""
    return access_csr(m, x, i, x[m.code.rs1[i]], SET)


@instruction(SYSTEM, "csrrc rd, csr, rs1", "csr rs1 011 rd 1110011")
def csrrc(m: Machine, x: IntArray, i: int) -> int:
    """Clear bits."""
    return access_csr(m, x, i, x[m.code.rs1[i]], CLEAR)


@instruction(SYSTEM, "csrrwi rd, csr, zimm", "csr zimm 101 rd 1110011")
def csrrwi(m: Machine, x: IntArray, i: int) -> int:
    """Replace by a small number."""
    return access_csr(m, x, i, m.code.rs1[i], REPLACE)


@instruction(SYSTEM, "csrrsi rd, csr, zimm", "csr zimm 110 rd 1110011")
def csrrsi(m: Machine, x: IntArray, i: int) -> int:
    """Set some of the lowest bits."""
    return access_csr(m, x, i, m.code.rs1[i], SET)


@instruction(SYSTEM, "csrrci rd, csr, zimm", "csr zimm 111 rd 1110011")
def csrrci(m: Machine, x: IntArray, i: int) -> int:
    """Clear some of the lowest bits."""
    return access_csr(m, x, i, m.code.rs1[i], CLEAR)

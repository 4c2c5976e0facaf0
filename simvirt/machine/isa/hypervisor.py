"""The hypervisor extension (H): loads and stores as a guest would do them, fences of its translations."""

from simvirt.machine.access import fault, find, finish
from simvirt.machine.constants import (
    BARE,
    HSTATUS,
    HSTATUS_HU,
    HSTATUS_SPVP,
    LEFT,
    MSTATUS,
    READ,
    READS_CODE,
    STATUS_TVM,
    SUPERVISOR,
    USER,
    WRITE,
)
from simvirt.machine.fetching import go_on
from simvirt.machine.isa.listing import instruction
from simvirt.machine.isa.shapes import SYSTEM
from simvirt.machine.isa.system import fence, refused_guest
from simvirt.machine.stages import NO_MEMORY, OF_GUESTS
from simvirt.machine.tables import IntArray, Machine
from simvirt.machine.tlb import forget_guest
from simvirt.machine.traps import guest_context, refresh
from simvirt.machine.walk import translate
from simvirt.machine.words import load64, signed8, signed16, signed32, store8, store16, store32, store64, unsigned8, unsigned16, unsigned32


def refused_access(m: Machine) -> bool:
    """Whether who runs may not reach into a guest: a guest itself, and a user without leave."""
    return m.hart.virtual[0] != 0 or (m.hart.mode[0] == USER and not m.registers.csr[HSTATUS] & HSTATUS_HU)


def find_in_guest(m: Machine, x: IntArray, i: int, size: int, access: int) -> int:
    """Where in ram the guest's address of a row lies; LEFT after a fault, or if this is not allowed."""
    if refused_access(m):
        return refused_guest(m, i)
    m.hart.guest[0] = 1
    m.hart.context[0] = guest_context(m, SUPERVISOR if m.registers.csr[HSTATUS] & HSTATUS_SPVP else USER)
    at: int = find_code(m, i, x[m.code.rs1[i]], size) if access == READS_CODE else find(m, i, x[m.code.rs1[i]], size, access)
    if at >= 0:
        m.hart.guest[0] = 0
    refresh(m)
    return at


def find_code(m: Machine, i: int, a: int, size: int) -> int:
    """The place of what a guest may execute, read as data."""
    if (a & 4095) + size > 4096:
        return find_code_across(m, i, a, size)
    context: int = m.hart.context[0]
    at: int = a if context == BARE else translate(m, a, READS_CODE, context)
    if context != BARE and at < 0:
        return fault(m, i, a, READ, at)
    place: int = at - m.memory.base[0]
    if place < 0 or place > m.memory.size[0] - size:
        return fault(m, i, a, READ, NO_MEMORY)
    return place


def find_code_across(m: Machine, i: int, a: int, size: int) -> int:
    """Code that lies in two pages goes through the bytes behind the memory."""
    split: int = 4096 - (a & 4095)
    first: int = find_code(m, i, a, 1)
    if first < 0:
        return LEFT
    second: int = find_code(m, i, a + split, 1)
    if second < 0:
        return LEFT
    for k in range(size):
        m.memory.ram[m.memory.size[0] + k] = m.memory.ram[first + k if k < split else second + k - split]
    return m.memory.size[0]


def store_in_guest(m: Machine, x: IntArray, i: int, size: int, at: int) -> int:
    """End a store into a guest."""
    if at >= m.memory.size[0]:
        finish(m, i, size)
    return go_on(m, i)


@instruction(SYSTEM, "hlv.b rd, (rs1)", "0110000 00000 rs1 100 rd 1110011", 1)
def hlv_b(m: Machine, x: IntArray, i: int) -> int:
    """A byte of a guest."""
    at: int = find_in_guest(m, x, i, 1, READ)
    if at < 0:
        return LEFT
    x[m.code.rd[i]] = signed8(m.memory.ram, at)
    return go_on(m, i)


@instruction(SYSTEM, "hlv.bu rd, (rs1)", "0110000 00001 rs1 100 rd 1110011", 1)
def hlv_bu(m: Machine, x: IntArray, i: int) -> int:
    """A byte without a sign of a guest."""
    at: int = find_in_guest(m, x, i, 1, READ)
    if at < 0:
        return LEFT
    x[m.code.rd[i]] = unsigned8(m.memory.ram, at)
    return go_on(m, i)


@instruction(SYSTEM, "hlv.h rd, (rs1)", "0110010 00000 rs1 100 rd 1110011", 2)
def hlv_h(m: Machine, x: IntArray, i: int) -> int:
    """A halfword of a guest."""
    at: int = find_in_guest(m, x, i, 2, READ)
    if at < 0:
        return LEFT
    x[m.code.rd[i]] = signed16(m.memory.ram, at)
    return go_on(m, i)


@instruction(SYSTEM, "hlv.hu rd, (rs1)", "0110010 00001 rs1 100 rd 1110011", 2)
def hlv_hu(m: Machine, x: IntArray, i: int) -> int:
    """A halfword without a sign of a guest."""
    at: int = find_in_guest(m, x, i, 2, READ)
    if at < 0:
        return LEFT
    x[m.code.rd[i]] = unsigned16(m.memory.ram, at)
    return go_on(m, i)


@instruction(SYSTEM, "hlvx.hu rd, (rs1)", "0110010 00011 rs1 100 rd 1110011", 2)
def hlvx_hu(m: Machine, x: IntArray, i: int) -> int:
    """A halfword of code of a guest."""
    at: int = find_in_guest(m, x, i, 2, READS_CODE)
    if at < 0:
        return LEFT
    x[m.code.rd[i]] = unsigned16(m.memory.ram, at)
    return go_on(m, i)


@instruction(SYSTEM, "hlv.w rd, (rs1)", "0110100 00000 rs1 100 rd 1110011", 4)
def hlv_w(m: Machine, x: IntArray, i: int) -> int:
    """A word of 32 bits of a guest."""
    at: int = find_in_guest(m, x, i, 4, READ)
    if at < 0:
        return LEFT
    x[m.code.rd[i]] = signed32(m.memory.ram, at)
    return go_on(m, i)


@instruction(SYSTEM, "hlv.wu rd, (rs1)", "0110100 00001 rs1 100 rd 1110011", 4)
def hlv_wu(m: Machine, x: IntArray, i: int) -> int:
    """A word of 32 bits without a sign of a guest."""
    at: int = find_in_guest(m, x, i, 4, READ)
    if at < 0:
        return LEFT
    x[m.code.rd[i]] = unsigned32(m.memory.ram, at)
    return go_on(m, i)


@instruction(SYSTEM, "hlvx.wu rd, (rs1)", "0110100 00011 rs1 100 rd 1110011", 4)
def hlvx_wu(m: Machine, x: IntArray, i: int) -> int:
    """A word of code of a guest."""
    at: int = find_in_guest(m, x, i, 4, READS_CODE)
    if at < 0:
        return LEFT
    x[m.code.rd[i]] = unsigned32(m.memory.ram, at)
    return go_on(m, i)


@instruction(SYSTEM, "hlv.d rd, (rs1)", "0110110 00000 rs1 100 rd 1110011", 8)
def hlv_d(m: Machine, x: IntArray, i: int) -> int:
    """A word of 64 bits of a guest."""
    at: int = find_in_guest(m, x, i, 8, READ)
    if at < 0:
        return LEFT
    x[m.code.rd[i]] = load64(m.memory.ram, at)
    return go_on(m, i)


@instruction(SYSTEM, "hsv.b rs2, (rs1)", "0110001 rs2 rs1 100 00000 1110011", 1)
def hsv_b(m: Machine, x: IntArray, i: int) -> int:
    """A byte into a guest."""
    at: int = find_in_guest(m, x, i, 1, WRITE)
    if at < 0:
        return LEFT
    store8(m.memory.ram, at, x[m.code.rs2[i]])
    return store_in_guest(m, x, i, 1, at)


@instruction(SYSTEM, "hsv.h rs2, (rs1)", "0110011 rs2 rs1 100 00000 1110011", 2)
def hsv_h(m: Machine, x: IntArray, i: int) -> int:
    """A halfword into a guest."""
    at: int = find_in_guest(m, x, i, 2, WRITE)
    if at < 0:
        return LEFT
    store16(m.memory.ram, at, x[m.code.rs2[i]])
    return store_in_guest(m, x, i, 2, at)


@instruction(SYSTEM, "hsv.w rs2, (rs1)", "0110101 rs2 rs1 100 00000 1110011", 4)
def hsv_w(m: Machine, x: IntArray, i: int) -> int:
    """A word of 32 bits into a guest."""
    at: int = find_in_guest(m, x, i, 4, WRITE)
    if at < 0:
        return LEFT
    store32(m.memory.ram, at, x[m.code.rs2[i]])
    return store_in_guest(m, x, i, 4, at)


@instruction(SYSTEM, "hsv.d rs2, (rs1)", "0110111 rs2 rs1 100 00000 1110011", 8)
def hsv_d(m: Machine, x: IntArray, i: int) -> int:
    """A word of 64 bits into a guest."""
    at: int = find_in_guest(m, x, i, 8, WRITE)
    if at < 0:
        return LEFT
    store64(m.memory.ram, at, x[m.code.rs2[i]])
    return store_in_guest(m, x, i, 8, at)


@instruction(SYSTEM, "hfence.vvma rs1, rs2", "0010001 rs2 rs1 000 00000 1110011")
def hfence_vvma(m: Machine, x: IntArray, i: int) -> int:
    """Forget translations of the guest that hgatp names."""
    if m.hart.virtual[0] or m.hart.mode[0] == USER:
        return refused_guest(m, i)
    m.counts.fences[0] += 1
    fence(m, x, i, True)
    return go_on(m, i)


@instruction(SYSTEM, "hfence.gvma rs1, rs2", "0110001 rs2 rs1 000 00000 1110011")
def hfence_gvma(m: Machine, x: IntArray, i: int) -> int:
    """Forget what the second stage says, of a guest or of all: of an address, all of the guest, as entries are kept by virtual address."""
    barred: bool = m.hart.mode[0] == SUPERVISOR and m.registers.csr[MSTATUS] & STATUS_TVM != 0
    if m.hart.virtual[0] or m.hart.mode[0] == USER or barred:
        return refused_guest(m, i)
    m.counts.fences[0] += 1
    forget_guest(m, OF_GUESTS | (x[m.code.rs2[i]] & 0x3FFF) << 16, m.code.rs2[i] != 0)
    return go_on(m, i)

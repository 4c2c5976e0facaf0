"""Two stages of page tables: those of a guest (Sv39), whose addresses the tables of its host translate again (Sv39x4).

*Model.* Each entry of the guest's table lies at a guest-physical address, which the second stage translates first: with g levels above h
levels, a walk reads (g + 1) * (h + 1) - 1 entries. The TLB keeps what both stages together say, of the smaller of the two pages.

*Source.* The RISC-V Instruction Set Manual, volume II: Privileged Architecture, chapter on the hypervisor extension.
"""

from simvirt.machine.blocks import forget_code
from simvirt.machine.constants import (
    EXECUTES,
    HGATP,
    IMPLICIT,
    MSTATUS,
    OF_SUPERVISOR,
    OF_USER,
    PTE_A,
    PTE_D,
    PTE_R,
    PTE_U,
    PTE_V,
    PTE_W,
    PTE_X,
    READ,
    STATUS_MXR,
    VSATP,
    VSSTATUS,
    WRITE,
)
from simvirt.machine.log import entries_read, log_walk
from simvirt.machine.tables import IntArray, Machine
from simvirt.machine.tlb import find_entry, keep_entry
from simvirt.machine.words import load64, right_shift, store64

NO_PAGE = -1  # a page fault
NO_MEMORY = -2  # the table lies outside the memory
NO_GUEST_PAGE = -3  # a page fault of the second stage
OF_GUESTS = 0x40000000  # in the space of an entry: its guest's number is above the address space
NO_FIRST = 0x80000000  # and its address is a guest-physical one
EVERYTHING = 0xCF  # bits of an entry that lets a supervisor do all
IMPLICIT_READ = 0x3000  # what htinst says of a table that is read, and of one that is written to
IMPLICIT_WRITE = 0x3020


def allowed(m: Machine, leaf: int, access: int, context: int) -> bool:
    """Whether an entry lets a context do something."""
    if leaf & PTE_U:
        if context == OF_SUPERVISOR or (context != OF_USER and access == EXECUTES):
            return False
    elif context == OF_USER:
        return False
    if access == WRITE:
        return leaf & PTE_W != 0
    if access >= EXECUTES:
        return leaf & PTE_X != 0
    return leaf & PTE_R != 0 or (leaf & PTE_X != 0 and m.registers.csr[MSTATUS] & STATUS_MXR != 0)


def allowed_first(m: Machine, leaf: int, access: int, context: int) -> bool:
    """Whether an entry of a guest's table lets a context of it do something; what may be executed may be read where its status says so."""
    if access == READ and leaf & PTE_X and m.registers.csr[VSSTATUS] & STATUS_MXR:
        leaf |= PTE_R
    return allowed(m, leaf, access, context)


def allowed_second(m: Machine, leaf: int, access: int) -> bool:
    """Whether an entry of the second stage, where all is a user's, lets a guest do something; tables must be readable."""
    if access == IMPLICIT:
        return leaf & PTE_U != 0 and leaf & PTE_R != 0
    return allowed(m, leaf, access, OF_USER)


def address_in(m: Machine, row: int, a: int) -> int:
    """The physical address behind a virtual one that a row of the TLB translates."""
    extent: int = (1 << (12 + 9 * m.tlb.level[row])) - 1
    return (((m.tlb.leaf[row] >> 10) & 0xFFFFFFFFFFF) << 12) & ~extent | a & extent


def guest_space(m: Machine) -> int:
    """Space of what the running guest translates: its number, and the address space that it has chosen."""
    csr: IntArray = m.registers.csr
    own: int = OF_GUESTS | (csr[HGATP] >> 44 & 0x3FFF) << 16
    return own | (csr[VSATP] >> 44 & 0xFFFF if csr[VSATP] >> 60 & 15 else NO_FIRST)


def translate_guest(m: Machine, a: int, access: int, context: int) -> int:
    """The physical address behind an address of a guest; less than 0 for a fault."""
    unit: int = 1 if access == EXECUTES else 0
    row: int = find_entry(m, unit, a, guest_space(m))
    if row >= 0 and usable(m, row, access):
        if m.tlb.space[row] & NO_FIRST == 0 and not allowed_first(m, m.tlb.leaf[row], access, context):
            return NO_PAGE
        if allowed_second(m, m.tlb.second[row], access):
            return address_in(m, row, a)
        extent: int = (1 << (12 + 9 * m.tlb.level[row])) - 1
        return no_guest_page(m, m.tlb.guest[row] | a & extent, access)
    m.counts.walks[unit] += 1
    before: int = entries_read(m)
    row = walk_first(m, unit, a, access, context)
    log_walk(m, unit, a, before)
    return row if row < 0 else address_in(m, row, a)


def usable(m: Machine, row: int, access: int) -> bool:
    """Whether an entry needs no mark before a page is written to, in either stage."""
    return access != WRITE or m.tlb.leaf[row] & m.tlb.second[row] & PTE_D != 0


def no_guest_page(m: Machine, a: int, access: int) -> int:
    """A fault of the second stage: note what htval and htinst say of it."""
    m.hart.physical[0] = right_shift(a, 2)
    m.hart.instruction[0] = IMPLICIT_READ if access == IMPLICIT else 0
    return NO_GUEST_PAGE


def walk_first(m: Machine, unit: int, a: int, access: int, context: int) -> int:
    """Row of the TLB for what both stages say; a guest without tables has guest-physical addresses."""
    csr: IntArray = m.registers.csr
    if csr[VSATP] >> 60 & 15 == 0:
        return keep_both(m, unit, a, access, 2, EVERYTHING, a)
    if a >> 38 != 0 and a >> 38 != -1:
        return NO_PAGE
    table: int = (csr[VSATP] & 0xFFFFFFFFFFF) << 12
    for depth in range(3):
        level: int = 2 - depth
        at: int = second(m, table + ((a >> (12 + 9 * level)) & 511) * 8, IMPLICIT) - m.memory.base[0]
        if at + m.memory.base[0] < 0:
            return at + m.memory.base[0]
        if at < 0 or at > m.memory.size[0] - 8:
            return NO_MEMORY
        m.counts.references[level] += 1
        leaf: int = load64(m.memory.ram, at)
        if not leaf & PTE_V or (leaf & PTE_W and not leaf & PTE_R) or (leaf >> 54) & 0x3FF:
            return NO_PAGE
        if leaf & (PTE_R | PTE_X):
            return end_first(m, unit, a, access, context, level, at, table)
        if leaf & (PTE_A | PTE_D | PTE_U):
            return NO_PAGE
        table = ((leaf >> 10) & 0xFFFFFFFFFFF) << 12
    return NO_PAGE


def end_first(m: Machine, unit: int, a: int, access: int, context: int, level: int, at: int, table: int) -> int:
    """What an entry of a guest's table says of a page: it is marked, if the second stage lets the guest write there."""
    leaf: int = load64(m.memory.ram, at)
    if not allowed_first(m, leaf, access, context) or (leaf >> 10) & ((1 << 9 * level) - 1):
        return NO_PAGE
    marked: int = leaf | PTE_A | (PTE_D if access == WRITE else 0)
    if marked != leaf:
        if not m.stage.leaf[0] & PTE_W:
            no_guest_page(m, table + ((a >> (12 + 9 * level)) & 511) * 8, access)
            m.hart.instruction[0] = IMPLICIT_WRITE
            return NO_GUEST_PAGE
        mark(m, m.stage.at[0], m.stage.leaf[0] | PTE_D)
        mark(m, at, marked)
    extent: int = (1 << (12 + 9 * level)) - 1
    return keep_both(m, unit, a, access, level, marked, ((leaf >> 10) & 0xFFFFFFFFFFF) << 12 | a & extent)


def mark(m: Machine, at: int, leaf: int) -> None:
    """Write an entry of a table, if there is one."""
    if at >= 0:
        forget_code(m, at >> 12)
        store64(m.memory.ram, at, leaf)


def keep_both(m: Machine, unit: int, a: int, access: int, level: int, leaf: int, physical: int) -> int:
    """Keep what both stages say of a page, the smaller of the two."""
    found: int = second(m, physical, access)
    if found < 0:
        return found
    level = min(level, m.stage.level[0])
    extent: int = (1 << (12 + 9 * level)) - 1
    row: int = keep_entry(m, unit, a, level, guest_space(m), leaf & 0x3FF | (found & ~extent) >> 12 << 10)
    m.tlb.second[row], m.tlb.guest[row] = m.stage.leaf[0], physical & ~extent
    return row


def second(m: Machine, a: int, access: int) -> int:
    """The physical address behind a guest-physical one; less than 0 for a fault."""
    hgatp: int = m.registers.csr[HGATP]
    if hgatp >> 60 & 15 == 0:
        m.stage.leaf[0], m.stage.level[0], m.stage.at[0] = EVERYTHING | PTE_U, 2, -1
        return a if a >= 0 else NO_MEMORY
    if a >> 41 != 0:
        return no_guest_page(m, a, access)
    table: int = (hgatp & 0xFFFFFFFFFFC) << 12
    for depth in range(3):
        level: int = 2 - depth
        at: int = table + ((a >> (12 + 9 * level)) & (2047 if level == 2 else 511)) * 8 - m.memory.base[0]
        if at < 0 or at > m.memory.size[0] - 8:
            return NO_MEMORY
        m.counts.second[level] += 1
        leaf: int = load64(m.memory.ram, at)
        if not leaf & PTE_V or (leaf & PTE_W and not leaf & PTE_R) or (leaf >> 54) & 0x3FF:
            break
        if leaf & (PTE_R | PTE_X):
            return end_second(m, a, access, level, at, leaf)
        if leaf & (PTE_A | PTE_D | PTE_U):
            break
        table = ((leaf >> 10) & 0xFFFFFFFFFFF) << 12
    return no_guest_page(m, a, access)


def end_second(m: Machine, a: int, access: int, level: int, at: int, leaf: int) -> int:
    """What an entry of the second stage says of a page: it is marked."""
    extent: int = (1 << (12 + 9 * level)) - 1
    if not allowed_second(m, leaf, access) or (leaf >> 10) & ((1 << 9 * level) - 1):
        return no_guest_page(m, a, access)
    marked: int = leaf | PTE_A | (PTE_D if access == WRITE else 0)
    if marked != leaf:
        mark(m, at, marked)
    m.stage.leaf[0], m.stage.level[0], m.stage.at[0] = marked, level, at
    return ((leaf >> 10) & 0xFFFFFFFFFFF) << 12 & ~extent | a & extent

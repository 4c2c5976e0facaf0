"""Page tables: Sv39, walked by the hardware, which also marks pages as accessed and dirty."""

from simvirt.machine.blocks import forget_code
from simvirt.machine.constants import (
    EXECUTES,
    GUEST_CONTEXTS,
    PTE_A,
    PTE_D,
    PTE_R,
    PTE_U,
    PTE_V,
    PTE_W,
    PTE_X,
    SATP,
    WRITE,
)
from simvirt.machine.log import entries_read, log_walk
from simvirt.machine.stages import NO_MEMORY, NO_PAGE, address_in, allowed, translate_guest
from simvirt.machine.tables import Machine
from simvirt.machine.tlb import find_entry, keep_entry
from simvirt.machine.words import load64, store64


def translate(m: Machine, a: int, access: int, context: int) -> int:
    """The physical address behind a virtual one; NO_PAGE or NO_MEMORY for a fault."""
    unit: int = 1 if access == EXECUTES else 0
    if context >= GUEST_CONTEXTS:
        return translate_guest(m, a, access, context - GUEST_CONTEXTS)
    row: int = find_entry(m, unit, a, (m.registers.csr[SATP] >> 44) & 0xFFFF)
    if row < 0 or (access == WRITE and not m.tlb.leaf[row] & PTE_D):
        m.counts.walks[unit] += 1
        before: int = entries_read(m)
        row = walk(m, unit, a, access, context)
        log_walk(m, unit, a, before)
        if row < 0:
            return row
    elif not allowed(m, m.tlb.leaf[row], access, context):
        return NO_PAGE
    return address_in(m, row, a)


def walk(m: Machine, unit: int, a: int, access: int, context: int) -> int:
    """Row of the TLB for what the tables say; they are read from the root down."""
    table: int = (m.registers.csr[SATP] & 0xFFFFFFFFFFF) << 12
    if a >> 38 != 0 and a >> 38 != -1:
        return NO_PAGE
    for depth in range(3):
        level: int = 2 - depth
        at: int = table + ((a >> (12 + 9 * level)) & 511) * 8 - m.memory.base[0]
        if at < 0 or at > m.memory.size[0] - 8:
            return NO_MEMORY
        m.counts.references[level] += 1
        leaf: int = load64(m.memory.ram, at)
        if not leaf & PTE_V or (leaf & PTE_W and not leaf & PTE_R) or (leaf >> 54) & 0x3FF:
            return NO_PAGE
        if leaf & (PTE_R | PTE_X):
            return end_walk(m, unit, a, access, context, level, at)
        if leaf & (PTE_A | PTE_D | PTE_U):
            return NO_PAGE
        table = ((leaf >> 10) & 0xFFFFFFFFFFF) << 12
    return NO_PAGE


def end_walk(m: Machine, unit: int, a: int, access: int, context: int, level: int, at: int) -> int:
    """What the entry at a place in ram says of a page: it is marked, and kept in the TLB."""
    leaf: int = load64(m.memory.ram, at)
    if not allowed(m, leaf, access, context) or (leaf >> 10) & ((1 << 9 * level) - 1):
        return NO_PAGE
    marked: int = leaf | PTE_A | (PTE_D if access == WRITE else 0)
    if marked != leaf:
        forget_code(m, at >> 12)
        store64(m.memory.ram, at, marked)
    return keep_entry(m, unit, a, level, (m.registers.csr[SATP] >> 44) & 0xFFFF, marked)

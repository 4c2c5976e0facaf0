"""Loads and stores that are not found at once: translation, devices, accesses across pages, faults."""

from simvirt.kernel.marks import apart
from simvirt.machine.blocks import forget_code
from simvirt.machine.constants import (
    BARE,
    FAST,
    GUEST_CONTEXTS,
    LEFT,
    LOAD_ACCESS,
    LOAD_GUEST_PAGE,
    LOAD_MISALIGNED,
    LOAD_PAGE,
    READ,
    STORE_ACCESS,
    STORE_GUEST_PAGE,
    STORE_MISALIGNED,
    STORE_PAGE,
    UNFOUND,
    WRITE,
)
from simvirt.machine.decode import ATOMIC
from simvirt.machine.devices.bus import NOWHERE, device_at, read_device, write_device
from simvirt.machine.stages import NO_GUEST_PAGE, NO_MEMORY, NO_PAGE
from simvirt.machine.tables import Machine
from simvirt.machine.traps import trap
from simvirt.machine.walk import translate
from simvirt.machine.words import load64, store64

LOADS = 0x03  # opcodes
STORES = 0x23


@apart
def find(m: Machine, i: int, a: int, size: int, access: int) -> int:
    """Where in ram to load from or to store to, which for a device is behind the memory; LEFT after a fault."""
    m.memory.device[0], m.memory.second[0] = NOWHERE, -1
    if (a & 4095) + size > 4096:
        return find_across(m, i, a, size, access)
    return find_within(m, i, a, size, access)


def find_within(m: Machine, i: int, a: int, size: int, access: int) -> int:
    """The place of something within one page."""
    context: int = m.hart.context[0]
    at: int = a if context == BARE else translate(m, a, access, context)
    if at < 0 and context != BARE:
        return fault(m, i, a, access, at)
    place: int = at - m.memory.base[0]
    if 0 <= place <= m.memory.size[0] - size:
        note(m, a, place, access)
        return place
    return find_device(m, i, a, at, size, access)


def fault(m: Machine, i: int, a: int, access: int, why: int) -> int:
    """Trap: there is no page, in one stage or the other, or nothing behind it."""
    if m.hart.context[0] >= GUEST_CONTEXTS:
        m.hart.guest[0] = 1
    if why == NO_GUEST_PAGE:
        if m.hart.instruction[0] == 0:
            m.hart.instruction[0] = transformed(m, i, a)
        return trap(m, i, STORE_GUEST_PAGE if access == WRITE else LOAD_GUEST_PAGE, a)
    if access == WRITE:
        return trap(m, i, STORE_PAGE if why == NO_PAGE else STORE_ACCESS, a)
    return trap(m, i, LOAD_PAGE if why == NO_PAGE else LOAD_ACCESS, a)


def transformed(m: Machine, i: int, a: int) -> int:
    """The instruction of a row as htinst has it: how far the address is from where the access begins, instead of its own."""
    base: int = m.decoding.base[m.code.op[i]]
    kind: int = base & 0x7F
    offset: int = (a - m.registers.x[m.code.rs1[i]] - (m.code.imm[i] if kind == LOADS or kind == STORES else 0)) & 31
    own: int = base | offset << 15
    if kind != LOADS:
        own |= m.code.rs2[i] << 20
    if kind != STORES:
        own |= (m.code.rd[i] & 31) << 7
    if kind == ATOMIC:
        own |= m.code.imm[i]
    return own if m.code.behind[i] - m.code.at[i] == 4 else own & ~2


def note(m: Machine, a: int, place: int, access: int) -> None:
    """Let the page be found at once; blocks of a page that is written to are forgotten."""
    s: int = m.hart.context[0] + ((a >> 12) & (FAST - 1))
    page: int = a & -4096
    if access == WRITE:
        forget_code(m, place >> 12)
        m.fast.writes[s] = UNFOUND if m.hart.shared[0] else page
        if m.fast.reads[s] != page:
            m.fast.reads[s] = UNFOUND
    else:
        m.fast.reads[s] = page
        if m.fast.writes[s] != page:
            m.fast.writes[s] = UNFOUND
    m.fast.shift[s] = place - a


def find_device(m: Machine, i: int, a: int, at: int, size: int, access: int) -> int:
    """Load from a device into the bytes behind the memory, or let what is to be stored be put there."""
    device: int = device_at(at, size)
    if device == NOWHERE or at & (size - 1):
        return fault(m, i, a, access, NO_MEMORY)
    m.memory.device[0], m.memory.address[0] = device, at
    if access == READ:
        m.hart.count[0] -= m.code.left[i]
        store64(m.memory.ram, m.memory.size[0], read_device(m, device, at))
        m.hart.count[0] += m.code.left[i]
    return m.memory.size[0]


def find_across(m: Machine, i: int, a: int, size: int, access: int) -> int:
    """Something that lies in two pages goes through the bytes behind the memory, if both are memory."""
    split: int = 4096 - (a & 4095)
    first: int = find_within(m, i, a, 1, access)
    if first < 0:
        return LEFT
    second: int = find_within(m, i, a + split, 1, access)
    if second < 0:
        return LEFT
    if first >= m.memory.size[0] or second >= m.memory.size[0]:
        return trap(m, i, STORE_ACCESS if access == WRITE else LOAD_ACCESS, a)
    m.memory.first[0], m.memory.second[0], m.memory.split[0] = first, second, split
    for k in range(size if access == READ else 0):
        m.memory.ram[m.memory.size[0] + k] = m.memory.ram[first + k if k < split else second + k - split]
    return m.memory.size[0]


@apart
def finish(m: Machine, i: int, size: int) -> None:
    """Bring what was stored behind the memory to where it belongs."""
    end: int = m.memory.size[0]
    if m.memory.second[0] >= 0:
        for k in range(size):
            place: int = m.memory.first[0] + k if k < m.memory.split[0] else m.memory.second[0] + k - m.memory.split[0]
            m.memory.ram[place] = m.memory.ram[end + k]
        return
    value: int = load64(m.memory.ram, end)
    if size < 8:
        value = value & ((1 << 8 * size) - 1)
    m.hart.count[0] -= m.code.left[i]
    write_device(m, m.memory.device[0], m.memory.address[0], size, value)
    m.hart.count[0] += m.code.left[i]


@apart
def behind_device(m: Machine, i: int) -> int:
    """The row to go on with behind an access to a device; its block is left if the device wants the hart to look around."""
    if m.hart.limit[0] != 0:
        return i + 1
    m.hart.count[0] -= m.code.left[i]
    m.hart.pc[0] = m.hart.page[0] + m.code.behind[i]
    return LEFT


@apart
def find_atomic(m: Machine, i: int, a: int, size: int, access: int) -> int:
    """The place of something that is read and written as one: aligned, and in memory."""
    if a & (size - 1):
        return trap(m, i, STORE_MISALIGNED if access == WRITE else LOAD_MISALIGNED, a)
    context: int = m.hart.context[0]
    at: int = a if context == BARE else translate(m, a, access, context)
    place: int = at - m.memory.base[0]
    if at < 0 or place < 0 or place > m.memory.size[0] - size:
        return fault(m, i, a, access, at if context != BARE and at < 0 else NO_MEMORY)
    note(m, a, place, access)
    return place

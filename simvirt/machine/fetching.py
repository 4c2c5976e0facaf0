"""Where control goes: to a block that there is, to one that is made, or out of the blocks."""

from simvirt.kernel.marks import apart, rare
from simvirt.machine.blocks import FIRST_ROW, forget_all_code, mark_coded, slot_of
from simvirt.machine.constants import BARE, EXECUTES, FAST, FETCH_ACCESS, FETCH_GUEST_PAGE, FETCH_PAGE, LEFT, RUNNING
from simvirt.machine.decode import decode
from simvirt.machine.stages import NO_GUEST_PAGE, NO_PAGE
from simvirt.machine.tables import Machine
from simvirt.machine.traps import take
from simvirt.machine.walk import translate
from simvirt.machine.words import unsigned16, wrap

ACROSS = 1  # row of an instruction that lies in two pages
LAST_HALF = 4094


def leave(m: Machine, pc: int) -> int:
    """Control leaves the blocks."""
    m.hart.pc[0] = pc
    return LEFT


def enter(m: Machine, i: int) -> int:
    """Begin a block, whose instructions are counted at once; leave instead when it is time to look around before its end."""
    if m.hart.count[0] + m.code.left[i] >= m.hart.limit[0]:
        return leave(m, m.hart.page[0] + m.code.at[i])
    m.hart.count[0] += m.code.left[i] + 1
    return i


def go_to(m: Machine, pc: int) -> int:
    """Go to an address."""
    s: int = m.hart.fetching[0] + ((pc >> 12) & (FAST - 1))
    if m.fast.fetches[s] == pc & -4096:
        i: int = m.cache.starts[m.fast.slot[s] + ((pc & 4095) >> 1)]
        if i != 0:
            m.hart.page[0] = pc & -4096
            return enter(m, i)
    return go_far(m, pc)


@apart
def go_far(m: Machine, pc: int) -> int:
    """Go to an address whose page is not found at once, or that no block begins at."""
    if m.hart.count[0] >= m.hart.limit[0]:
        return leave(m, pc)
    place: int = fetch_place(m, pc, pc)
    if place < 0:
        return LEFT
    if m.cache.used[0] + m.hart.longest[0] + 1 > m.cache.rows[0]:
        forget_all_code(m)
    first: int = slot_of(m, place >> 12)
    s: int = m.hart.fetching[0] + ((pc >> 12) & (FAST - 1))
    m.fast.fetches[s], m.fast.slot[s], m.hart.page[0] = pc & -4096, first, pc & -4096
    start: int = first + ((pc & 4095) >> 1)
    if m.cache.starts[start] == 0:
        if pc & 4095 == LAST_HALF and unsigned16(m.memory.ram, place) & 3 == 3:
            return go_across(m, pc, place)
        m.cache.starts[start] = build(m, place)
    return enter(m, m.cache.starts[start])


def fetch_place(m: Machine, pc: int, a: int) -> int:
    """Place in ram of an address of the instruction at the program counter; LEFT after a fault."""
    context: int = m.hart.fetching[0]
    at: int = a if context == BARE else translate(m, a, EXECUTES, context)
    place: int = at - m.memory.base[0]
    if at >= 0 and place >= 0 and place <= m.memory.size[0] - 2:
        return place
    m.hart.pc[0] = pc
    cause: int = FETCH_ACCESS
    if context != BARE and (at == NO_PAGE or at == NO_GUEST_PAGE):
        cause = FETCH_PAGE if at == NO_PAGE else FETCH_GUEST_PAGE
    take(m, pc, cause, False, a)
    return LEFT


@apart
def build(m: Machine, place: int) -> int:
    """Decode a block, up to an instruction that ends it, the end of the page, or the longest that a block may be; its first row."""
    mark_coded(m, place >> 12)
    first: int = m.cache.used[0]
    page: int = place & -4096
    at: int = place & 4095
    row: int = first
    ended: int = 0
    while ended == 0 and at < 4096 and row - first < m.hart.longest[0]:
        bits: int = unsigned16(m.memory.ram, page + at)
        if bits & 3 == 3:
            if at == LAST_HALF:
                break
            bits |= unsigned16(m.memory.ram, page + at + 2) << 16
        ended = decode(m, row, bits, at)
        at = m.code.behind[row]
        row += 1
    for k in range(first, row):
        m.code.left[k] = row - 1 - k
    if ended == 0:
        put_go_on(m, row, at)
        row += 1
    m.cache.used[0] = row
    m.cache.built[0] += 1
    return first


def put_go_on(m: Machine, row: int, at: int) -> None:
    """End a block: what follows lies at an offset of its page, or in the next."""
    m.code.op[row], m.code.imm[row], m.code.at[row] = m.cache.go_on[0], at, at
    m.code.behind[row], m.code.left[row], m.code.link[row] = at, 0, 0


@apart
def next_single(m: Machine, until: int) -> int:
    """Up to where it is time to look around, instructions of a block that reaches further are carried out one at a time."""
    if m.hart.limit[0] == 0 or m.hart.count[0] >= until or m.hart.stop[0] != RUNNING:
        return LEFT
    if m.hart.given[0] == 0 and not decode_single(m):
        return LEFT
    m.hart.given[0] = 0
    m.counts.carried[m.code.op[ACROSS]] += m.hart.shared[0]
    m.hart.count[0] += 1
    m.hart.limit[0] = m.hart.count[0]
    return ACROSS


def decode_single(m: Machine) -> bool:
    """Decode the instruction at the program counter as a block of its own; false where fetching it has trapped."""
    pc: int = m.hart.pc[0]
    place: int = fetch_place(m, pc, pc)
    if place < 0:
        return False
    m.hart.page[0] = pc & -4096
    bits: int = unsigned16(m.memory.ram, place)
    if bits & 3 == 3:
        upper: int = place + 2 if pc & 4095 != LAST_HALF else fetch_place(m, pc, wrap(pc + 2))
        if upper < 0:
            return False
        bits |= unsigned16(m.memory.ram, upper) << 16
    decode_across(m, bits, pc & 4095)
    return True


def decode_across(m: Machine, bits: int, at: int) -> None:
    """Decode an instruction as a block of its own."""
    if decode(m, ACROSS, bits, at) == 0:
        put_go_on(m, ACROSS + 1, m.code.behind[ACROSS])
    m.code.left[ACROSS] = 0


@rare
def go_across(m: Machine, pc: int, place: int) -> int:
    """An instruction that lies in two pages is decoded each time, as a block of its own."""
    second: int = fetch_place(m, pc, wrap(pc + 2))
    if second < 0:
        return LEFT
    bits: int = unsigned16(m.memory.ram, place) | unsigned16(m.memory.ram, second) << 16
    decode_across(m, bits, LAST_HALF)
    return enter(m, ACROSS)


def jump(m: Machine, i: int) -> int:
    """Jump as the immediate of a row says; what is left of its block is not carried out."""
    m.hart.count[0] -= m.code.left[i]
    if m.code.link[i] != 0:
        return enter(m, m.code.link[i])
    return jump_far(m, i)


@apart
def jump_far(m: Machine, i: int) -> int:
    """A jump to another page, or the first of its row: one within the page is remembered."""
    flushes: int = m.cache.flushes[0]
    target: int = m.code.imm[i]
    to: int = go_to(m, wrap(m.hart.page[0] + target))
    if to >= FIRST_ROW and i >= FIRST_ROW and 0 <= target < 4096 and m.cache.flushes[0] == flushes:
        m.code.link[i] = to
    return to


def go_on(m: Machine, i: int) -> int:
    """Go on behind a row that ends its block."""
    return go_to(m, wrap(m.hart.page[0] + m.code.behind[i]))

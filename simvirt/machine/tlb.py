"""The modelled TLB, and what is found without it.

*Model.* One unit for data and one for instructions, each of `sets` x `ways` entries of any page size, tagged with an address space,
the oldest of a set replaced (first in, first out). As a hit changes nothing, the pages in `fast` are a subset of the entries, and
the counts of misses are exactly those of the model. The unit for instructions is asked when control enters a page.
"""

from simvirt.kernel.marks import apart
from simvirt.machine.constants import CONTEXTS, FAST, PTE_G, UNFOUND
from simvirt.machine.tables import Machine


OWNER = 0x7FFF  # of what lies above the address space: the guest


def find_entry(m: Machine, unit: int, a: int, space: int) -> int:
    """The row that translates an address; -1 for none."""
    for level in range(3):
        tag: int = a >> (12 + 9 * level)
        row: int = first_way(m, unit, tag)
        for k in range(m.tlb.ways[0]):
            if m.tlb.tag[row + k] == tag and m.tlb.level[row + k] == level and belongs(m, row + k, space):
                return row + k
    return -1


def first_way(m: Machine, unit: int, tag: int) -> int:
    """First row of the set of a page."""
    return (unit * m.tlb.sets[0] + (tag & (m.tlb.sets[0] - 1))) * m.tlb.ways[0]


def belongs(m: Machine, row: int, space: int) -> bool:
    """Whether an entry is one of an address space, or of all (of a guest, if it is a guest's)."""
    return m.tlb.space[row] == space or (m.tlb.leaf[row] & PTE_G != 0 and m.tlb.space[row] >> 16 == space >> 16)


def keep_entry(m: Machine, unit: int, a: int, level: int, space: int, leaf: int) -> int:
    """Keep a translation in the place of an older one of that page, or of the oldest of the set; its row."""
    tag: int = a >> (12 + 9 * level)
    first: int = first_way(m, unit, tag)
    place: int = first // m.tlb.ways[0]
    row: int = find_entry(m, unit, a, space)
    if row < 0 or m.tlb.level[row] != level:
        row = first + m.tlb.oldest[place]
        m.tlb.oldest[place] = (m.tlb.oldest[place] + 1) % m.tlb.ways[0]
        if m.tlb.level[row] >= 0:
            m.counts.evictions[unit] += 1
    forget_entry(m, row)
    m.tlb.tag[row], m.tlb.level[row], m.tlb.space[row], m.tlb.leaf[row] = tag, level, space, leaf
    m.tlb.second[row] = 0
    return row


def forget_entry(m: Machine, row: int) -> None:
    """Empty a row; what `fast` has of its page goes too."""
    level: int = m.tlb.level[row]
    m.tlb.level[row] = -1
    if level == 0:
        forget_page(m, m.tlb.tag[row])
    elif level > 0:
        forget_fast(m)


def forget_page(m: Machine, page: int) -> None:
    """Take a page out of what is found at once."""
    for context in range(1, CONTEXTS):
        s: int = context * FAST + (page & (FAST - 1))
        m.fast.reads[s], m.fast.writes[s], m.fast.fetches[s] = UNFOUND, UNFOUND, UNFOUND


@apart
def forget_fast(m: Machine) -> None:
    """Take all that is translated out of what is found at once."""
    for s in range(FAST, FAST * CONTEXTS):
        m.fast.reads[s], m.fast.writes[s], m.fast.fetches[s] = UNFOUND, UNFOUND, UNFOUND


def forget_guest(m: Machine, space: int, of_guest: bool) -> None:
    """Empty the rows of a guest, or of all."""
    for row in range(2 * m.tlb.sets[0] * m.tlb.ways[0]):
        of_any: bool = (m.tlb.space[row] >> 30) & 1 != 0
        if of_any and not (of_guest and (m.tlb.space[row] ^ space) >> 16 & OWNER):
            m.tlb.level[row] = -1
    forget_fast(m)


def forget_all(m: Machine) -> int:
    """Empty all rows; how many there are."""
    rows: int = 2 * m.tlb.sets[0] * m.tlb.ways[0]
    for row in range(rows):
        m.tlb.level[row] = -1
    forget_fast(m)
    return rows


def forget_translations(m: Machine, a: int, of_address: bool, space: int, of_space: bool) -> None:
    """Empty the rows of an address, of an address space (but for global pages), of both, or all of who has it: the host, or one guest."""
    for row in range(2 * m.tlb.sets[0] * m.tlb.ways[0]):
        level: int = m.tlb.level[row]
        if level < 0 or (of_address and m.tlb.tag[row] != a >> (12 + 9 * level)):
            continue
        if (m.tlb.space[row] ^ space) >> 16 & OWNER:
            continue
        if of_space and (m.tlb.space[row] != space or m.tlb.leaf[row] & PTE_G):
            continue
        m.tlb.level[row] = -1
    forget_fast(m)

"""Where decoded blocks are kept: by physical page, and how they are forgotten when the page is written to."""

from simvirt.kernel.marks import rare
from simvirt.machine.constants import CONTEXTS, FAST, UNFOUND
from simvirt.machine.tables import Machine

HALFWORDS = 2048  # of a page
FIRST_ROW = 4  # of `code`: those before are for an instruction that lies in two pages


def slot_of(m: Machine, page: int) -> int:
    """First row of `starts` of a page of ram, which gets a slot if it has none."""
    if m.pages.slot[page] < 0:
        give_slot(m, page)
    return m.pages.slot[page]


@rare
def give_slot(m: Machine, page: int) -> None:
    """Give a page a slot, after all is forgotten if there is none left."""
    if m.cache.slots[0] >= m.cache.most[0]:
        forget_all_code(m)
    m.pages.slot[page] = m.cache.slots[0] * HALFWORDS
    m.cache.owner[m.cache.slots[0]] = page
    m.cache.slots[0] += 1


def forget_code(m: Machine, page: int) -> None:
    """A page of ram is written to."""
    if m.pages.coded[page]:
        forget_blocks(m, page)


@rare
def forget_blocks(m: Machine, page: int) -> None:
    """The blocks of a page are no more; the one in work is left at its end."""
    clear_starts(m, m.pages.slot[page])
    m.pages.coded[page] = 0
    m.cache.dropped[0] += 1
    m.hart.limit[0] = 0


def clear_starts(m: Machine, first: int) -> None:
    """No block begins in a slot."""
    for k in range(HALFWORDS):
        m.cache.starts[first + k] = 0


@rare
def forget_all_code(m: Machine) -> None:
    """Forget all blocks and slots, as the tables are full."""
    for slot in range(m.cache.slots[0]):
        clear_starts(m, slot * HALFWORDS)
        m.pages.slot[m.cache.owner[slot]] = -1
        m.pages.coded[m.cache.owner[slot]] = 0
    m.cache.slots[0], m.cache.used[0] = 0, FIRST_ROW
    m.cache.flushes[0] += 1
    for s in range(FAST * CONTEXTS):
        m.fast.fetches[s] = UNFOUND


def mark_coded(m: Machine, page: int) -> None:
    """There is a block of a page now: stores to it are not found at once any more."""
    if m.pages.coded[page]:
        return
    m.pages.coded[page] = 1
    for s in range(FAST * CONTEXTS):
        if m.fast.writes[s] != UNFOUND and (m.fast.writes[s] + m.fast.shift[s]) >> 12 == page:
            m.fast.writes[s] = UNFOUND

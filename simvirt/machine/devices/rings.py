"""Rings of virtio devices (split virtqueues): chains of descriptors that a driver makes available, a device serves and gives back.

*Model.* A chain is gathered into a table of segments before anything of it is done. One that is wrong, an index beyond the queue, a loop,
an address outside of the memory, what may be read behind what may be written, breaks the device: it asks for a reset. Rings are checked
when their queue is made ready. The guest is interrupted after a kick has been served, unless it has asked not to be: by the flag, or by
an index (EVENT_IDX).

*Source.* Virtual I/O Device (VIRTIO) Version 1.2, chapters 2.6 and 2.7.
"""

from simvirt.machine.blocks import forget_code
from simvirt.machine.devices.plic import set_line
from simvirt.machine.tables import Bytes, Machine
from simvirt.machine.words import load64, move, store16, store32, store64, unsigned16, unsigned32

SLOTS = 8
QUEUES = 2  # of a slot
LARGEST = 256  # descriptors of a queue at most
MOST_BYTES = 16777216  # of a chain
NEEDS_RESET = 0x40
EVENT_IDX = 0x20000000
VERSION_1 = 0x100000000
NEXT = 1  # flags of a descriptor
WRITABLE = 2
INDIRECT = 4
KICKS = 0  # what is counted by slot
CHAINS = 1
DESCRIPTORS = 2
BYTES_READ = 3
BYTES_WRITTEN = 4
INTERRUPTS = 5
SUPPRESSED = 6
ERRORS = 7
DROPPED = 8
TALLIES = 9
UNIT_OF_WORK = 64  # bytes that count as one instruction of the budget


def tally(m: Machine, slot: int, what: int, count: int) -> None:
    """Count something that a device did."""
    m.counts.virtio[slot * TALLIES + what] += count


def ram_place(m: Machine, at: int, count: int) -> int:
    """Place in ram of so many bytes at a physical address; -1 where they do not lie in the memory."""
    if at < m.memory.base[0] or count < 0 or at - m.memory.base[0] > m.memory.size[0] - count:
        return -1
    return at - m.memory.base[0]


def line_of(m: Machine, slot: int) -> None:
    """Hold the line up while there is a reason."""
    set_line(m, slot + 1, m.virtio.reasons[slot] != 0)


def break_device(m: Machine, slot: int) -> None:
    """The driver has done what it must not: the device does nothing more before a reset, and says so."""
    m.virtio.status[slot] |= NEEDS_RESET
    m.virtio.reasons[slot] |= 2
    tally(m, slot, ERRORS, 1)
    line_of(m, slot)


def ready_queue(m: Machine, slot: int, row: int) -> None:
    """Begin to use a queue, whose rings must lie in the memory."""
    size: int = m.queues.size[row]
    places_right: bool = (
        0 < size <= LARGEST and size & (size - 1) == 0
        and ram_place(m, m.queues.descriptors[row], 16 * size) >= 0 and m.queues.descriptors[row] & 15 == 0
        and ram_place(m, m.queues.driver[row], 6 + 2 * size) >= 0 and m.queues.driver[row] & 1 == 0
        and ram_place(m, m.queues.device[row], 6 + 8 * size) >= 0 and m.queues.device[row] & 3 == 0
    )
    if places_right:
        m.queues.ready[row], m.queues.seen[row], m.queues.used[row] = 1, 0, 0
    else:
        break_device(m, slot)


def ring_place(m: Machine, address: int) -> int:
    """Place in ram of a part of a ring."""
    return address - m.memory.base[0]


def waiting_chains(m: Machine, slot: int, row: int) -> int:
    """Chains that the driver has made available and the device has not taken; more than there can be break it."""
    if m.queues.ready[row] == 0 or m.virtio.status[slot] & NEEDS_RESET:
        return 0
    found: int = (unsigned16(m.memory.ram, ring_place(m, m.queues.driver[row]) + 2) - m.queues.seen[row]) & 0xFFFF
    if found > m.queues.size[row]:
        break_device(m, slot)
        return 0
    return found


def gather_chain(m: Machine, slot: int, row: int) -> bool:
    """Put the next chain into the table of segments; false after one that is wrong."""
    size: int = m.queues.size[row]
    at: int = ring_place(m, m.queues.driver[row]) + 4 + 2 * (m.queues.seen[row] & (size - 1))
    one: int = unsigned16(m.memory.ram, at)
    m.chain.head[0], m.chain.segments[0], m.chain.readable[0], m.chain.writable[0], m.chain.more[0] = one, 0, 0, 0, 1
    while m.chain.more[0]:
        if one >= size or m.chain.segments[0] >= size or not add_segment(m, row, one):
            break_device(m, slot)
            return False
        one = m.chain.following[0]
    m.queues.seen[row] = (m.queues.seen[row] + 1) & 0xFFFF
    tally(m, slot, CHAINS, 1)
    tally(m, slot, DESCRIPTORS, m.chain.segments[0])
    return True


def add_segment(m: Machine, row: int, one: int) -> bool:
    """Add what a descriptor says; false where that is wrong."""
    at: int = ring_place(m, m.queues.descriptors[row]) + 16 * one
    count: int = unsigned32(m.memory.ram, at + 8)
    flags: int = unsigned16(m.memory.ram, at + 12)
    place: int = ram_place(m, load64(m.memory.ram, at), count)
    writes: int = 1 if flags & WRITABLE else 0
    if place < 0 or flags & INDIRECT or (writes == 0 and m.chain.writable[0]):
        return False
    k: int = m.chain.segments[0]
    m.segments.place[k], m.segments.count[k], m.segments.writes[k] = place, count, writes
    m.chain.segments[0] = k + 1
    if writes:
        m.chain.writable[0] += count
    else:
        m.chain.readable[0] += count
    m.chain.more[0], m.chain.following[0] = flags & NEXT, unsigned16(m.memory.ram, at + 14)
    return m.chain.writable[0] + m.chain.readable[0] <= MOST_BYTES


def take_bytes(m: Machine, slot: int, to: Bytes, at: int, skip: int, count: int) -> None:
    """Copy what the driver gives, from a byte of its chain on, to a place of a device; it is known to be that long."""
    tally(m, slot, BYTES_READ, count)
    m.hart.taken[0] += count // UNIT_OF_WORK
    for k in range(m.chain.segments[0]):
        if m.segments.writes[k] == 0 and count > 0:
            part: int = max(min(m.segments.count[k] - skip, count), 0)
            move(to, at, m.memory.ram, m.segments.place[k] + skip, part)
            at += part
            count -= part
            skip = max(skip - m.segments.count[k], 0) if part == 0 else 0


def give_bytes(m: Machine, slot: int, source: Bytes, at: int, skip: int, count: int) -> None:
    """Copy from a place of a device to where the driver wants it, from a byte of that on; there is known to be room."""
    tally(m, slot, BYTES_WRITTEN, count)
    m.hart.taken[0] += count // UNIT_OF_WORK
    for k in range(m.chain.segments[0]):
        if m.segments.writes[k] and count > 0:
            part: int = max(min(m.segments.count[k] - skip, count), 0)
            forget_written(m, m.segments.place[k] + skip, part)
            move(m.memory.ram, m.segments.place[k] + skip, source, at, part)
            at += part
            count -= part
            skip = max(skip - m.segments.count[k], 0) if part == 0 else 0


def forget_written(m: Machine, place: int, count: int) -> None:
    """What was decoded of pages that a device writes to is no more."""
    for page in range(place >> 12, (place + count + 4095) >> 12 if count else place >> 12):
        forget_code(m, page)


def give_back(m: Machine, row: int, written: int) -> None:
    """Return a chain to the driver."""
    size: int = m.queues.size[row]
    ring: int = ring_place(m, m.queues.device[row])
    at: int = ring + 4 + 8 * (m.queues.used[row] & (size - 1))
    forget_written(m, ring, 6 + 8 * size)
    store32(m.memory.ram, at, m.chain.head[0])
    store32(m.memory.ram, at + 4, written)
    m.queues.used[row] = (m.queues.used[row] + 1) & 0xFFFF
    store16(m.memory.ram, ring + 2, m.queues.used[row])


def wants_interrupt(m: Machine, slot: int, row: int, before: int) -> bool:
    """Whether the driver is to be told of the chains that came back since a place of the ring."""
    size: int = m.queues.size[row]
    driver: int = ring_place(m, m.queues.driver[row])
    if m.virtio.accepted[slot] & EVENT_IDX == 0:
        return unsigned16(m.memory.ram, driver) & 1 == 0
    event: int = unsigned16(m.memory.ram, driver + 4 + 2 * size)
    return (m.queues.used[row] - event - 1) & 0xFFFF < (m.queues.used[row] - before) & 0xFFFF


def tell_driver(m: Machine, slot: int, row: int, before: int) -> None:
    """End of a turn: interrupt the driver if chains came back and it wants to know, and say from where on it is to kick."""
    if m.virtio.accepted[slot] & EVENT_IDX:
        at: int = ring_place(m, m.queues.device[row]) + 4 + 8 * m.queues.size[row]
        forget_written(m, at, 2)
        store16(m.memory.ram, at, m.queues.seen[row])
    if m.queues.used[row] == before:
        return
    if wants_interrupt(m, slot, row, before):
        m.virtio.reasons[slot] |= 1
        tally(m, slot, INTERRUPTS, 1)
        line_of(m, slot)
    else:
        tally(m, slot, SUPPRESSED, 1)


def header_word(m: Machine, at: int) -> int:
    """A word of what was taken from the begin of a chain."""
    return load64(m.chain.header, at)


def put_header(m: Machine, at: int, value: int) -> None:
    """A word for the begin of what is given."""
    store64(m.chain.header, at, value)

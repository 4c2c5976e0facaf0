"""A disk (virtio-blk): sectors of an image, which the file that it came from is never changed by.

*Model.* Writes go to the copy in memory, or are refused where the disk is read-only. A request beyond the end, of parts of sectors, or a
write to a read-only disk ends with an error for the guest. A request is served when it is made; it takes no time of the guest.

*Source.* VIRTIO 1.2, chapter 5.2.
"""

from simvirt.machine.devices.rings import break_device, give_bytes, header_word, put_header, take_bytes
from simvirt.machine.tables import Machine
from simvirt.machine.words import low

BLOCK = 2  # kind of device
SECTOR = 512
BLOCK_HEADER = 16
READS_SECTORS = 0
WRITES_SECTORS = 1
FLUSHES = 4
ASKS_NAME = 8
NAME_BYTES = 20
READ_ONLY = 0x20  # feature
DONE_WELL = 0
IO_ERROR = 1
UNSUPPORTED = 2


def serve_block(m: Machine, slot: int) -> int:
    """Carry out the request in the table of segments; bytes that were written to the guest, -1 where there was no request."""
    if m.chain.readable[0] < BLOCK_HEADER or m.chain.writable[0] < 1:
        break_device(m, slot)
        return -1
    take_bytes(m, slot, m.chain.header, 0, 0, BLOCK_HEADER)
    m.chain.answered[0] = 0
    status: int = carry_out(m, slot, low(header_word(m, 0)), header_word(m, 8))
    put_header(m, 0, status)
    give_bytes(m, slot, m.chain.header, 0, m.chain.writable[0] - 1, 1)
    return m.chain.answered[0] + 1


def carry_out(m: Machine, slot: int, kind: int, sector: int) -> int:
    """What a request ends with."""
    if kind == READS_SECTORS:
        return read_sectors(m, slot, sector, m.chain.writable[0] - 1)
    if kind == WRITES_SECTORS:
        return write_sectors(m, slot, sector, m.chain.readable[0] - BLOCK_HEADER)
    if kind == ASKS_NAME and m.chain.writable[0] > NAME_BYTES:
        m.chain.answered[0] = NAME_BYTES
        give_bytes(m, slot, m.disk.name, 0, 0, NAME_BYTES)
        return DONE_WELL
    return DONE_WELL if kind == FLUSHES else UNSUPPORTED


def on_disk(m: Machine, sector: int, count: int) -> bool:
    """Whether bytes from a sector on are whole sectors of the disk."""
    return count & (SECTOR - 1) == 0 and 0 <= sector <= m.disk.sectors[0] - count // SECTOR


def read_sectors(m: Machine, slot: int, sector: int, count: int) -> int:
    """Give sectors to the guest."""
    if not on_disk(m, sector, count):
        return IO_ERROR
    m.chain.answered[0] = count
    m.counts.sectors[0] += count // SECTOR
    give_bytes(m, slot, m.disk.data, sector * SECTOR, 0, count)
    return DONE_WELL


def write_sectors(m: Machine, slot: int, sector: int, count: int) -> int:
    """Take sectors from the guest."""
    if not on_disk(m, sector, count) or m.virtio.offered[slot] & READ_ONLY:
        return IO_ERROR
    m.counts.sectors[1] += count // SECTOR
    take_bytes(m, slot, m.disk.data, sector * SECTOR, BLOCK_HEADER, count)
    return DONE_WELL

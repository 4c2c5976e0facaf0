"""The tables of the machine, one class a table; those with one row hold the state of one thing.

Words are signed 64-bit integers; addresses in `ram` count from its first byte. The compiled machine keeps a row as a record;
plain, a column is a list, and `ram` a bytearray. `simvirt/emulation/making.py` makes them.
"""

from typing import TypeAlias

from simvirt.kernel.table import IntArray, Ints, Table

__all__ = [
    "Bytes", "Cache", "Chain", "Clint", "Code", "Counts", "Csrs", "Decoding", "Disk", "Fast", "Frames", "Hart", "IntArray", "Ints",
    "Log", "Machine", "Memory", "Pages", "Patterns", "Pieces", "Plic", "Queues", "Registers", "Segments", "Shorts", "Stage",
    "Table", "Tlb", "Uart", "Virtio",
]

Shorts: TypeAlias = list[int]
"""A column of small numbers with one value a row: 16 bits of the row's record in the compiled machine."""
Bytes: TypeAlias = bytearray
"""Memory by bytes: in the compiled machine an array of them."""


class Hart(Table):
    """One row: where the hart stands."""

    pc: Ints  # next instruction, when control is not in a block
    page: Ints  # virtual address of the page that the block in work lies in
    mode: Ints
    virtual: Ints  # 1 while a guest runs: VS or VU
    context: Ints  # first row of `fast` for data
    fetching: Ints  # first row of `fast` for instructions
    count: Ints  # instructions retired, those of the whole block in work included
    limit: Ints  # count from which on no block is entered
    taken: Ints  # traps taken, and what devices copied: work beside instructions
    end: Ints  # instructions and traps at which the caller wants to be asked
    since: Ints  # count at which the mode was entered
    skipped: Ints  # ticks that passed while the hart waited
    pace: Ints  # instructions a tick
    waiting: Ints  # 1 after wfi until an interrupt is pending
    reserved: Ints  # place in ram that lr has reserved; -1 for none
    stop: Ints  # why to stop; RUNNING
    code: Ints  # what the guest gave as its exit code
    guest: Ints  # of the fault in work: the address is a guest's
    physical: Ints  # guest-physical address that is not there, shifted by 2
    instruction: Ints  # what htinst says of it
    longest: Ints  # instructions of a block at most
    mark: Ints  # what the guest has said that begins
    served: Ints  # 1 where the firmware is outside of the machine: what enters machine mode leaves for the caller
    watched: Ints  # 1: a monitor is below it, and traps into machine mode are exits
    translates: Ints  # 1: what is decoded has calls of the monitor in place of system instructions
    shared: Ints  # 1: another hart has blocks of the same memory, so that each store asks for them
    given: Ints  # 1: what is carried out next has been decoded
    injects: Ints  # 1: interrupts of its supervisor are given to the hart that runs for it


class Registers(Table):
    """Registers of the hart."""

    x: IntArray  # 0 to 31, and DUMP
    csr: IntArray  # registers of control by their numbers


class Memory(Table):
    """One row: the memory."""

    ram: Bytes  # and behind it 16 bytes through which accesses to devices, and across pages, go
    size: Ints  # bytes without those
    base: Ints  # physical address of its first byte
    device: Ints  # that the access in work reaches
    address: Ints  # physical, of that access
    first: Ints  # place of the first part of an access across pages
    second: Ints  # place of the second part; -1 for an access that has none
    split: Ints  # bytes of the first part


class Code(Table):
    """One row a decoded instruction; those of a block lie one after the other."""

    op: Shorts
    rd: Shorts
    rs1: Shorts
    rs2: Shorts
    imm: Ints
    at: Shorts  # offset in its page
    behind: Shorts  # offset of what follows it
    left: Shorts  # instructions behind it in its block
    link: Ints  # first row of the block in the same page that it jumps to; 0 while unknown. Of a system instruction: its bits


class Cache(Table):
    """One row: what is used of the blocks' tables."""

    used: Ints  # rows of `code`
    rows: Ints  # rows that there are
    slots: Ints  # pages with a slot
    most: Ints  # slots that there are
    starts: IntArray  # first row of the block that begins at a halfword of a page with a slot
    owner: IntArray  # page of ram by slot
    flushes: Ints  # times that all was forgotten
    illegal: Ints  # numbers of the operations that stand for what is none, for the end of a block, and for a call of the monitor
    go_on: Ints
    call_out: Ints
    built: Ints  # blocks
    dropped: Ints  # pages whose blocks were forgotten because they were written to


class Pages(Table):
    """One row a page of ram."""

    slot: Ints  # first row of `starts`; -1 for none
    coded: Ints  # 1 while there are blocks of it


class Fast(Table):
    """Rows by context and lowest bits of the page's number: pages that are found at once. A subset of the modelled TLB."""

    reads: Ints  # virtual address of the page; 1 for none
    writes: Ints
    shift: Ints  # what to add to a virtual address for the place in ram
    fetches: Ints
    slot: Ints  # first row of `starts` of the page that is fetched from


class Tlb(Table):
    """The modelled TLB: rows by unit (data, instructions), set and way."""

    tag: Ints  # number of the virtual page, in pages of its size
    level: Ints  # 0: 4 KiB, 1: 2 MiB, 2: 1 GiB; -1: empty
    space: Ints  # whose: ASID
    leaf: Ints  # entry of the page table
    second: Ints  # permissions of the second stage
    guest: Ints  # guest-physical address of the page
    oldest: IntArray  # way that is replaced next, by unit and set
    sets: IntArray  # number of sets (one row)
    ways: IntArray  # number of ways (one row)


class Patterns(Table):
    """One row an encoding: how an instruction of it is decoded."""

    mask: Ints
    match: Ints
    op: Ints
    rd: Ints  # registers that the encoding has no field for
    rs1: Ints
    rs2: Ints
    imm: Ints
    first: Ints  # row of `pieces`
    pieces: Ints
    sign: Ints  # highest bit of a signed immediate; 0 for none
    nonzero: Ints  # bits of what must not be zero: 1 immediate, 2 rd, 4 rs1, 8 rs2
    other: Ints  # number that rd is not
    relative: Ints  # 1 where the immediate counts from the instruction
    ends: Ints  # 1 where it ends a block; 2 where it is a system instruction


class Pieces(Table):
    """One row a field of an encoding, or a part of one."""

    what: Ints  # 0: rd, 1: rs1, 2: rs2, 3: immediate
    low: Ints  # lowest bit in the instruction
    mask: Ints
    to: Ints  # lowest bit in the value
    add: Ints  # 8 for the registers that three bits name


class Decoding(Table):
    """One row a bucket of encodings: by opcode and function, compressed ones behind the others."""

    first: Ints
    count: Ints
    base: IntArray  # by operation: bits of its encoding, of 32 bits


class Csrs(Table):
    """One row a number of a register of control."""

    kind: Ints  # ABSENT, ORDINARY ...
    home: Ints  # the register that holds its bits
    readable: Ints
    writable: Ints


class Clint(Table):
    """One row: timer and software interrupts."""

    msip: Ints
    compare: Ints  # mtimecmp


class Stage(Table):
    """One row: what the walk of the second stage found."""

    leaf: Ints
    level: Ints
    at: Ints  # place of the entry in ram; -1 without a second stage


class Plic(Table):
    """Sources and contexts (0: machine, 1: supervisor) of external interrupts."""

    priority: IntArray  # by source
    pending: IntArray  # by source
    level: IntArray  # by source: the line of the device
    claimed: IntArray  # by source
    enabled: IntArray  # by context: bits of sources
    threshold: IntArray  # by context
    passed: IntArray  # 1: the line of the supervisor's context goes to a guest (one row)


class Uart(Table):
    """One row: the serial line; what is sent and what comes waits in rings."""

    ier: Ints
    lcr: Ints
    mcr: Ints
    fcr: Ints
    scr: Ints
    dll: Ints
    dlm: Ints
    thri: Ints  # 1: an empty transmitter has not been reported yet
    sent: IntArray
    sent_count: Ints
    came: IntArray
    came_head: Ints
    came_tail: Ints


class Virtio(Table):
    """Virtio devices, one row a slot."""

    kind: Ints  # of device; 0 for an empty slot
    offered: Ints  # features that the device offers
    accepted: Ints  # and those that the driver has taken
    asked: Ints  # which 32 of them are read
    chosen: Ints  # and written
    queue: Ints  # that registers are about
    status: Ints
    reasons: Ints  # why it interrupts


class Queues(Table):
    """Queues of virtio devices, a few rows a slot; addresses are physical."""

    size: Ints
    ready: Ints
    descriptors: Ints
    driver: Ints  # ring of what is available
    device: Ints  # ring of what has been used
    seen: Ints  # chains that were taken
    used: Ints  # chains that came back


class Chain(Table):
    """One row: the chain of descriptors in work."""

    head: Ints
    segments: Ints
    readable: Ints  # bytes
    writable: Ints
    more: Ints  # 1 while it goes on
    following: Ints  # with which descriptor
    answered: Ints  # bytes that were given so far
    random: Ints  # state of the source of random numbers
    header: Bytes  # what it begins with


class Segments(Table):
    """One row a descriptor of the chain in work."""

    place: Ints  # in ram
    count: Ints
    writes: Ints  # 1 where the device writes


class Disk(Table):
    """The disk, and the configuration of all slots."""

    data: Bytes
    sectors: IntArray
    name: Bytes
    config: Bytes


class Frames(Table):
    """Frames of the network that wait: to the guest, and from it behind those."""

    data: Bytes
    count: IntArray  # bytes of a frame
    head: IntArray  # by direction
    tail: IntArray
    goes: IntArray  # where they go: to a sink, back, over a wire


class Counts(Table):
    """What has been counted."""

    traps: IntArray  # by mode (0 to 3, 4 more for a guest's) that trapped, and cause; interrupts behind exceptions
    instructions: IntArray  # by mode
    walks: IntArray  # by unit: misses of the TLB that a walk answered, or tried to
    references: IntArray  # by level: entries of page tables that were read
    second: IntArray  # by level: entries of tables of the second stage that were read
    evictions: IntArray  # by unit
    accesses: IntArray  # of devices: loads and stores by device
    fences: IntArray  # sfence.vma, wfi
    switches: IntArray  # writes to satp that change it
    characters: IntArray  # sent, received
    virtio: IntArray  # by slot: kicks, chains, descriptors, bytes, interrupts, those held off, errors, drops
    sectors: IntArray  # of the disk: read, written
    frames: IntArray  # received, sent
    carried: IntArray  # by operation: instructions that were carried out one at a time, by an interpreter


class Log(Table):
    """What has happened since the caller looked; without rows on a machine that is not traced."""

    filled: Ints
    rows: Ints
    kind: IntArray  # ENTERED ...
    what: IntArray
    where: IntArray
    more: IntArray
    count: IntArray  # instructions, those of the block in work included
    skipped: IntArray  # ticks that had passed while the hart waited


class Machine:
    """All tables."""

    hart: Hart
    registers: Registers
    memory: Memory
    code: Code
    cache: Cache
    pages: Pages
    fast: Fast
    tlb: Tlb
    patterns: Patterns
    pieces: Pieces
    decoding: Decoding
    csrs: Csrs
    clint: Clint
    stage: Stage
    plic: Plic
    uart: Uart
    virtio: Virtio
    queues: Queues
    chain: Chain
    segments: Segments
    disk: Disk
    frames: Frames
    counts: Counts
    log: Log

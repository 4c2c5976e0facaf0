"""The run of the machine: what Python calls."""

from simvirt.kernel.boundary import boundary
from simvirt.machine.access import LOADS, STORES
from simvirt.machine.blocks import forget_code
from simvirt.machine.constants import (
    BARE,
    BUDGET,
    DUMP,
    EXECUTES,
    GUEST,
    GUEST_CONTEXTS,
    LEFT,
    MIDELEG,
    PTE_D,
    PTE_R,
    PTE_W,
    PTE_X,
    READ,
    RUNNING,
    SATP,
    WRITE,
)
from simvirt.machine.devices.bus import NOWHERE, device_at
from simvirt.machine.fetching import ACROSS, decode_across, go_to, next_single, put_go_on
from simvirt.machine.interrupts import interrupt, next_timer, pending, wait
from simvirt.machine.devices.uart import RING, signal_uart
from simvirt.machine.devices.virtio_queues import serve_all
from simvirt.machine.steps import step
from simvirt.machine.tables import IntArray, Machine
from simvirt.machine.stages import NO_FIRST, allowed, allowed_first, allowed_second, guest_space
from simvirt.machine.tlb import find_entry, forget_all, forget_guest, forget_translations
from simvirt.machine.traps import refresh, settle
from simvirt.machine.walk import translate


@boundary
def advance(m: Machine, end: int) -> int:
    """Run until a count of instructions and traps is reached, or there is something for the caller to do; says which."""
    return go(m, end)


def go(m: Machine, end: int) -> int:
    """Run, and look around where a block has been left."""
    begin(m, end)
    while m.hart.stop[0] == RUNNING:
        attend(m)
        run(m)
    settle(m)
    return m.hart.stop[0]


def begin(m: Machine, end: int) -> None:
    """Before a run: devices take what the caller has brought."""
    m.hart.end[0] = end
    m.hart.stop[0] = RUNNING
    serve_all(m)
    signal_uart(m)


def attend(m: Machine) -> None:
    """Interrupts, a hart that waits, the end of what was asked for; and when to look again."""
    if m.hart.count[0] + m.hart.taken[0] >= m.hart.end[0]:
        m.hart.stop[0] = BUDGET
        return
    if m.hart.waiting[0]:
        wait(m)
    interrupt(m)
    m.hart.limit[0] = next_timer(m)


def run(m: Machine) -> None:
    """Carry out blocks until it is time to look around, to the instruction."""
    x: IntArray = m.registers.x
    until: int = m.hart.limit[0]
    if m.hart.stop[0] != RUNNING:
        return
    i: int = LEFT if m.hart.shared[0] else go_to(m, m.hart.pc[0])
    if i < 0:
        i = next_single(m, until)
    while i >= 0:
        i = step(m, x, i)
        if i < 0:
            i = next_single(m, until)


@boundary
def lend(m: Machine, pc: int, count: int, taken: int, skipped: int, reserved: int, mode: int, limit: int) -> int:
    """Run for another hart from where it stands, in a mode (of a guest, with GUEST added), up to a count of instructions."""
    return run_for(m, pc, count, taken, skipped, reserved, mode, limit)


def run_for(m: Machine, pc: int, count: int, taken: int, skipped: int, reserved: int, mode: int, limit: int) -> int:
    """Take over where the other hart stands, and run; why it came back."""
    m.hart.pc[0], m.hart.count[0], m.hart.since[0], m.hart.taken[0] = pc, count, count, taken
    m.hart.skipped[0], m.hart.reserved[0] = skipped, reserved
    m.hart.mode[0], m.hart.virtual[0] = mode & 3, 1 if mode & GUEST else 0
    refresh(m)
    return go(m, limit + taken)


@boundary
def look(m: Machine, end: int) -> int:
    """What `advance` does before it runs: interrupts, and when to look again; why to stop."""
    return look_around(m, end)


def look_around(m: Machine, end: int) -> int:
    """Lines of devices, interrupts, a hart that waits, the end of what was asked for."""
    begin(m, end)
    attend(m)
    return m.hart.stop[0]


@boundary
def carry_one(m: Machine) -> int:
    """Carry out an instruction of a hart that a monitor keeps, or take its trap; its operation, -1 where fetching trapped."""
    return fetch_and_carry(m)


def fetch_and_carry(m: Machine) -> int:
    """One instruction from where the hart stands."""
    m.code.op[ACROSS] = -1
    return single(m)


def single(m: Machine) -> int:
    """Run to the next instruction; its operation."""
    m.hart.stop[0] = RUNNING
    m.hart.limit[0] = m.hart.count[0] + 1
    run(m)
    return m.code.op[ACROSS]


@boundary
def reach(m: Machine, bits: int, at: int) -> int:
    """Carry out a load or store of a device at a physical address, as transformed bits of an instruction say; 1 if there is one."""
    return reach_device(m, bits, at)


def reach_device(m: Machine, bits: int, at: int) -> int:
    """Let the instruction take its address from the register behind all others, without translation."""
    size: int = 1 << (bits >> 12 & 3)
    opcode: int = bits & 0x7F | 2
    if (opcode != LOADS and opcode != STORES) or device_at(at, size) == NOWHERE or at & (size - 1):
        return 0
    decode_across(m, bits | 2, m.hart.pc[0] & 4095)
    m.code.rs1[ACROSS], m.code.imm[ACROSS], m.registers.x[DUMP] = DUMP, 0, at
    if bits & 2 == 0:
        m.code.behind[ACROSS] -= 2
        put_go_on(m, ACROSS + 1, m.code.behind[ACROSS])
    m.hart.given[0], m.hart.page[0], m.hart.context[0] = 1, m.hart.pc[0] & -4096, BARE
    single(m)
    refresh(m)
    return 1


@boundary
def place_of(m: Machine, a: int, access: int) -> int:
    """The physical address behind an address of the mode that runs; less than 0 for a fault."""
    return find_place(m, a, access)


def find_place(m: Machine, a: int, access: int) -> int:
    """Translate as the mode does it."""
    context: int = m.hart.fetching[0] if access == EXECUTES else m.hart.context[0]
    return a if context == BARE else translate(m, a, access, context)


@boundary
def rights(m: Machine, a: int, access: int) -> int:
    """Bits of an entry that lets the mode do to a page what its tables allow; a page that is not marked as dirty is not writable."""
    return find_rights(m, a, access)


def find_rights(m: Machine, a: int, access: int) -> int:
    """Ask the entry by which an access has just been translated."""
    unit: int = 1 if access == EXECUTES else 0
    data: int = m.hart.context[0]
    if (m.hart.fetching[0] if unit else data) == BARE:
        return PTE_R | PTE_W | PTE_X
    row: int = find_entry(m, unit, a, guest_space(m) if data >= GUEST_CONTEXTS else m.registers.csr[SATP] >> 44 & 0xFFFF)
    found: int = 0
    if may(m, row, READ, data):
        found = PTE_R
    dirty: int = m.tlb.leaf[row] & (m.tlb.second[row] if data >= GUEST_CONTEXTS else PTE_D) & PTE_D
    if dirty and may(m, row, WRITE, data):
        found = PTE_R | PTE_W
    return found | PTE_X if may(m, row, EXECUTES, m.hart.fetching[0]) else found


def may(m: Machine, row: int, access: int, context: int) -> bool:
    """Whether an entry of the TLB lets a context do something."""
    if context < GUEST_CONTEXTS:
        return allowed(m, m.tlb.leaf[row], access, context)
    first: bool = m.tlb.space[row] & NO_FIRST != 0 or allowed_first(m, m.tlb.leaf[row], access, context - GUEST_CONTEXTS)
    return first and allowed_second(m, m.tlb.second[row], access)


@boundary
def forget(m: Machine, a: int, space: int) -> int:
    """Take a page of an address space out of the TLB, or all where the space is less than 0."""
    return forget_in(m, a, space)


def forget_in(m: Machine, a: int, space: int) -> int:
    """What is not known any more is walked anew."""
    forget_translations(m, a, space >= 0, max(space, 0), space >= 0)
    if space < 0:
        forget_guest(m, 0, False)
    return 0


@boundary
def offered(m: Machine) -> int:
    """Bits of pending interrupts that machine mode leaves to the supervisor."""
    return pending(m) & m.registers.csr[MIDELEG]


@boundary
def reset(m: Machine) -> int:
    """Bring up to date what follows from registers that the caller has set."""
    return renew(m)


def renew(m: Machine) -> int:
    """What follows from mode and status."""
    refresh(m)
    return 0


@boundary
def fence_all(m: Machine) -> int:
    """Forget all translations, for a caller that is the firmware."""
    return forget_all(m)


@boundary
def write_to(m: Machine, page: int) -> int:
    """The caller has written to a page of ram."""
    return note_written(m, page)


def note_written(m: Machine, page: int) -> int:
    """What was decoded of a page is no more; 1 if there was any."""
    before: int = m.cache.dropped[0]
    forget_code(m, page)
    return m.cache.dropped[0] - before


@boundary
def type_in(m: Machine, letter: int) -> int:
    """Let a character come in; 1 if there is room."""
    return put(m, letter)


def put(m: Machine, letter: int) -> int:
    """Put a character into the ring of the serial line."""
    after: int = (m.uart.came_tail[0] + 1) % RING
    if after == m.uart.came_head[0]:
        return 0
    m.uart.came[m.uart.came_tail[0]] = letter & 0xFF
    m.uart.came_tail[0] = after
    return 1

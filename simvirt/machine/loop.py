"""The run of the machine: what Python calls."""

from simvirt.kernel.boundary import boundary
from simvirt.machine.blocks import forget_code
from simvirt.machine.constants import BUDGET, RUNNING
from simvirt.machine.fetching import go_to
from simvirt.machine.interrupts import interrupt, next_timer, wait
from simvirt.machine.devices.uart import RING, signal_uart
from simvirt.machine.devices.virtio_queues import serve_all
from simvirt.machine.steps import step
from simvirt.machine.tables import IntArray, Machine
from simvirt.machine.tlb import forget_all
from simvirt.machine.traps import refresh, settle


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
    """Carry out blocks until it is time to look around."""
    x: IntArray = m.registers.x
    while m.hart.count[0] < m.hart.limit[0] and m.hart.stop[0] == RUNNING:
        i: int = go_to(m, m.hart.pc[0])
        while i >= 0:
            i = step(m, x, i)


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

"""A console (virtio-console): what the guest sends goes where characters of the serial line go; what is typed goes to its buffers first.

*Source.* VIRTIO 1.2, chapter 5.3: one port, no features.
"""

from simvirt.machine.constants import OUTPUT
from simvirt.machine.devices.rings import BYTES_READ, BYTES_WRITTEN, forget_written, tally
from simvirt.machine.devices.uart import SENT, has_input, receive, say
from simvirt.machine.tables import Machine
from simvirt.machine.words import store8

CONSOLE = 3
MOST_LETTERS = 65536  # of a chain


def has_room(m: Machine) -> bool:
    """Whether what a chain may say finds room; the caller is asked to make it otherwise."""
    if m.uart.sent_count[0] <= SENT - MOST_LETTERS:
        return True
    m.hart.stop[0] = OUTPUT
    m.hart.limit[0] = 0
    return False


def serve_console(m: Machine, slot: int) -> int:
    """Say what is in the table of segments."""
    tally(m, slot, BYTES_READ, m.chain.readable[0])
    for k in range(m.chain.segments[0]):
        for j in range(m.segments.count[k] if m.segments.writes[k] == 0 else 0):
            say(m, m.memory.ram[m.segments.place[k] + j])
    return 0


def fill_console(m: Machine, slot: int) -> int:
    """Give what was typed, as far as the table of segments has room."""
    given: int = 0
    for k in range(m.chain.segments[0]):
        for j in range(m.segments.count[k] if m.segments.writes[k] else 0):
            if has_input(m):
                forget_written(m, m.segments.place[k] + j, 1)
                store8(m.memory.ram, m.segments.place[k] + j, receive(m))
                given += 1
    tally(m, slot, BYTES_WRITTEN, given)
    return given

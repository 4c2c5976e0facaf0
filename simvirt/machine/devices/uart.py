"""The serial line (16550): what the guest sends waits in a ring for the caller, what the caller types in another for the guest."""

from simvirt.machine.constants import OUTPUT
from simvirt.machine.devices.plic import set_line
from simvirt.machine.tables import Machine

RING = 4096  # characters that came
SENT = 131072  # and that were sent
UART_SOURCE = 10
DATA = 0
IER = 1
IIR = 2
LCR = 3
MCR = 4
LSR = 5
MSR = 6
SCR = 7
DLAB = 0x80
EMPTY = 0x60  # transmitter
READY = 1  # receiver


def has_input(m: Machine) -> bool:
    """Whether something waits to be read."""
    return m.uart.came_head[0] != m.uart.came_tail[0]


def signal_uart(m: Machine) -> None:
    """Raise the line while an enabled interrupt has a reason."""
    reads: bool = m.uart.ier[0] & 1 != 0 and has_input(m)
    sends: bool = m.uart.ier[0] & 2 != 0 and m.uart.thri[0] != 0
    set_line(m, UART_SOURCE, reads or sends)


def receive(m: Machine) -> int:
    """The next character that came; 0 for none."""
    if not has_input(m):
        return 0
    letter: int = m.uart.came[m.uart.came_head[0]]
    m.uart.came_head[0] = (m.uart.came_head[0] + 1) % RING
    m.counts.characters[1] += 1
    return letter


def say(m: Machine, letter: int) -> None:
    """Put a character into the ring."""
    m.uart.sent[m.uart.sent_count[0] % SENT] = letter & 0xFF
    m.uart.sent_count[0] += 1
    m.counts.characters[0] += 1


def send(m: Machine, letter: int) -> None:
    """Say a character; when the ring is full, the caller is asked to empty it."""
    say(m, letter)
    m.uart.thri[0] = 1
    if m.uart.sent_count[0] >= RING - 64:
        m.hart.stop[0] = OUTPUT
        m.hart.limit[0] = 0


def identify(m: Machine) -> int:
    """Why it interrupts; to be told of an empty transmitter takes that reason away."""
    fifo: int = 0xC0 if m.uart.fcr[0] & 1 else 0
    if m.uart.ier[0] & 1 and has_input(m):
        return fifo | 4
    if m.uart.ier[0] & 2 and m.uart.thri[0]:
        m.uart.thri[0] = 0
        return fifo | 2
    return fifo | 1


def read_uart(m: Machine, at: int) -> int:
    """A register."""
    value: int = 0
    latched: bool = m.uart.lcr[0] & DLAB != 0
    if at == DATA:
        value = m.uart.dll[0] if latched else receive(m)
    elif at == IER:
        value = m.uart.dlm[0] if latched else m.uart.ier[0]
    elif at == IIR:
        value = identify(m)
    elif at == LCR:
        value = m.uart.lcr[0]
    elif at == MCR:
        value = m.uart.mcr[0]
    elif at == LSR:
        value = EMPTY | (READY if has_input(m) else 0)
    elif at == MSR:
        value = 0xB0
    elif at == SCR:
        value = m.uart.scr[0]
    signal_uart(m)
    return value


def write_uart(m: Machine, at: int, value: int) -> None:
    """Set a register."""
    value = value & 0xFF
    latched: bool = m.uart.lcr[0] & DLAB != 0
    if at == DATA and latched:
        m.uart.dll[0] = value
    elif at == DATA:
        send(m, value)
    elif at == IER and latched:
        m.uart.dlm[0] = value
    elif at == IER:
        enable(m, value & 15)
    elif at == IIR:
        m.uart.fcr[0] = value
    elif at == LCR:
        m.uart.lcr[0] = value
    elif at == MCR:
        m.uart.mcr[0] = value & 31
    elif at == SCR:
        m.uart.scr[0] = value
    signal_uart(m)


def enable(m: Machine, bits: int) -> None:
    """Set which reasons interrupt; an empty transmitter is reported anew to who begins to ask."""
    if bits & 2 and not m.uart.ier[0] & 2:
        m.uart.thri[0] = 1
    m.uart.ier[0] = bits

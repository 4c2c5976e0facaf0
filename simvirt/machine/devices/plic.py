"""The controller of external interrupts (PLIC): sources with priorities, contexts that claim them."""

from simvirt.machine.tables import Machine

SOURCES = 32
PENDING_BITS = 0x1000
ENABLED = 0x2000
ENABLED_STEP = 0x80
THRESHOLDS = 0x200000
THRESHOLD_STEP = 0x1000
CLAIM = 4


def set_line(m: Machine, source: int, up: bool) -> None:
    """A device raises its line, or lets it go."""
    m.plic.level[source] = 1 if up else 0
    if up:
        m.hart.limit[0] = 0


def waits(m: Machine, source: int) -> bool:
    """Whether a source is up and has not been claimed."""
    return m.plic.level[source] != 0 and m.plic.claimed[source] == 0


def best(m: Machine, context: int) -> int:
    """The source with the highest priority that a context is to be told of; 0 for none."""
    found: int = 0
    most: int = m.plic.threshold[context]
    for source in range(1, SOURCES):
        if waits(m, source) and (m.plic.enabled[context] >> source) & 1 and m.plic.priority[source] > most:
            found = source
            most = m.plic.priority[source]
    return found


def asks(m: Machine, context: int) -> bool:
    """Whether a context is interrupted."""
    return m.plic.enabled[context] != 0 and best(m, context) != 0


def read_plic(m: Machine, at: int) -> int:
    """A register; to read the claim register claims."""
    if at < 4 * SOURCES:
        return m.plic.priority[at >> 2]
    if at == PENDING_BITS:
        return pending_bits(m)
    for context in range(2):
        if at == ENABLED + context * ENABLED_STEP:
            return m.plic.enabled[context]
        if at == THRESHOLDS + context * THRESHOLD_STEP:
            return m.plic.threshold[context]
        if at == THRESHOLDS + context * THRESHOLD_STEP + CLAIM:
            return claim(m, context)
    return 0


def pending_bits(m: Machine) -> int:
    """Sources that wait, as bits."""
    bits: int = 0
    for source in range(1, SOURCES):
        if waits(m, source):
            bits |= 1 << source
    return bits


def claim(m: Machine, context: int) -> int:
    """Give a context the source that it is told of."""
    source: int = best(m, context)
    m.plic.claimed[source] = 1 if source else 0
    return source


def write_plic(m: Machine, at: int, value: int) -> None:
    """Set a register; to write the claim register ends the handling of a source."""
    if at < 4 * SOURCES:
        m.plic.priority[at >> 2] = value & 7
    for context in range(2):
        if at == ENABLED + context * ENABLED_STEP:
            m.plic.enabled[context] = value & 0xFFFFFFFE
        elif at == THRESHOLDS + context * THRESHOLD_STEP:
            m.plic.threshold[context] = value & 7
        elif at == THRESHOLDS + context * THRESHOLD_STEP + CLAIM:
            m.plic.claimed[value & 31] = 0
    m.hart.limit[0] = 0

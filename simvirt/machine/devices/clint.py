"""The timer and software interrupts (CLINT): time is a function of the instructions that were carried out."""

from simvirt.machine.tables import Machine

SOFTWARE = 0x0
COMPARE = 0x4000
NOW = 0xBFF8


def ticks(m: Machine) -> int:
    """The time."""
    return m.hart.count[0] // m.hart.pace[0] + m.hart.skipped[0]


def tick_of(m: Machine, tick: int) -> int:
    """Count of instructions at which a tick comes."""
    return (tick - m.hart.skipped[0]) * m.hart.pace[0]


def passed(m: Machine) -> bool:
    """Whether the time has reached the one that was set; times beyond 2**63 are never."""
    return 0 <= m.clint.compare[0] <= ticks(m)


def read_clint(m: Machine, at: int) -> int:
    """A register, from the byte at an offset."""
    if at >= NOW:
        return ticks(m) >> 8 * (at - NOW)
    if COMPARE <= at < COMPARE + 8:
        return m.clint.compare[0] >> 8 * (at - COMPARE)
    return m.clint.msip[0] if at == SOFTWARE else 0


def write_clint(m: Machine, at: int, size: int, value: int) -> None:
    """Set a register; the time itself stays as it is."""
    if at == SOFTWARE:
        m.clint.msip[0] = value & 1
    elif at == COMPARE and size == 8:
        m.clint.compare[0] = value
    elif at == COMPARE:
        m.clint.compare[0] = m.clint.compare[0] & ~0xFFFFFFFF | value & 0xFFFFFFFF
    elif at == COMPARE + 4:
        m.clint.compare[0] = m.clint.compare[0] & 0xFFFFFFFF | (value & 0xFFFFFFFF) << 32
    m.hart.limit[0] = 0

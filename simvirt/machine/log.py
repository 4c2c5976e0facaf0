"""What happens on a machine that is traced: modes, traps and walks with their instants, for the caller to fetch."""

from simvirt.machine.tables import Machine

ENTERED = 0  # a mode: what it is
TRAPPED = 1  # a trap: its place among the counts of traps, and the program counter
WALKED = 2  # a walk: 0 for data and 1 for instructions, the address, the entries that it read

MOST_OF_WORK = 8
"""Rows that one instruction or trap fills at most: a trap and the mode it enters, and the walks of two pages for each of two accesses."""


def tracing(m: Machine) -> bool:
    """Whether there is room for what happens; none on a machine that is not traced."""
    return m.log.filled[0] < m.log.rows[0]


def log_event(m: Machine, kind: int, what: int, where: int, more: int) -> None:
    """Keep that something has happened."""
    row: int = m.log.filled[0]
    m.log.kind[row], m.log.what[row], m.log.where[row], m.log.more[row] = kind, what, where, more
    m.log.count[row], m.log.skipped[row] = m.hart.count[0], m.hart.skipped[0]
    m.log.filled[0] = row + 1


def log_walk(m: Machine, unit: int, a: int, before: int) -> None:
    """Keep what a walk has read, in both stages, since `before`."""
    if tracing(m):
        log_event(m, WALKED, unit, a, entries_read(m) - before)


def entries_read(m: Machine) -> int:
    """Entries of page tables that have been read, of both stages."""
    total: int = 0
    for level in range(3):
        total += m.counts.references[level] + m.counts.second[level]
    return total

"""Instructions from bits, by the tables that the patterns of the instruction set are made into."""

from simvirt.machine.constants import DUMP
from simvirt.machine.tables import Machine

NO_IMMEDIATE = 1  # bits of `nonzero`
NO_RD = 2
NO_RS1 = 4
NO_RS2 = 8
SYSTEM_END = 2  # of `ends`
ATOMIC = 0x2F  # opcode
ORDER = 0x6000000  # aq and rl
COMPRESSED = 256  # first bucket of compressed instructions


def bucket_of(bits: int) -> int:
    """Where the encodings are that an instruction may have."""
    if bits & 3 == 3:
        return ((bits >> 2) & 31) * 8 + ((bits >> 12) & 7)
    return COMPRESSED + (bits & 3) * 8 + ((bits >> 13) & 7)


def decode(m: Machine, row: int, bits: int, at: int) -> int:
    """Fill a row of `code` with an instruction that lies at an offset of its page; whether it ends its block."""
    bucket: int = bucket_of(bits)
    m.code.at[row], m.code.link[row] = at, 0
    m.code.behind[row] = at + (4 if bits & 3 == 3 else 2)
    for k in range(m.decoding.count[bucket]):
        pattern: int = m.decoding.first[bucket] + k
        if bits & m.patterns.mask[pattern] == m.patterns.match[pattern]:
            fill(m, row, bits, pattern)
            if bits & 0x7F == ATOMIC:
                m.code.imm[row] = bits & ORDER
            if fits(m, row, pattern):
                if m.patterns.ends[pattern] == SYSTEM_END:
                    m.code.link[row] = bits
                    m.code.op[row] = m.cache.call_out[0] if m.hart.translates[0] else m.code.op[row]
                return complete(m, row, pattern)
    m.code.op[row], m.code.imm[row] = m.cache.illegal[0], bits
    return 1


def fill(m: Machine, row: int, bits: int, pattern: int) -> None:
    """Registers and immediate from the fields of a pattern."""
    m.code.op[row] = m.patterns.op[pattern]
    m.code.rd[row], m.code.rs1[row] = m.patterns.rd[pattern], m.patterns.rs1[pattern]
    m.code.rs2[row], m.code.imm[row] = m.patterns.rs2[pattern], m.patterns.imm[pattern]
    for piece in range(m.patterns.first[pattern], m.patterns.first[pattern] + m.patterns.pieces[pattern]):
        value: int = (((bits >> m.pieces.low[piece]) & m.pieces.mask[piece]) << m.pieces.to[piece]) + m.pieces.add[piece]
        what: int = m.pieces.what[piece]
        if what == 0:
            m.code.rd[row] = value
        elif what == 1:
            m.code.rs1[row] = value
        elif what == 2:
            m.code.rs2[row] = value
        else:
            m.code.imm[row] |= value


def fits(m: Machine, row: int, pattern: int) -> bool:
    """Whether what must not be zero, or another number, is not."""
    needs: int = m.patterns.nonzero[pattern]
    if (needs & NO_IMMEDIATE and m.code.imm[row] == 0) or (needs & NO_RD and m.code.rd[row] == 0):
        return False
    if (needs & NO_RS1 and m.code.rs1[row] == 0) or (needs & NO_RS2 and m.code.rs2[row] == 0):
        return False
    return m.patterns.other[pattern] == 0 or m.code.rd[row] != m.patterns.other[pattern]


def complete(m: Machine, row: int, pattern: int) -> int:
    """The sign of the immediate, what it counts from, and the register that takes what is written to x0."""
    sign: int = m.patterns.sign[pattern]
    if sign and (m.code.imm[row] >> sign) & 1:
        m.code.imm[row] -= 2 << sign
    if m.patterns.relative[pattern]:
        m.code.imm[row] += m.code.at[row]
    if m.code.rd[row] == 0:
        m.code.rd[row] = DUMP
    return m.patterns.ends[pattern]

"""Atomic operations (A): on one hart each of them is whole by nature."""

from simvirt.machine.isa.listing import instruction
from simvirt.machine.isa.shapes import AMO, LINKED, SYSTEM
from simvirt.machine.access import find_atomic
from simvirt.machine.constants import LEFT, WRITE
from simvirt.machine.fetching import go_on
from simvirt.machine.tables import Bytes, IntArray, Machine
from simvirt.machine.words import below, load64, signed32, store32, store64, word, wrap


@instruction(AMO, "amoadd.w rd, rs2, (rs1)", "00000 aq rl rs2 rs1 010 rd 0101111", 4)
def amoadd_w(ram: Bytes, at: int, b: int) -> int:
    """The sum, in the place of what was there (32 bits)."""
    old: int = signed32(ram, at)
    store32(ram, at, wrap(old + b))
    return old


@instruction(AMO, "amoadd.d rd, rs2, (rs1)", "00000 aq rl rs2 rs1 011 rd 0101111", 8)
def amoadd_d(ram: Bytes, at: int, b: int) -> int:
    """The sum, in the place of what was there."""
    old: int = load64(ram, at)
    store64(ram, at, wrap(old + b))
    return old


@instruction(AMO, "amoswap.w rd, rs2, (rs1)", "00001 aq rl rs2 rs1 010 rd 0101111", 4)
def amoswap_w(ram: Bytes, at: int, b: int) -> int:
    """The register, in the place of what was there (32 bits)."""
    old: int = signed32(ram, at)
    store32(ram, at, b)
    return old


@instruction(AMO, "amoswap.d rd, rs2, (rs1)", "00001 aq rl rs2 rs1 011 rd 0101111", 8)
def amoswap_d(ram: Bytes, at: int, b: int) -> int:
    """The register, in the place of what was there."""
    old: int = load64(ram, at)
    store64(ram, at, b)
    return old


@instruction(AMO, "amoxor.w rd, rs2, (rs1)", "00100 aq rl rs2 rs1 010 rd 0101111", 4)
def amoxor_w(ram: Bytes, at: int, b: int) -> int:
    """Bits of one of the two, in the place of what was there (32 bits)."""
    old: int = signed32(ram, at)
    store32(ram, at, old ^ b)
    return old


@instruction(AMO, "amoxor.d rd, rs2, (rs1)", "00100 aq rl rs2 rs1 011 rd 0101111", 8)
def amoxor_d(ram: Bytes, at: int, b: int) -> int:
    """Bits of one of the two, in the place of what was there."""
    old: int = load64(ram, at)
    store64(ram, at, old ^ b)
    return old


@instruction(AMO, "amoand.w rd, rs2, (rs1)", "01100 aq rl rs2 rs1 010 rd 0101111", 4)
def amoand_w(ram: Bytes, at: int, b: int) -> int:
    """Bits of both, in the place of what was there (32 bits)."""
    old: int = signed32(ram, at)
    store32(ram, at, old & b)
    return old


@instruction(AMO, "amoand.d rd, rs2, (rs1)", "01100 aq rl rs2 rs1 011 rd 0101111", 8)
def amoand_d(ram: Bytes, at: int, b: int) -> int:
    """Bits of both, in the place of what was there."""
    old: int = load64(ram, at)
    store64(ram, at, old & b)
    return old


@instruction(AMO, "amoor.w rd, rs2, (rs1)", "01000 aq rl rs2 rs1 010 rd 0101111", 4)
def amoor_w(ram: Bytes, at: int, b: int) -> int:
    """Bits of either, in the place of what was there (32 bits)."""
    old: int = signed32(ram, at)
    store32(ram, at, old | b)
    return old


@instruction(AMO, "amoor.d rd, rs2, (rs1)", "01000 aq rl rs2 rs1 011 rd 0101111", 8)
def amoor_d(ram: Bytes, at: int, b: int) -> int:
    """Bits of either, in the place of what was there."""
    old: int = load64(ram, at)
    store64(ram, at, old | b)
    return old


@instruction(AMO, "amomin.w rd, rs2, (rs1)", "10000 aq rl rs2 rs1 010 rd 0101111", 4)
def amomin_w(ram: Bytes, at: int, b: int) -> int:
    """The lesser, in the place of what was there (32 bits)."""
    old: int = signed32(ram, at)
    b = word(b)
    store32(ram, at, min(old, b))
    return old


@instruction(AMO, "amomin.d rd, rs2, (rs1)", "10000 aq rl rs2 rs1 011 rd 0101111", 8)
def amomin_d(ram: Bytes, at: int, b: int) -> int:
    """The lesser, in the place of what was there."""
    old: int = load64(ram, at)
    store64(ram, at, min(old, b))
    return old


@instruction(AMO, "amomax.w rd, rs2, (rs1)", "10100 aq rl rs2 rs1 010 rd 0101111", 4)
def amomax_w(ram: Bytes, at: int, b: int) -> int:
    """The greater, in the place of what was there (32 bits)."""
    old: int = signed32(ram, at)
    b = word(b)
    store32(ram, at, max(old, b))
    return old


@instruction(AMO, "amomax.d rd, rs2, (rs1)", "10100 aq rl rs2 rs1 011 rd 0101111", 8)
def amomax_d(ram: Bytes, at: int, b: int) -> int:
    """The greater, in the place of what was there."""
    old: int = load64(ram, at)
    store64(ram, at, max(old, b))
    return old


@instruction(AMO, "amominu.w rd, rs2, (rs1)", "11000 aq rl rs2 rs1 010 rd 0101111", 4)
def amominu_w(ram: Bytes, at: int, b: int) -> int:
    """The lesser without signs, in the place of what was there (32 bits)."""
    old: int = signed32(ram, at)
    b = word(b)
    store32(ram, at, old if below(old, b) else b)
    return old


@instruction(AMO, "amominu.d rd, rs2, (rs1)", "11000 aq rl rs2 rs1 011 rd 0101111", 8)
def amominu_d(ram: Bytes, at: int, b: int) -> int:
    """The lesser without signs, in the place of what was there."""
    old: int = load64(ram, at)
    store64(ram, at, old if below(old, b) else b)
    return old


@instruction(AMO, "amomaxu.w rd, rs2, (rs1)", "11100 aq rl rs2 rs1 010 rd 0101111", 4)
def amomaxu_w(ram: Bytes, at: int, b: int) -> int:
    """The greater without signs, in the place of what was there (32 bits)."""
    old: int = signed32(ram, at)
    b = word(b)
    store32(ram, at, b if below(old, b) else old)
    return old


@instruction(AMO, "amomaxu.d rd, rs2, (rs1)", "11100 aq rl rs2 rs1 011 rd 0101111", 8)
def amomaxu_d(ram: Bytes, at: int, b: int) -> int:
    """The greater without signs, in the place of what was there."""
    old: int = load64(ram, at)
    store64(ram, at, b if below(old, b) else old)
    return old


@instruction(LINKED, "lr.w rd, (rs1)", "00010 aq rl 00000 rs1 010 rd 0101111", 4)
def lr_w(ram: Bytes, at: int) -> int:
    """Load, and reserve the place."""
    return signed32(ram, at)


@instruction(SYSTEM, "sc.w rd, rs2, (rs1)", "00011 aq rl rs2 rs1 010 rd 0101111")
def sc_w(m: Machine, x: IntArray, i: int) -> int:
    """Store if the place is still reserved; 0 if it was."""
    at: int = find_atomic(m, i, x[m.code.rs1[i]], 4, WRITE)
    if at < 0:
        return LEFT
    if at == m.hart.reserved[0]:
        store32(m.memory.ram, at, x[m.code.rs2[i]])
        x[m.code.rd[i]] = 0
    else:
        x[m.code.rd[i]] = 1
    m.hart.reserved[0] = -1
    return go_on(m, i)


@instruction(LINKED, "lr.d rd, (rs1)", "00010 aq rl 00000 rs1 011 rd 0101111", 8)
def lr_d(ram: Bytes, at: int) -> int:
    """Load, and reserve the place."""
    return load64(ram, at)


@instruction(SYSTEM, "sc.d rd, rs2, (rs1)", "00011 aq rl rs2 rs1 011 rd 0101111")
def sc_d(m: Machine, x: IntArray, i: int) -> int:
    """Store if the place is still reserved; 0 if it was."""
    at: int = find_atomic(m, i, x[m.code.rs1[i]], 8, WRITE)
    if at < 0:
        return LEFT
    if at == m.hart.reserved[0]:
        store64(m.memory.ram, at, x[m.code.rs2[i]])
        x[m.code.rd[i]] = 0
    else:
        x[m.code.rd[i]] = 1
    m.hart.reserved[0] = -1
    return go_on(m, i)

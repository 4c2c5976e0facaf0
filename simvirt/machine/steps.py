"""One instruction: what each shape of an instruction reads, and where its result goes.

The build writes out this step with one case an instruction; plain Python looks its function up by its number.
"""

from simvirt.machine.access import behind_device, find, find_atomic, finish
from simvirt.machine.constants import FAST, LEFT, READ, WRITE
from simvirt.machine.fetching import go_to, jump
from simvirt.machine.isa.shapes import (
    AMO,
    BRANCH,
    GO_ON,
    IMMEDIATE,
    JUMP,
    JUMP_REGISTER,
    LINKED,
    LOAD,
    NOTHING,
    REGISTER,
    STORE,
    SYSTEM,
    UPPER,
    UPPER_PC,
)
from simvirt.machine.isa.integer import add
from simvirt.machine.isa.multiply import mul
from simvirt.machine.isa.atomic import amoadd_w
from simvirt.machine.isa.system import ecall
from simvirt.machine.isa.hypervisor import hlv_b
from simvirt.machine.isa.listing import EXECUTE, INSTRUCTIONS as INSTRUCTIONS, SHAPES, SIZES
from simvirt.machine.tables import IntArray, Machine
from simvirt.machine.words import wrap

FIRST_OF_FILES = (add, mul, amoadd_w, ecall, hlv_b)
"""A function of each file of the instruction set, in the order of the files."""


def step(m: Machine, x: IntArray, i: int) -> int:
    """Carry out the instruction of a row; the row to go on with, or LEFT."""
    a: int = 0
    s: int = 0
    at: int = 0
    op: int = m.code.op[i]
    if SHAPES[op] == REGISTER:
        x[m.code.rd[i]] = EXECUTE[op](x[m.code.rs1[i]], x[m.code.rs2[i]])
        return i + 1
    if SHAPES[op] == IMMEDIATE:
        x[m.code.rd[i]] = EXECUTE[op](x[m.code.rs1[i]], m.code.imm[i])
        return i + 1
    if SHAPES[op] == LOAD:
        a = wrap(x[m.code.rs1[i]] + m.code.imm[i])
        s = m.hart.context[0] + ((a >> 12) & (FAST - 1))
        if m.fast.reads[s] == a & (-4096 | (SIZES[op] - 1)):
            x[m.code.rd[i]] = EXECUTE[op](m.memory.ram, wrap(a + m.fast.shift[s]))
            return i + 1
        at = find(m, i, a, SIZES[op], READ)
        if at < 0:
            return LEFT
        x[m.code.rd[i]] = EXECUTE[op](m.memory.ram, at)
        return behind_device(m, i) if at >= m.memory.size[0] else i + 1
    if SHAPES[op] == BRANCH:
        if EXECUTE[op](x[m.code.rs1[i]], x[m.code.rs2[i]]):
            return jump(m, i)
        return i + 1
    if SHAPES[op] == STORE:
        a = wrap(x[m.code.rs1[i]] + m.code.imm[i])
        s = m.hart.context[0] + ((a >> 12) & (FAST - 1))
        if m.fast.writes[s] == a & (-4096 | (SIZES[op] - 1)):
            EXECUTE[op](m.memory.ram, wrap(a + m.fast.shift[s]), x[m.code.rs2[i]])
            return i + 1
        at = find(m, i, a, SIZES[op], WRITE)
        if at < 0:
            return LEFT
        EXECUTE[op](m.memory.ram, at, x[m.code.rs2[i]])
        if at >= m.memory.size[0]:
            finish(m, i, SIZES[op])
            return behind_device(m, i)
        return i + 1
    if SHAPES[op] == UPPER:
        x[m.code.rd[i]] = m.code.imm[i]
        return i + 1
    if SHAPES[op] == UPPER_PC:
        x[m.code.rd[i]] = wrap(m.hart.page[0] + m.code.imm[i])
        return i + 1
    if SHAPES[op] == JUMP:
        x[m.code.rd[i]] = wrap(m.hart.page[0] + m.code.behind[i])
        return jump(m, i)
    if SHAPES[op] == JUMP_REGISTER:
        a = wrap(x[m.code.rs1[i]] + m.code.imm[i]) & -2
        x[m.code.rd[i]] = wrap(m.hart.page[0] + m.code.behind[i])
        return go_to(m, a)
    if SHAPES[op] == AMO:
        at = find_atomic(m, i, x[m.code.rs1[i]], SIZES[op], WRITE)
        if at < 0:
            return LEFT
        x[m.code.rd[i]] = EXECUTE[op](m.memory.ram, at, x[m.code.rs2[i]])
        return i + 1
    if SHAPES[op] == LINKED:
        at = find_atomic(m, i, x[m.code.rs1[i]], SIZES[op], READ)
        if at < 0:
            return LEFT
        x[m.code.rd[i]] = EXECUTE[op](m.memory.ram, at)
        m.hart.reserved[0] = at
        return i + 1
    if SHAPES[op] == NOTHING:
        return i + 1
    if SHAPES[op] == GO_ON:
        return jump(m, i)
    if SHAPES[op] == SYSTEM:
        at = EXECUTE[op](m, x, i)
        return at  # noqa: RET504
    return LEFT

"""Integers: arithmetic, comparisons, shifts, loads, stores, jumps (RV64I)."""

from simvirt.machine.isa.listing import instruction
from simvirt.machine.isa.shapes import BRANCH, IMMEDIATE, JUMP, JUMP_REGISTER, LOAD, REGISTER, STORE, UPPER, UPPER_PC
from simvirt.machine.tables import Bytes
from simvirt.machine.words import (
    below,
    left_shift,
    load64,
    low,
    right_shift,
    signed8,
    signed16,
    signed32,
    store8,
    store16,
    store32,
    store64,
    unsigned8,
    unsigned16,
    unsigned32,
    word,
    wrap,
)


@instruction(IMMEDIATE, "addi rd, rs1, imm", "imm[11:0] rs1 000 rd 0010011")
@instruction(REGISTER, "add rd, rs1, rs2", "0000000 rs2 rs1 000 rd 0110011")
def add(a: int, b: int) -> int:
    """The sum."""
    return wrap(a + b)


@instruction(REGISTER, "sub rd, rs1, rs2", "0100000 rs2 rs1 000 rd 0110011")
def sub(a: int, b: int) -> int:
    """The difference."""
    return wrap(a - b)


@instruction(IMMEDIATE, "addiw rd, rs1, imm", "imm[11:0] rs1 000 rd 0011011")
@instruction(REGISTER, "addw rd, rs1, rs2", "0000000 rs2 rs1 000 rd 0111011")
def addw(a: int, b: int) -> int:
    """The sum of 32 bits."""
    return word(wrap(a + b))


@instruction(REGISTER, "subw rd, rs1, rs2", "0100000 rs2 rs1 000 rd 0111011")
def subw(a: int, b: int) -> int:
    """The difference of 32 bits."""
    return word(wrap(a - b))


@instruction(IMMEDIATE, "slti rd, rs1, imm", "imm[11:0] rs1 010 rd 0010011")
@instruction(REGISTER, "slt rd, rs1, rs2", "0000000 rs2 rs1 010 rd 0110011")
def slt(a: int, b: int) -> int:
    """1 if less."""
    return 1 if a < b else 0


@instruction(IMMEDIATE, "sltiu rd, rs1, imm", "imm[11:0] rs1 011 rd 0010011")
@instruction(REGISTER, "sltu rd, rs1, rs2", "0000000 rs2 rs1 011 rd 0110011")
def sltu(a: int, b: int) -> int:
    """1 if less, without signs."""
    return 1 if below(a, b) else 0


@instruction(IMMEDIATE, "andi rd, rs1, imm", "imm[11:0] rs1 111 rd 0010011")
@instruction(REGISTER, "and rd, rs1, rs2", "0000000 rs2 rs1 111 rd 0110011")
def bits_and(a: int, b: int) -> int:
    """Bits of both."""
    return a & b


@instruction(IMMEDIATE, "ori rd, rs1, imm", "imm[11:0] rs1 110 rd 0010011")
@instruction(REGISTER, "or rd, rs1, rs2", "0000000 rs2 rs1 110 rd 0110011")
def bits_or(a: int, b: int) -> int:
    """Bits of either."""
    return a | b


@instruction(IMMEDIATE, "xori rd, rs1, imm", "imm[11:0] rs1 100 rd 0010011")
@instruction(REGISTER, "xor rd, rs1, rs2", "0000000 rs2 rs1 100 rd 0110011")
def bits_xor(a: int, b: int) -> int:
    """Bits of one of the two."""
    return a ^ b


@instruction(IMMEDIATE, "slli rd, rs1, imm", "000000 uimm[5:0] rs1 001 rd 0010011")
@instruction(REGISTER, "sll rd, rs1, rs2", "0000000 rs2 rs1 001 rd 0110011")
def sll(a: int, b: int) -> int:
    """To the left."""
    return left_shift(a, b & 63)


@instruction(IMMEDIATE, "srli rd, rs1, imm", "000000 uimm[5:0] rs1 101 rd 0010011")
@instruction(REGISTER, "srl rd, rs1, rs2", "0000000 rs2 rs1 101 rd 0110011")
def srl(a: int, b: int) -> int:
    """To the right, with zeros."""
    return right_shift(a, b & 63)


@instruction(IMMEDIATE, "srai rd, rs1, imm", "010000 uimm[5:0] rs1 101 rd 0010011")
@instruction(REGISTER, "sra rd, rs1, rs2", "0100000 rs2 rs1 101 rd 0110011")
def sra(a: int, b: int) -> int:
    """To the right, with the sign."""
    return a >> (b & 63)


@instruction(IMMEDIATE, "slliw rd, rs1, imm", "0000000 uimm[4:0] rs1 001 rd 0011011")
@instruction(REGISTER, "sllw rd, rs1, rs2", "0000000 rs2 rs1 001 rd 0111011")
def sllw(a: int, b: int) -> int:
    """32 bits to the left."""
    return word(left_shift(a, b & 31))


@instruction(IMMEDIATE, "srliw rd, rs1, imm", "0000000 uimm[4:0] rs1 101 rd 0011011")
@instruction(REGISTER, "srlw rd, rs1, rs2", "0000000 rs2 rs1 101 rd 0111011")
def srlw(a: int, b: int) -> int:
    """32 bits to the right, with zeros."""
    return word(low(a) >> (b & 31))


@instruction(IMMEDIATE, "sraiw rd, rs1, imm", "0100000 uimm[4:0] rs1 101 rd 0011011")
@instruction(REGISTER, "sraw rd, rs1, rs2", "0100000 rs2 rs1 101 rd 0111011")
def sraw(a: int, b: int) -> int:
    """32 bits to the right, with the sign."""
    return word(a) >> (b & 31)


@instruction(UPPER_PC, "auipc rd, upper", "imm[31:12] rd 0010111")
@instruction(UPPER, "lui rd, upper", "imm[31:12] rd 0110111")
def upper(imm: int) -> int:
    """The immediate."""
    return imm


@instruction(JUMP_REGISTER, "jalr rd, imm(rs1)", "imm[11:0] rs1 000 rd 1100111")
@instruction(JUMP, "jal rd, target", "imm[20|10:1|11|19:12] rd 1101111")
def jumps() -> None:
    """To where the step says."""


@instruction(BRANCH, "beq rs1, rs2, target", "imm[12|10:5] rs2 rs1 000 imm[4:1|11] 1100011")
def beq(a: int, b: int) -> bool:
    """If equal."""
    return a == b


@instruction(BRANCH, "bne rs1, rs2, target", "imm[12|10:5] rs2 rs1 001 imm[4:1|11] 1100011")
def bne(a: int, b: int) -> bool:
    """If not equal."""
    return a != b


@instruction(BRANCH, "blt rs1, rs2, target", "imm[12|10:5] rs2 rs1 100 imm[4:1|11] 1100011")
def blt(a: int, b: int) -> bool:
    """If less."""
    return a < b


@instruction(BRANCH, "bge rs1, rs2, target", "imm[12|10:5] rs2 rs1 101 imm[4:1|11] 1100011")
def bge(a: int, b: int) -> bool:
    """If not less."""
    return a >= b


@instruction(BRANCH, "bltu rs1, rs2, target", "imm[12|10:5] rs2 rs1 110 imm[4:1|11] 1100011")
def bltu(a: int, b: int) -> bool:
    """If less, without signs."""
    return below(a, b)


@instruction(BRANCH, "bgeu rs1, rs2, target", "imm[12|10:5] rs2 rs1 111 imm[4:1|11] 1100011")
def bgeu(a: int, b: int) -> bool:
    """If not less, without signs."""
    return not below(a, b)


@instruction(LOAD, "lb rd, imm(rs1)", "imm[11:0] rs1 000 rd 0000011", 1)
def lb(ram: Bytes, at: int) -> int:
    """A byte."""
    return signed8(ram, at)


@instruction(LOAD, "lh rd, imm(rs1)", "imm[11:0] rs1 001 rd 0000011", 2)
def lh(ram: Bytes, at: int) -> int:
    """A halfword."""
    return signed16(ram, at)


@instruction(LOAD, "lw rd, imm(rs1)", "imm[11:0] rs1 010 rd 0000011", 4)
def lw(ram: Bytes, at: int) -> int:
    """32 bits."""
    return signed32(ram, at)


@instruction(LOAD, "ld rd, imm(rs1)", "imm[11:0] rs1 011 rd 0000011", 8)
def ld(ram: Bytes, at: int) -> int:
    """64 bits."""
    return load64(ram, at)


@instruction(LOAD, "lbu rd, imm(rs1)", "imm[11:0] rs1 100 rd 0000011", 1)
def lbu(ram: Bytes, at: int) -> int:
    """A byte without a sign."""
    return unsigned8(ram, at)


@instruction(LOAD, "lhu rd, imm(rs1)", "imm[11:0] rs1 101 rd 0000011", 2)
def lhu(ram: Bytes, at: int) -> int:
    """A halfword without a sign."""
    return unsigned16(ram, at)


@instruction(LOAD, "lwu rd, imm(rs1)", "imm[11:0] rs1 110 rd 0000011", 4)
def lwu(ram: Bytes, at: int) -> int:
    """32 bits without a sign."""
    return unsigned32(ram, at)


@instruction(STORE, "sb rs2, imm(rs1)", "imm[11:5] rs2 rs1 000 imm[4:0] 0100011", 1)
def sb(ram: Bytes, at: int, what: int) -> None:
    """A byte."""
    store8(ram, at, what)


@instruction(STORE, "sh rs2, imm(rs1)", "imm[11:5] rs2 rs1 001 imm[4:0] 0100011", 2)
def sh(ram: Bytes, at: int, what: int) -> None:
    """A halfword."""
    store16(ram, at, what)


@instruction(STORE, "sw rs2, imm(rs1)", "imm[11:5] rs2 rs1 010 imm[4:0] 0100011", 4)
def sw(ram: Bytes, at: int, what: int) -> None:
    """32 bits."""
    store32(ram, at, what)


@instruction(STORE, "sd rs2, imm(rs1)", "imm[11:5] rs2 rs1 011 imm[4:0] 0100011", 8)
def sd(ram: Bytes, at: int, what: int) -> None:
    """64 bits."""
    store64(ram, at, what)

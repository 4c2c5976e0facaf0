"""Products and quotients (M)."""

from simvirt.machine.isa.listing import instruction
from simvirt.machine.isa.shapes import REGISTER
from simvirt.machine.words import low, quotient, quotient_unsigned, rest, rest_unsigned, right_shift, word, wrap


@instruction(REGISTER, "mul rd, rs1, rs2", "0000001 rs2 rs1 000 rd 0110011")
def mul(a: int, b: int) -> int:
    """The lower half of the product."""
    return wrap(a * b)


@instruction(REGISTER, "mulhu rd, rs1, rs2", "0000001 rs2 rs1 011 rd 0110011")
def mulhu(a: int, b: int) -> int:
    """The upper half of the product without signs, from four products of halves."""
    middle: int = wrap(right_shift(a, 32) * low(b) + right_shift(wrap(low(a) * low(b)), 32))
    other: int = wrap(low(a) * right_shift(b, 32) + low(middle))
    return wrap(right_shift(a, 32) * right_shift(b, 32) + right_shift(middle, 32) + right_shift(other, 32))


@instruction(REGISTER, "mulh rd, rs1, rs2", "0000001 rs2 rs1 001 rd 0110011")
def mulh(a: int, b: int) -> int:
    """The upper half of the product."""
    return wrap(mulhu(a, b) - (b if a < 0 else 0) - (a if b < 0 else 0))


@instruction(REGISTER, "mulhsu rd, rs1, rs2", "0000001 rs2 rs1 010 rd 0110011")
def mulhsu(a: int, b: int) -> int:
    """The upper half of the product with a word without a sign."""
    return wrap(mulhu(a, b) - (b if a < 0 else 0))


@instruction(REGISTER, "div rd, rs1, rs2", "0000001 rs2 rs1 100 rd 0110011")
def div(a: int, b: int) -> int:
    """The quotient; -1 for a division by zero."""
    if b == 0:
        return -1
    return wrap(0 - a) if b == -1 else quotient(a, b)


@instruction(REGISTER, "divu rd, rs1, rs2", "0000001 rs2 rs1 101 rd 0110011")
def divu(a: int, b: int) -> int:
    """The quotient without signs."""
    return -1 if b == 0 else quotient_unsigned(a, b)


@instruction(REGISTER, "rem rd, rs1, rs2", "0000001 rs2 rs1 110 rd 0110011")
def rem(a: int, b: int) -> int:
    """The rest; the dividend for a division by zero."""
    if b == 0:
        return a
    return 0 if b == -1 else rest(a, b)


@instruction(REGISTER, "remu rd, rs1, rs2", "0000001 rs2 rs1 111 rd 0110011")
def remu(a: int, b: int) -> int:
    """The rest without signs."""
    return a if b == 0 else rest_unsigned(a, b)


@instruction(REGISTER, "mulw rd, rs1, rs2", "0000001 rs2 rs1 000 rd 0111011")
def mulw(a: int, b: int) -> int:
    """The product of 32 bits."""
    return word(wrap(a * b))


@instruction(REGISTER, "divw rd, rs1, rs2", "0000001 rs2 rs1 100 rd 0111011")
def divw(a: int, b: int) -> int:
    """The quotient of 32 bits."""
    return word(div(word(a), word(b)))


@instruction(REGISTER, "divuw rd, rs1, rs2", "0000001 rs2 rs1 101 rd 0111011")
def divuw(a: int, b: int) -> int:
    """The quotient of 32 bits without signs."""
    return word(divu(low(a), low(b)))


@instruction(REGISTER, "remw rd, rs1, rs2", "0000001 rs2 rs1 110 rd 0111011")
def remw(a: int, b: int) -> int:
    """The rest of 32 bits."""
    return word(rem(word(a), word(b)))


@instruction(REGISTER, "remuw rd, rs1, rs2", "0000001 rs2 rs1 111 rd 0111011")
def remuw(a: int, b: int) -> int:
    """The rest of 32 bits without signs."""
    return word(remu(low(a), low(b)))

"""Operations on 64-bit words and on bytes of memory; the compiled machine has bodies in C for these (`build_kernel/words.py`)."""

from simvirt.machine.tables import Bytes


def wrap(a: int) -> int:
    """Any integer as a signed word, modulo 2**64."""
    return (a + 0x8000000000000000 & 0xFFFFFFFFFFFFFFFF) - 0x8000000000000000


def word(a: int) -> int:
    """The lower half, with its sign."""
    return (a + 0x80000000 & 0xFFFFFFFF) - 0x80000000


def low(a: int) -> int:
    """The lower half, without a sign."""
    return a & 0xFFFFFFFF


def below(a: int, b: int) -> bool:
    """Whether one word is less than another, both without a sign."""
    return a & 0xFFFFFFFFFFFFFFFF < b & 0xFFFFFFFFFFFFFFFF


def left_shift(a: int, by: int) -> int:
    """Bits to the left, by 0 to 63."""
    return (((a << by) + 0x8000000000000000) & 0xFFFFFFFFFFFFFFFF) - 0x8000000000000000


def right_shift(a: int, by: int) -> int:
    """Bits to the right, by 0 to 63; zeros come in."""
    return (((a & 0xFFFFFFFFFFFFFFFF) >> by) + 0x8000000000000000 & 0xFFFFFFFFFFFFFFFF) - 0x8000000000000000


def quotient(a: int, b: int) -> int:
    """Towards zero; the divisor is not 0, and not -1 under the least word."""
    return -(-a // b) if (a < 0) != (b < 0) else a // b


def rest(a: int, b: int) -> int:
    """What is left of a division towards zero, with the sign of the dividend."""
    return a - b * quotient(a, b)


def quotient_unsigned(a: int, b: int) -> int:
    """Of words without a sign; the divisor is not 0."""
    return wrap((a & 0xFFFFFFFFFFFFFFFF) // (b & 0xFFFFFFFFFFFFFFFF))


def rest_unsigned(a: int, b: int) -> int:
    """Of words without a sign; the divisor is not 0."""
    return wrap((a & 0xFFFFFFFFFFFFFFFF) % (b & 0xFFFFFFFFFFFFFFFF))


def signed8(ram: Bytes, at: int) -> int:
    """A byte."""
    return (ram[at] ^ 128) - 128


def signed16(ram: Bytes, at: int) -> int:
    """A halfword."""
    return int.from_bytes(ram[at : at + 2], "little", signed=True)


def signed32(ram: Bytes, at: int) -> int:
    """A word of 32 bits."""
    return int.from_bytes(ram[at : at + 4], "little", signed=True)


def load64(ram: Bytes, at: int) -> int:
    """A word of 64 bits."""
    return int.from_bytes(ram[at : at + 8], "little", signed=True)


def move(to: Bytes, at: int, source: Bytes, begin: int, count: int) -> None:
    """Bytes of one array into another, or to another place of the same that they do not overlap."""
    to[at : at + count] = source[begin : begin + count]


def unsigned8(ram: Bytes, at: int) -> int:
    """A byte without a sign."""
    return ram[at]


def unsigned16(ram: Bytes, at: int) -> int:
    """A halfword without a sign."""
    return int.from_bytes(ram[at : at + 2], "little")


def unsigned32(ram: Bytes, at: int) -> int:
    """A word of 32 bits without a sign."""
    return int.from_bytes(ram[at : at + 4], "little")


def store8(ram: Bytes, at: int, what: int) -> None:
    """A byte."""
    ram[at] = what & 0xFF


def store16(ram: Bytes, at: int, what: int) -> None:
    """A halfword."""
    ram[at : at + 2] = (what & 0xFFFF).to_bytes(2, "little")


def store32(ram: Bytes, at: int, what: int) -> None:
    """A word of 32 bits."""
    ram[at : at + 4] = (what & 0xFFFFFFFF).to_bytes(4, "little")


def store64(ram: Bytes, at: int, what: int) -> None:
    """A word of 64 bits."""
    ram[at : at + 8] = (what & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little")

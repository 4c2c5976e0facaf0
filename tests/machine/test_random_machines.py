"""Random programs, accesses to devices, ELF files and command lines: each ends by its budget or with a message, whatever it does."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

import pytest

from simvirt.emulation.cards import Cards
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.emulation.images import HEADER, SECTION, SEGMENT, Image, elf
from simvirt.emulation.making import Size
from simvirt.errors import UsageError

SMALL = Size(memory=4 << 20, sets=4, ways=1)
BUDGET = 5_000
LOAD, STORE, SYSTEM = 0x03, 0x23, 0x73
PLACES = (0x0, 0x100000, 0x2000000, 0x2004000, 0x200BFF8, 0xC000000, 0xC002000, 0xC200000, 0x10000000, 0x10001030, 0x10002050, 0x10003070, 0x80000000, 0x803FFFF8, (1 << 63) - 64)
SEEDS = [*range(100), *(pytest.param(seed, marks=[pytest.mark.slow, pytest.mark.verification]) for seed in range(100, 1000))]


def load_or_store(draw: random.Random) -> int:
    """A load or store of any size, at an address that a register holds."""
    offset, base, other, width = draw.randrange(4096), draw.randrange(1, 32), draw.randrange(32), draw.randrange(8)
    if draw.random() < 0.5:
        return offset << 20 | base << 15 | width << 12 | other << 7 | LOAD
    return (offset >> 5) << 25 | other << 20 | base << 15 | (width & 3) << 12 | (offset & 31) << 7 | STORE


def control(draw: random.Random) -> int:
    """An access to a register of control, or a privileged instruction."""
    number = draw.choice((0x300, 0x305, 0x304, 0x344, 0x180, 0x302, 0x303, 0x320, 0xB00, 0xB02, 0x141, 0x341, draw.randrange(4096)))
    if draw.random() < 0.2:
        return draw.choice((0x30200073, 0x10200073, 0x10500073, 0x12000073, 0x73, 0x100073))
    return number << 20 | draw.randrange(32) << 15 | draw.choice((1, 2, 3, 5, 6, 7)) << 12 | draw.randrange(32) << 7 | SYSTEM


def program(draw: random.Random) -> bytes:
    """Loads, stores, registers of control, and any other bits."""
    kinds: tuple[Callable[[random.Random], int], ...] = (load_or_store, control, lambda one: one.getrandbits(32))
    return b"".join(struct.pack("<I", draw.choices(kinds, (6, 3, 1))[0](draw)) for _ in range(2000))


@pytest.mark.parametrize("address", [1, 5, 9, 0x7FF, -(1 << 63) + 0x80000000 - 4, -(1 << 63), (1 << 63) - 4])
@pytest.mark.parametrize("code", [0x00052583, 0x00053583, 0x00B52023, 0x00B53023])  # lw, ld, sw, sd of a1 at a0
def test_an_address_of_nothing_is_a_fault_though_no_page_was_found_before(address: int, code: int) -> None:
    """Neither a mark for no page nor a sum beyond 64 bits is taken for a place in memory."""
    emulator = Emulator(SMALL, Console())
    emulator.boot(Image("one", ((SMALL.base, struct.pack("<II", code, 0x6F)),), SMALL.base))
    emulator.made.registers["x"][10] = address
    emulator.made.registers["csr"][0x305] = SMALL.base + 4
    emulator.made.reset()
    emulator.run(100)
    assert int(emulator.made.registers["csr"][0x342]) in (4, 5, 6, 7)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_accesses_end_with_the_budget(seed: int) -> None:
    draw = random.Random(seed)
    cards = Cards()
    for text in ("console", "entropy", "net:echo"):
        cards.add(text)
    emulator = Emulator(SMALL, Console(typed=draw.randbytes(20)), cards=cards)
    linked = {"tohost": SMALL.base + draw.randrange(8 << 20)} if seed % 4 == 0 else {}
    emulator.boot(Image("random", ((SMALL.base, program(draw)),), SMALL.base, symbols=linked))
    for register in range(1, 32):
        emulator.made.registers["x"][register] = draw.choice(PLACES) + draw.randrange(-8, 64)
    emulator.made.registers["csr"][0x305] = SMALL.base + 4 * draw.randrange(2000)
    emulator.made.hart["mode"][0] = draw.choice((0, 1, 3))
    emulator.made.reset()
    assert emulator.run(BUDGET) in tuple(End)
    assert emulator.work <= BUDGET + 65


@pytest.mark.parametrize("seed", SEEDS)
def test_random_files_load_or_are_refused(seed: int) -> None:
    """Numbers of a header, of segments and of sections, some of them wrong, and a file that may be cut off."""
    draw = random.Random(seed)
    for _ in range(4):
        numbers = [draw.choice((0, 1, 64, 120, SMALL.base, draw.getrandbits(62))) for _ in range(6)]
        segment = SEGMENT.pack(1, 7, draw.choice((0, 120, numbers[0])), numbers[1], SMALL.base, draw.choice((8, numbers[2])), numbers[3], 0)
        head = HEADER.pack(
            b"\x7fELF\x02\x01\x01" + bytes(9), 2, 243, 1, draw.choice((numbers[1], SMALL.base)), 64, numbers[4], 0, 64, 56,
            draw.randrange(3), SECTION.size, draw.randrange(4), 0,
        )
        data = bytearray(head + segment + draw.randbytes(400))
        for _ in range(draw.randrange(3)):
            data[draw.randrange(len(data))] = draw.randrange(256)
        try:
            emulator = Emulator(SMALL, Console())
            emulator.boot(elf(bytes(data[: draw.randrange(len(data)) if seed % 3 == 0 else None]), "x"))
        except UsageError as refused:
            assert str(refused).startswith("x: ")
            continue
        assert emulator.run(1000) in tuple(End)


@pytest.mark.parametrize("append", ["", "a" * 60_000, "a" * 70_000, "\u00e4\u4e2d", "quiet\0hidden", "\udcff"])
def test_command_lines_are_handed_over_or_refused(append: str) -> None:
    emulator = Emulator(SMALL, Console())
    try:
        emulator.boot(Image("x", ((SMALL.base, bytes(8)),), SMALL.base), append=append)
    except UsageError:
        assert len(append) > 60_000 or append in ("quiet\0hidden", "\udcff")
    assert emulator.run(1000) in tuple(End)

"""Whatever an image holds, the process goes on: mistakes are named with their place, budgets end what would not end."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simvirt.cli.app import app
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.emulation.images import HEADER, SEGMENT, Image, elf
from simvirt.emulation.loading import guest
from simvirt.emulation.making import Size
from simvirt.errors import UsageError

SMALL = Size(memory=4 << 20, sets=4, ways=1)
IDENT = b"\x7fELF\x02\x01\x01" + bytes(9)


def file_of(segments: list[tuple[int, ...]], data: bytes = b"", machine: int = 243, kind: int = 2) -> bytes:
    """An ELF file."""
    head = HEADER.pack(IDENT, kind, machine, 1, 0x1000, HEADER.size, 0, 0, HEADER.size, SEGMENT.size, len(segments), 0, 0, 0)
    return head + b"".join(SEGMENT.pack(*one) for one in segments) + data


def test_segments_are_placed_by_their_physical_address() -> None:
    at = HEADER.size + SEGMENT.size
    image = elf(file_of([(1, 5, at, 0x1000, 0x80000000, 4, 8, 0)], b"abcd"), "x")
    assert image == Image("x", ((0x80000000, b"abcd"),), 0x80000000, ((0x80000004, 4),))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x7fELF", "x: offset 0"),
        (file_of([], machine=62), "x: offset 18: expected an ELF file for RISC-V"),
        (b"\x7fELF\x01\x01" + bytes(60), "x: offset 4: expected an ELF file of 64 bits"),
        (b"\x7fELF\x02\x02" + bytes(60), "x: offset 5: expected a little-endian ELF file"),
        (file_of([], kind=1), "x: offset 16: expected an ELF file that is linked"),
        (file_of([(1, 5, 0, 0x2000, 0x80000000, 4, 8, 0)]), "x: offset 24: the entry, 0x1000"),
        (file_of([(1, 5, 0, 0xFFF, 0x80000000, 4, 8, 0)]), "x: offset 24: the entry, 0x1000"),
        (file_of([(1, 5, 999, 0, 0x80000000, 4, 8, 0)]), "x: offset 64: a segment of 4 bytes at 999"),
        (file_of([(1, 5, 0, 0, 0x80000000, 4, 8, 0)])[:80], "behind the end of the file"),
        (file_of([(2, 5, 0, 0, 0, 4, 8, 0)]), "without a segment to load"),
    ],
)
def test_a_wrong_file_is_named_with_the_place(data: bytes, message: str) -> None:
    with pytest.raises(UsageError) as failed:
        elf(data, "x")
    assert message in str(failed.value)


@pytest.mark.parametrize("pieces", [((0x7FFFFFFF, b"ab"),), ((0x80000000, b"a"), (0x80000000, b"b")), ((0x80000000 + (4 << 20), b"a"),)])
def test_what_does_not_fit_is_refused(pieces: tuple[tuple[int, bytes], ...]) -> None:
    with pytest.raises(UsageError, match="lie"):
        Emulator(SMALL, Console()).place(Image("x", pieces, 0))


def test_what_a_program_clears_lies_in_the_memory_too() -> None:
    with pytest.raises(UsageError, match="1099511627776 bytes at 0x80000001 do not lie"):
        Emulator(SMALL, Console()).place(Image("x", ((0x80000000, b"a"),), 0, ((0x80000001, 1 << 40),)))


def test_what_has_no_end_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="/dev/zero: the guest is no file but a device"):
        guest("/dev/zero", SMALL.base)
    with pytest.raises(UsageError, match="is no file but a directory"):
        guest(str(tmp_path), SMALL.base)
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UsageError, match="has more than 1 GiB"):
        guest(str(tmp_path / "huge"), SMALL.base)


def test_a_guest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a file .* or one of benchmark, disk, hello"):
        guest("nobody", SMALL.base)
    (tmp_path / "empty").touch()
    with pytest.raises(UsageError, match="is empty"):
        guest(str(tmp_path / "empty"), SMALL.base)


@pytest.mark.parametrize("seed", range(20))
def test_random_images_end(seed: int) -> None:
    """Bytes without sense, and instructions in a random order, in every mode and with random tables of pages."""
    draw = random.Random(seed)
    emulator = Emulator(SMALL, Console())
    image = draw.randbytes(40_000) if seed % 2 else b"".join(struct.pack("<I", draw.getrandbits(32) | 3) for _ in range(10_000))
    emulator.boot(Image("random", ((SMALL.base, image),), SMALL.base))
    for register in range(1, 32):
        emulator.made.registers["x"][register] = draw.choice((SMALL.base, 0x10000000, 0xC000000, 0x2004000)) + draw.randrange(8192)
    emulator.made.registers["csr"][0x305] = SMALL.base + draw.randrange(2000) * 4
    emulator.made.registers["csr"][0x180] = -(1 << 63) | (SMALL.base >> 12) + draw.randrange(9) if seed % 3 else 0
    emulator.made.hart["mode"][0] = draw.choice((0, 1, 3))
    emulator.made.reset()
    assert emulator.run(20_000) in tuple(End)
    assert 0 <= emulator.count <= 20_000 + 64


def test_the_command_ends_as_the_guest_does() -> None:
    run = CliRunner().invoke
    assert run(app, ["emulate", "hello", "--memory", "4MiB", "--until", "page table"], standalone_mode=False).return_value == 0
    found = run(app, ["emulate", "hello", "--memory", "4MiB", "--counts"], standalone_mode=False)
    assert found.return_value == 0
    assert "hello from machine mode" in found.stdout and "call from user" in found.stdout
    assert run(app, ["emulate", "hello", "--memory", "4MiB", "--until", "nothing"], standalone_mode=False).return_value == 1
    assert run(app, ["emulate", "hello", "--memory", "4MiB", "--max-instructions", "10"], standalone_mode=False).return_value == 0

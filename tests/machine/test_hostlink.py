"""Guests that are linked with their host by `tohost`: they end, print and call through it, and nothing they ask for harms the host."""

from __future__ import annotations

import random
import struct
from pathlib import Path

import pytest
from typer.testing import CliRunner

from simvirt.cli.app import app
from simvirt.emulation.assembler import assemble
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.emulation.hostlink import WORD, HostLink, Served
from simvirt.emulation.images import HEADER, elf, linked
from simvirt.emulation.making import Size
from helpers.elf_files import linked_file

SMALL = Size(memory=4 << 20, sets=4, ways=1)
TO, FROM = 0x80001000, 0x80001040
ENDS = "li t0, 0x80001000\nli t1, {}\nagain: sd t1, 0(t0)\nj again\n"
SAYS = """li t0, 0x80001000
li t2, 0x101000000000041
wait: ld t1, 0(t0)
bnez t1, wait
sd t2, 0(t0)
busy: ld t1, 0(t0)
bnez t1, busy
"""


def file_of(source: str) -> bytes:
    """An ELF file with a program and the two symbols."""
    code = assemble(source, "x.s", SMALL.base).pieces[0][1]
    return linked_file(code, SMALL.base, TO, FROM, 0x2000)


def ended(source: str) -> tuple[End, Emulator]:
    """How a program ends."""
    emulator = Emulator(SMALL, Console())
    emulator.boot(elf(file_of(source), "x"))
    return emulator.run(1_000_000), emulator


@pytest.mark.parametrize(("word", "end", "code"), [(1, End.powered_off, 0), (15, End.failed, 7), (0, End.budget, 0)])
def test_an_odd_word_ends(word: int, end: End, code: int) -> None:
    found, emulator = ended(ENDS.format(word))
    assert (found, int(emulator.made.hart["code"][0])) == (end, code)


def test_what_is_put_on_the_console_is_said_once() -> None:
    end, emulator = ended(SAYS + ENDS.format(1))
    assert (end, bytes(emulator.console.said)) == (End.powered_off, b"A")


def test_the_command_says_which_test_failed(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(file_of(ENDS.format(15)))
    found = CliRunner().invoke(app, ["emulate", str(tmp_path / "x"), "--memory", "4MiB"], standalone_mode=False)
    assert found.return_value == 1 and "failed with code 7" in found.stderr


def link(words: dict[int, int]) -> HostLink:
    """A link whose memory holds words."""
    ram = bytearray(8192)
    for at, value in words.items():
        WORD.pack_into(ram, at, value & (1 << 64) - 1)
    return HostLink(ram, 8192, SMALL.base, {"tohost": SMALL.base, "fromhost": SMALL.base + 8})


@pytest.mark.parametrize(
    ("call", "said", "result"),
    [
        ((64, 1, SMALL.base + 512, 3), b"abc", 3),
        ((64, 1, SMALL.base + 512, 1 << 60), b"", -14),
        ((64, 1, 0, 3), b"", -14),
        ((63, 0, SMALL.base, 8), b"", -38),
    ],
)
def test_a_system_call_is_answered(call: tuple[int, ...], said: bytes, result: int) -> None:
    host = link({0: SMALL.base + 256} | {256 + 8 * k: value for k, value in enumerate(call)})
    host.ram[512:515] = b"abc"
    assert host.serve() == Served(said)
    assert struct.unpack_from("<qQ", host.ram, 0) == (0, 1)
    assert struct.unpack_from("<q", host.ram, 256)[0] == result


def test_exit_ends_with_its_code() -> None:
    assert link({0: SMALL.base + 256, 256: 93, 264: 5}).serve() == Served(code=5)


def test_symbols_of_a_file_that_is_cut_off_are_none() -> None:
    data = file_of(ENDS.format(1))
    assert linked(data) == {"tohost": TO, "fromhost": FROM}
    for length in range(HEADER.size, len(data), 7):
        assert set(linked(data[:length])) <= {"tohost", "fromhost"}


def test_random_words_harm_nothing() -> None:
    draw = random.Random(1)
    for _ in range(200):
        word = draw.choice((draw.getrandbits(64), SMALL.base + draw.randrange(9000), draw.randrange(4) << 56 | draw.getrandbits(48)))
        host = link({0: word} | {8 * k: draw.choice((64, 93, SMALL.base, draw.getrandbits(64))) for k in range(1, 200)})
        size = len(host.ram)
        host.serve()
        assert len(host.ram) == size

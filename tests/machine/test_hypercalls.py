"""Hypercalls: what they do, what they refuse, and that a machine without a monitor has none."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from simvirt.emulation.assembler import assemble
from simvirt.emulation.counting import document
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.emulation.making import Size
from simvirt.emulation.starting import Start
from simvirt.result.emulation_document import EmulationDocument

SMALL = Size(memory=4 << 20)
DONE = "li t0, 0x100000\nli t1, 0x5555\nsw t1, 0(t0)\n"
UPDATES = 0x80100000
Make = Callable[..., Emulator]


def mapping(technique: str, **parameters: int) -> EmulationDocument:
    """The guest that maps pages anew."""
    start = Start("mapping", settings=[f"{name}={value}" for name, value in parameters.items()])
    emulator = Emulator(SMALL, Console(), technique)
    emulator.boot(*start.load(SMALL.base))
    return document(emulator, "mapping", emulator.run(1_000_000))


def test_one_call_stands_for_many_exits() -> None:
    """n times all pages: as many fences and as many hidden faults under `trap`, n calls and as many hidden faults with hypercalls."""
    n, pages = 7, 16
    native, trapped, asked = (mapping(technique, n=n, pages=pages) for technique in ("native", "trap", "paravirtual"))
    assert native.console == trapped.console == asked.console == f"{sum(1 + k % 2 for k in range(1, n + 1)) * pages} is what was read"
    assert trapped.exits["illegal instruction: sfence.vma"] == n * pages + 1
    assert asked.exits["illegal instruction: sfence.vma"] == 1
    assert asked.exits["call from user: hypercall: update of tables"] == n
    assert asked.exits["load page fault: hidden fault"] == trapped.exits["load page fault: hidden fault"] == n * pages


def test_a_guest_that_does_not_ask_is_one_under_trap() -> None:
    trapped, silent = mapping("trap", asks=0), mapping("paravirtual", asks=0)
    assert (silent.exits, silent.state) == (trapped.exits, trapped.state)


def called(function: int, first: int, second: int, memory: bytes = b"", technique: str = "paravirtual") -> Emulator:
    """A supervisor that makes one call and powers off."""
    source = f".mode supervisor\nli a0, {first}\nli a1, {second}\nli a6, {function}\nli a7, 0x8535650\necall\n{DONE}"
    emulator = Emulator(SMALL, Console(), technique)
    emulator.boot(assemble(source, "call.s", SMALL.base))
    emulator.ram[UPDATES - SMALL.base : UPDATES - SMALL.base + len(memory)] = memory
    assert emulator.run(1000) is End.powered_off
    return emulator


def results(emulator: Emulator) -> tuple[int, int]:
    """Error and value."""
    return int(emulator.made.registers["x"][10]), int(emulator.made.registers["x"][11])


GOOD = struct.pack("<3q", 0x80200000, 77, 0x1000)


@pytest.mark.parametrize(("function", "first", "second", "memory", "error", "value"), [
    (0, 5, 6, b"", 0, 1), (9, 0, 0, b"", -2, 0), (1, UPDATES, 1, GOOD, 0, 1), (1, UPDATES, 0, b"", 0, 0),
    (1, UPDATES, 4097, b"", -3, 0), (1, UPDATES, -1, b"", -3, 0), (1, 0x80400000 - 23, 1, b"", -5, 0), (1, 0x1000, 1, b"", -5, 0),
    (1, UPDATES, 2, GOOD + struct.pack("<3q", 0x80400000, 1, 0), -5, 0), (1, UPDATES, 1, struct.pack("<3q", 0x80200004, 1, 0), -5, 0),
    (2, 1 << 40, 0, b"", 0, 0), (3, UPDATES, 4, b"text", 0, 4), (3, UPDATES, 4097, b"", -3, 0), (3, -8, 8, b"", -5, 0),
])
def test_what_a_call_gives(function: int, first: int, second: int, memory: bytes, error: int, value: int) -> None:
    emulator = called(function, first, second, memory)
    assert results(emulator) == (error, value)
    assert bytes(emulator.console.said) == (memory if function == 3 else b"")
    written = int.from_bytes(emulator.ram[0x200000:0x200008], "little")
    assert written == (77 if function == 1 and second == 1 and not error else 0)
    assert int(emulator.made.clint["compare"][0]) == (1 << 40 if function == 2 else -1)


@pytest.mark.parametrize("technique", ["native", "trap", "nested", "interpretation"])
def test_without_such_a_monitor_there_is_no_such_call(technique: str) -> None:
    assert results(called(0, 0, 0, technique=technique)) == (-2, 0)

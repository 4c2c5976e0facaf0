"""Counters that a guest sets and stops, and the registers of the debugger, which hold nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simvirt.emulation.emulator import Emulator

Make = Callable[..., Emulator]
DONE = "li t0, 0x100000\nli t1, 0x5555\nsw t1, 0(t0)\nend: wfi\nj end\n"
A0, A1 = 10, 11


def found(assembled: Make, source: str) -> tuple[int, int]:
    """What a program leaves in a0 and a1."""
    emulator = assembled(source + DONE)
    emulator.run(1000)
    return int(emulator.made.registers["x"][A0]), int(emulator.made.registers["x"][A1])


@pytest.mark.parametrize("name", ["mcycle", "minstret"])
def test_what_is_written_is_what_the_next_instruction_reads(assembled: Make, name: str) -> None:
    assert found(assembled, f"nop\nnop\ncsrrwi x0, {name}, 7\ncsrrs a0, {name}, x0\ncsrrs a1, {name}, x0\n") == (7, 8)


def test_the_count_that_users_read_is_the_one_that_was_set(assembled: Make) -> None:
    assert found(assembled, "li t0, -1\ncsrrw x0, minstret, t0\ncsrrs a0, instret, x0\ncsrrs a1, instret, x0\n") == (-1, 0)


def test_bits_are_set_in_the_count_as_it_is_read(assembled: Make) -> None:
    before, after = found(assembled, "csrrwi x0, minstret, 8\ncsrrsi a0, minstret, 16\ncsrrs a1, minstret, x0\n")
    assert (before, after) == (8, 24)


def test_a_stopped_counter_stands_and_the_other_goes_on(assembled: Make) -> None:
    stop = "csrrwi x0, mcountinhibit, 4\ncsrrwi x0, minstret, 9\ncsrrwi x0, mcycle, 9\nnop\nnop\n"
    assert found(assembled, stop + "csrrs a0, minstret, x0\ncsrrs a1, mcycle, x0\n") == (9, 12)
    assert found(assembled, stop + "csrrwi x0, mcountinhibit, 0\ncsrrs a0, minstret, x0\ncsrrs a1, minstret, x0\n") == (9, 10)


def test_there_is_no_trigger(assembled: Make) -> None:
    assert found(assembled, "li t0, -1\ncsrrw x0, tselect, t0\ncsrrs a0, tselect, x0\ncsrrs a1, tdata1, x0\n") == (0, 0)

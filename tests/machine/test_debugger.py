"""The debugger: each position is found again from both sides, walks are those of the machine, and no line breaks it."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.emulated import SMALL, hello, stepper

from simvirt import machine
from simvirt.cli.app import main
from simvirt.emulation.debugging.commands import COMMANDS, Debugger
from simvirt.emulation.debugging.stepper import Happened, Stepper
from simvirt.emulation.debugging.walks import grid, walked
from simvirt.emulation.emulator import End
from simvirt.machine import constants as c

ROOT = Path(__file__).resolve().parents[2]
FIRST_CALL = "call from user"


@pytest.mark.parametrize("technique", ["native", "trap"])
def test_every_position_has_one_state_whatever_way_leads_to_it(technique: str) -> None:
    """Steps, leaps and steps back, drawn at random, against digests of a first pass."""
    first, draw = stepper(technique), random.Random(1)
    digests = []
    for _ in range(600):
        digests.append(first.emulator.digest())
        first.step()
    second = stepper(technique)
    for _ in range(12):
        position = draw.randrange(600)
        if position < second.at and draw.random() < 0.5:
            second.back(second.at - position)
        else:
            second.to(position)
        assert second.at == position
        assert second.emulator.digest() == digests[position]


def test_a_step_is_one_instruction_or_trap_up_to_the_end() -> None:
    stepped = stepper()
    stepped.to(30_000)
    while stepped.end is None:
        before = stepped.at
        stepped.step()
        assert stepped.at == before + 1
    assert stepped.end is End.powered_off
    assert b"the timer has rung" in stepped.emulator.console.said


@pytest.mark.parametrize("technique", ["native", "nested"])
def test_a_stepped_run_is_the_run_that_it_is_without(technique: str) -> None:
    stepped = stepper(technique)
    for position in (7, 450, 460, 20_000, 1 << 40):
        stepped.to(position)
    assert stepped.emulator.digest() == hello(technique).digest


def test_a_step_says_what_it_did() -> None:
    """Up to the program's first call: the trap, the mode that it enters; walks on the way are as many as the machine counts."""
    stepped, walks = stepper(), 0
    found = Happened()
    while FIRST_CALL not in found.traps:
        found = stepped.step()
        walks += len(found.walks)
    assert found.modes == ("supervisor",)
    assert walks == sum(int(count) for count in stepped.made.counts["walks"]) > 0


def test_a_walk_is_what_the_hart_does() -> None:
    """Its address holds the instruction that is carried out; three entries lead to a page of 4 KiB."""
    stepped = stepper()
    stepped.until(lambda found: FIRST_CALL in found.traps, 20_000)
    stepped.back(1)
    found = walked(stepped.made, stepped.pc)
    assert [one.level for one in found.references] == [2, 1, 0]
    assert found.physical is not None
    assert stepped.made.memory["ram"][found.physical - SMALL.base :][:4] == (0x73).to_bytes(4, "little")  # ecall
    nowhere = walked(stepped.made, 1 << 37)
    assert nowhere.physical is None and nowhere.references[-1].says == "not valid"
    assert walked(stepped.made, 1 << 40).why.startswith("no address of Sv39")


def two_stages() -> Stepper:
    """A machine in VS mode whose guest maps its address 0 by a page of 4 KiB, and whose host maps the guest's memory likewise."""
    stepped = stepper()
    made, base = stepped.made, SMALL.base
    ram = made.memory["ram"]

    def entry(at: int, to: int, bits: int) -> None:
        ram[at : at + 8] = (base + to >> 12 << 10 | bits | c.PTE_V).to_bytes(8, "little")

    guest_tables, host_tables, page = 0x100000, 0x200000, 0x300000
    for table in (guest_tables, guest_tables + 0x1000):
        ram[table : table + 8] = ((table + 0x1000) >> 12 << 10 | c.PTE_V).to_bytes(8, "little")
    leaf = guest_tables + 0x2000
    ram[leaf : leaf + 8] = (page >> 12 << 10 | 0xCF).to_bytes(8, "little")
    entry(host_tables, host_tables + 0x4000, 0)  # a root of four pages, then a table for 1 GiB
    for k in range(2):
        entry(host_tables + 0x4000 + 8 * k, host_tables + 0x5000 + 0x1000 * k, 0)
        for j in range(512):
            entry(host_tables + 0x5000 + 0x1000 * k + 8 * j, k * 0x200000 + 0x1000 * j, 0xDF)
    made.registers["csr"][c.VSATP] = -(1 << 63) | guest_tables >> 12
    made.registers["csr"][c.HGATP] = -(1 << 63) | base + host_tables >> 12
    made.hart["mode"][0], made.hart["virtual"][0] = 1, 1
    return stepped


def test_a_walk_of_two_stages_reads_fifteen_entries() -> None:
    """(3 + 1) * (3 + 1) - 1, drawn as a grid of four rows."""
    found = walked(two_stages().made, 0x123)
    assert len(found.references) == 15
    assert found.physical == SMALL.base + 0x300123
    assert [line.split()[-4:] for line in grid(found)[1:4]] == [["1", "2", "3", "4"], ["5", "6", "7", "8"], ["9", "10", "11", "12"]]
    assert grid(found)[4].split() == ["the", "page", "13", "14", "15"]


def session(*lines: str, technique: str = "native") -> list[str]:
    """What lines give, of the last one."""
    debugger = Debugger(stepper(technique))
    list(debugger.begin())
    return [debugger.execute(line) for line in lines][-1]


@pytest.mark.parametrize(("lines", "expected"), [
    (("break supervisor_trap", "continue"), "<supervisor_trap>"), (("break trap call from user", "c"), "trap: call from user"),
    (("b mode user", "c"), "mode: user"), (("to 453", "step", "ba 3"), "position 451"), (("step 10", "", ""), "position 30"),
    (("registers",), "80000000"), (("to 400", "csr satp mtvec"), "satp 8"), (("memory start 16",), "80000000"), (("list print",), ">"),
    (("to 30600", "console"), "the timer has rung"), (("to 452", "walk"), "3 entries read"), (("walk",), "no page tables in use"),
    (("break 0x80000008", "break"), "1. 0x80000008"), (("break none",), "no stops"), (("help",), "step [N]"), (("to 453", "counts"), "traps"),
    (("to 30547",), "the guest has ended: powered off"), (("digest",), ""),
])
def test_what_lines_give(lines: tuple[str, ...], expected: str) -> None:
    found = session(*lines)
    assert any(expected in line for line in found), found
    assert all(len(line) <= 80 for line in found)


def test_shadow_tables_stand_beside_the_guests() -> None:
    """Both lead to the same page, as the memory of the guest begins the real one's."""
    found = session("to 452", "tables", technique="trap")
    assert found[0].split() == ["guest", "shadow"]
    assert len(set(found[-1].split())) == 1 and found[-1].split()[0].startswith("0x8000")
    assert "a monitor" in " ".join(session("tables"))


@pytest.mark.parametrize("line", ["foo", "step x", "step -1", "to", "memory", "memory nowhere", "break trap foo", "break mode foo", "csr foo", "list 0x", "walk \udcff", "to 1 2", "break ("])
def test_mistakes_are_said_in_words(line: str) -> None:
    assert "expected" in " ".join(session(line))


def test_no_line_breaks_it() -> None:
    """Words and numbers in any order."""
    draw, debugger = random.Random(3), Debugger(stepper())
    pieces = [*(word for word in COMMANDS if word not in ("quit", "continue")), "trap", "mode", "exit", "user", "0", "7", "-1", "0x80000000", "start", "sp", "1e9", "'", "", "99999999999999999999"]
    for _ in range(300):
        line = " ".join(draw.choice(pieces) for _ in range(draw.randrange(4)))
        assert all(isinstance(text, str) for text in debugger.execute(line))
        if debugger.stepper.at > 20_000:
            debugger.stepper.to(100)


@pytest.mark.skipif(machine.MODE == "plain", reason="the command is started as users start it")
def test_a_script_reads_as_a_session() -> None:
    command = [sys.executable, "-m", "simvirt", "emulate", "hello", "--step"]
    done = subprocess.run(command, input="break supervisor_trap\nc\nq\n", capture_output=True, text=True, check=True, cwd=ROOT)
    assert "> break supervisor_trap" in done.stdout and "trap: call from user" in done.stdout


@pytest.mark.parametrize("more", [("--compare", "native,trap"), ("--cost", "kvm"), ("--until", "x")])
def test_what_does_not_go_with_it_is_refused(more: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emulate", "hello", "--step", *more]) == 2
    assert more[0] in capsys.readouterr().err

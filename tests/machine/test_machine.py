"""The machine as a whole: guests, traps, page walks, budgets, and that it is the same compiled and plain."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from simvirt import machine
from simvirt.emulation import guests
from simvirt.emulation.assembler import assemble
from simvirt.emulation.counting import document
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.emulation.making import Size

Make = Callable[..., Emulator]
ROOT = Path(__file__).resolve().parents[2]
DONE = "li t0, 0x100000\nli t1, 0x5555\nsw t1, 0(t0)\nend: wfi\nj end\n"
SMALL = Size(memory=4 << 20)
HELLO = "hello from machine mode\nhello from the supervisor, behind a page table\nthe program has made its calls, and the timer has rung\n"
DIGEST = "from simvirt.emulation.emulator import *\nfrom simvirt.emulation.loading import guest\n" \
    "e = Emulator(Size(memory=4 << 20), Console())\ne.boot(guest('hello', e.size.base))\nprint(e.run(100000), e.digest())"


def hello(size: Size = SMALL) -> Emulator:
    """The first guest, run to its end."""
    emulator = Emulator(size, Console())
    emulator.boot(assemble(guests.source("hello"), "hello.s", size.base))
    assert emulator.run(100_000) is End.powered_off
    return emulator


def test_the_first_guest_does_what_it_says() -> None:
    emulator = hello()
    found = document(emulator, "hello", End.powered_off)
    counted = {(trap.mode, trap.cause): trap.count for trap in found.traps}
    assert found.console == HELLO
    assert counted[("user", "call from user")] == 11  # CALLS, and the one that ends
    assert sum(count for (_, cause), count in counted.items() if cause == "machine timer interrupt") == 3  # TICKS
    assert sum(found.by_mode.values()) == found.instructions == emulator.count
    assert found.characters["sent"] == len(HELLO) == found.devices["uart"].writes
    assert found.translation.table_switches == found.translation.fences == 1


def test_the_same_compiled_and_plain_and_every_time() -> None:
    digest = f"{End.powered_off} {hello().digest()}"
    assert f"{End.powered_off} {hello().digest()}" == digest
    environment = os.environ | {"SIMVIRT_PLAIN": "1" if machine.MODE == "compiled" else "0", "PYTHONPATH": str(ROOT)}
    other = subprocess.run([sys.executable, "-c", DIGEST], capture_output=True, text=True, check=True, env=environment)
    assert other.stdout.strip() == digest


@pytest.mark.parametrize(("level", "bits"), [(0, 12), (1, 21), (2, 30)])
def test_a_walk_reads_an_entry_a_level(assembled: Make, level: int, bits: int) -> None:
    """A page of a size that a table of g levels maps costs g reads, once while the TLB holds it."""
    steps = [f"la t{k}, table{k}" for k in range(3)]
    for k in range(2 - level):
        steps += [f"srli a0, t{k + 1}, 2", "addi a0, a0, 1", f"sd a0, 8(t{k})"]
    steps += ["li a0, 0x200000cf", f"sd a0, 8(t{2 - level})", "srli t0, t0, 12", "li a1, 8", "slli a1, a1, 60", "or t0, t0, a1", "csrw satp, t0"]
    address = sum(1 << shift for shift in (30, 21, 12) if shift >= bits)
    steps += ["li a0, 0x20800", "csrs mstatus, a0", f"li a1, {address}", *["ld a2, 0(a1)"] * 5, "li a0, 0x20000", "csrc mstatus, a0", DONE]
    tables = "\n".join(f".align 12\ntable{k}: .space 4096" for k in range(3))
    emulator = assembled("\n".join(steps) + tables)
    assert emulator.run(1000) is End.powered_off
    counts = emulator.counts()
    assert counts["walks"] == [1, 0]
    assert sum(counts["references"]) == 3 - level
    assert int(emulator.made.registers["x"][12]) == int.from_bytes(emulator.ram[:8], "little", signed=True)


TRAPS = [
    ("ecall", 11, 0), (".word 0", 2, 0), ("ebreak", 3, 0x8000000C), ("li a0, 0x100\nld a1, 0(a0)", 5, 0x100), ("sd a1, 5(zero)", 7, 5),
    ("lr.w a0, (sp)", 4, 2), ("amoadd.w a0, a1, (sp)", 6, 2), ("csrr a0, 0x123", 2, 0x12302573), ("jr zero", 1, 0), ("csrw cycle, a0", 2, 0xC0051073),
]


@pytest.mark.parametrize(("source", "cause", "value"), TRAPS, ids=[source for source, *_ in TRAPS])
def test_what_traps_says_why(assembled: Make, source: str, cause: int, value: int) -> None:
    emulator = assembled(f"auipc t0, 0\naddi t0, t0, 64\ncsrw mtvec, t0\n{source}\n.align 6\ncsrr s0, mcause\ncsrr s1, mtval\n{DONE}")
    emulator.made.registers["x"][2] = 2
    assert emulator.run(100) is End.powered_off
    assert [int(emulator.made.registers["x"][k]) for k in (8, 9)] == [cause, value]


def test_code_that_is_written_to_is_what_runs(assembled: Make) -> None:
    """A loop that replaces an instruction of its own each time: the value that is loaded counts up."""
    source = """
        li s0, 5
        la s1, patched
        lw s2, 0(s1)
        li s3, 0x100000
    again:
        fence.i
    patched:
        addi a0, zero, 1
        add s4, s4, a0
        add s2, s2, s3
        sw s2, 0(s1)
        addi s0, s0, -1
        bnez s0, again
    """
    emulator = assembled(source + DONE)
    assert emulator.run(1000) is End.powered_off
    assert int(emulator.made.registers["x"][20]) == 1 + 2 + 3 + 4 + 5
    assert int(emulator.made.cache["dropped"][0]) == 5


def test_an_access_across_two_pages_is_whole(assembled: Make) -> None:
    source = "li a0, 0x80002ffd\nli a1, 0x1122334455667788\nsd a1, 0(a0)\nld a2, 0(a0)\nlhu a3, 2(a0)\n"
    emulator = assembled(source + DONE)
    emulator.run(100)
    assert [int(emulator.made.registers["x"][k]) for k in (12, 13)] == [0x1122334455667788, 0x5566]
    assert emulator.ram[0x2FFD:0x3005].hex() == "8877665544332211"


def test_what_is_typed_arrives_after_what_was_waited_for(assembled: Make) -> None:
    echo = "li t0, 0x10000000\nli t1, 62\nsb t1, 0(t0)\nnext: lbu t2, 5(t0)\nandi t2, t2, 1\nbeqz t2, next\nlbu t1, 0(t0)\nsb t1, 0(t0)\nj next"
    emulator = assembled(echo, typed=b"abc", after=b">", until=b"abc")
    assert emulator.run(10_000_000) is End.said
    assert bytes(emulator.console.said) == b">abc"
    assert emulator.counts()["characters"] == [4, 3]


def test_a_guest_that_only_traps_uses_up_its_budget(assembled: Make) -> None:
    emulator = assembled(".word 0")
    assert emulator.run(5000) is End.budget
    assert emulator.count == 0 and emulator.work == 5000


def test_a_guest_that_waits_for_nothing_is_idle(assembled: Make) -> None:
    assert assembled("wfi").run(1000) is End.idle


def test_a_guest_may_say_that_it_failed(assembled: Make) -> None:
    emulator = assembled("li t0, 0x100000\nli t1, 0x73333\nsw t1, 0(t0)")
    assert emulator.run(1000) is End.failed
    assert document(emulator, "test", End.failed).code == 7


def test_what_is_found_at_once_is_a_subset_of_the_tlb() -> None:
    """Counts of misses do not depend on how many pages are found at once, but on the modelled TLB: a larger one misses less."""
    few, many = (hello(Size(memory=4 << 20, sets=sets, ways=ways)).counts() for sets, ways in ((1, 1), (64, 4)))
    assert sum(few["walks"]) > sum(many["walks"]) == 5
    assert few["traps"] == many["traps"] and few["characters"] == many["characters"]


def test_only_emulation_loads_the_machine() -> None:
    program = "import sys, simvirt.cli.app\nfrom simvirt.scenario import load\nimport simvirt.runs\nprint([n for n in sys.modules if 'machine' in n and n.startswith('simvirt.m')])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "simvirt.machine" not in found.stdout

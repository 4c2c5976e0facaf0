"""Two stages of page tables, and what a guest's instructions trap with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from helpers.two_stages import HOST, INTO_GUEST, SV39, put, trapped

from simvirt.emulation.counting import document
from simvirt.emulation.emulator import Emulator
from simvirt.machine import constants as c
from simvirt.report.emulation_report import translation

Make = Callable[..., Emulator]
GUEST = 0x80110000
ADDRESS = 1 << 30 | 1 << 21 | 1 << 12


def table(emulator: Emulator, root: int, levels: int, address: int, to: int, bits: int, inner: int) -> None:
    """Map the page of an address, of a table of some levels, to one that begins where `to` lies in the page."""
    at = root
    for level in (2, 1, 0):
        place = at + (address >> 12 + 9 * level & 511) * 8
        if level == 3 - levels:
            put(emulator, place, (to >> 12 & ~((1 << 9 * level) - 1)) << 10 | bits)
            return
        at = inner + 0x1000 * (2 - level)
        put(emulator, place, at >> 12 << 10 | 1)


def staged(emulator: Emulator, g: int, h: int) -> None:
    """A guest with g levels over h levels: guest-physical addresses are those of the machine."""
    table(emulator, GUEST, g, ADDRESS, 0x80000000, 0xCF, GUEST + 0x1000)
    for at in range(GUEST, GUEST + 0x4000, 0x1000):
        table(emulator, HOST, h, at, at, 0xDF, HOST + 0x4000)
    table(emulator, HOST, h, data(g), data(g), 0xDF, HOST + 0x4000)
    csr = emulator.made.registers["csr"]
    csr[c.VSATP], csr[c.HGATP] = (SV39 | GUEST >> 12) - (1 << 64), (SV39 | HOST >> 12) - (1 << 64)
    csr[c.HSTATUS] = int(csr[c.HSTATUS]) | c.HSTATUS_SPVP


def data(g: int) -> int:
    """Guest-physical address behind ADDRESS."""
    return 0x80000000 + (ADDRESS & (1 << 12 + 9 * (3 - g)) - 1 & ~0xFFF)


@pytest.mark.parametrize("g", [1, 2, 3])
@pytest.mark.parametrize("h", [1, 2, 3])
def test_a_walk_of_two_stages_reads_all_but_one_of_the_products_entries(assembled: Make, g: int, h: int) -> None:
    emulator = assembled(f"li a0, {ADDRESS}\nhlv.d a1, (a0)\nhlv.d a1, (a0)\nend: j end\n")
    staged(emulator, g, h)
    emulator.run(20)
    counts = emulator.counts()
    assert counts["walks"] == [1, 0]
    assert sum(counts["references"]) == g
    assert sum(counts["references"]) + sum(counts["second"]) == (g + 1) * (h + 1) - 1


REFUSED = [
    ("csrr a0, hstatus", 1), ("csrr a0, vsatp", 1), ("csrr a0, sepc", 0), ("hfence.gvma zero, zero", 1), ("hlv.d a0, (a1)", 1), ("sret", 0),
    ("sfence.vma zero, zero", 0), ("wfi", 0),
]


@pytest.mark.parametrize(("instruction", "mode"), REFUSED)
def test_what_only_the_host_may_do_is_a_virtual_instruction(assembled: Make, instruction: str, mode: int) -> None:
    trapped(assembled(INTO_GUEST.format(mode=mode) + instruction), cause=c.VIRTUAL_INSTRUCTION)


@pytest.mark.parametrize(("instruction", "cause"), [("csrr a0, mstatus", c.ILLEGAL), ("mret", c.ILLEGAL), ("ecall", 10)])
def test_what_no_supervisor_may_do_is_illegal(assembled: Make, instruction: str, cause: int) -> None:
    trapped(assembled(INTO_GUEST.format(mode=1) + instruction), cause=cause)


def second_only(emulator: Emulator) -> None:
    """The memory's first GiB, as it is, for a guest without tables."""
    put(emulator, HOST + 2 * 8, 0x80000000 >> 12 << 10 | 0xDF)
    emulator.made.registers["csr"][c.HGATP] = (SV39 | HOST >> 12) - (1 << 64)


@pytest.mark.parametrize(
    ("instruction", "cause", "transformed"),
    [("lw a1, 8(a0)", 21, 0x2583), ("sd a1, 8(a0)", 23, 0xB03023), ("lbu a2, 8(a0)", 21, 0x4603), ("amoadd.d a1, a2, (a0)", 23, 0xC035AF)],
)
def test_a_device_of_the_guest_is_known_by_address_and_instruction(assembled: Make, instruction: str, cause: int, transformed: int) -> None:
    at = 0x10000000 + (0 if "amo" in instruction else 8)
    emulator = assembled(INTO_GUEST.format(mode=1) + f"li a0, 0x10000000\n{instruction}")
    second_only(emulator)
    trapped(emulator, cause=cause, value=at, physical=at >> 2, instruction=transformed)


def test_a_table_of_the_guest_that_is_not_there_is_an_implicit_read(assembled: Make) -> None:
    emulator = assembled(f"li a0, {ADDRESS}\nhlv.d a1, (a0)\n")
    staged(emulator, 3, 3)
    put(emulator, GUEST + 8, (0x40000000 >> 12) << 10 | 1)
    physical = 0x40000000 + (ADDRESS >> 21 & 511) * 8
    trapped(emulator, cause=c.LOAD_GUEST_PAGE, value=ADDRESS, physical=physical >> 2, instruction=0x3000)


def test_a_guest_reads_its_own_registers_under_the_supervisors_names(assembled: Make) -> None:
    source = "li a0, 0x1230\ncsrw vsepc, a0\nli a0, 0x4560\ncsrw sepc, a0\n" + INTO_GUEST.format(mode=1) + "csrr a1, sepc\nend: j end"
    emulator = assembled(source)
    emulator.run(60)
    assert int(emulator.made.registers["x"][11]) == 0x1230
    assert emulator.counts()["instructions"][c.GUEST + c.SUPERVISOR] > 0


def test_an_injected_interrupt_is_the_guests_own(assembled: Make) -> None:
    source = (
        "la t0, handler\ncsrw vstvec, t0\nli t0, 0x444\ncsrw hideleg, t0\ncsrw hvip, t0\nli t0, 0x40\ncsrw hie, t0\nli t0, 2\ncsrs vsstatus, t0\n"
        + INTO_GUEST.format(mode=1) + "end: j end\n.align 2\nhandler: csrr a1, scause\ncsrr a2, sip\nhere: j here\n"
    )
    emulator = assembled(source)
    emulator.run(100)
    assert [int(emulator.made.registers["x"][k]) for k in (11, 12)] == [5 - (1 << 63), 0x222]
    assert emulator.counts()["traps"][(c.GUEST + c.SUPERVISOR) * 2 * c.CAUSES + c.CAUSES + 6] == 1


def test_entries_of_the_second_stage_are_reported(assembled: Make) -> None:
    emulator = assembled(f"li a0, {ADDRESS}\nhlv.d a1, (a0)\nend: j end\n")
    staged(emulator, 3, 2)
    end = emulator.run(20)
    found = document(emulator, "x", end)
    assert found.translation.second_stage == {"4k": 0, "2m": 4, "1g": 4}
    assert {"what": "second stage reference", "where": "2m", "count": 4} in list(found.flat())
    assert ["entries of the second stage read, of 2m", "4"] in [[cell.text for cell in row] for row in translation(found).rows]

"""What a guest is kept from, what is delegated to it, and whose translations a fence forgets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simvirt.emulation.emulator import Emulator
from simvirt.machine import constants as c
from helpers.two_stages import HOST, INTO_GUEST, SV39, put, trapped

Make = Callable[..., Emulator]
A0, A1, A2 = 10, 11, 12
OTHER = HOST + 0x4000  # tables of another guest
PLACE, ELSEWHERE = 0x80200000, 0x80300000
END = "end: j end\n"


def found(emulator: Emulator, *registers: int) -> list[int]:
    """What registers hold after a program."""
    emulator.run(300)
    return [int(emulator.made.registers["x"][k]) for k in registers]


@pytest.mark.parametrize(("bit", "instruction"), [(20, "sfence.vma zero, zero"), (20, "csrr a0, satp"), (20, "csrw satp, zero"), (21, "wfi"), (22, "sret")])
def test_bits_of_hstatus_keep_a_guests_supervisor_from_what_it_may_do(assembled: Make, bit: int, instruction: str) -> None:
    source = f"li t0, {1 << bit}\ncsrs hstatus, t0\n" + INTO_GUEST.format(mode=1) + instruction
    trapped(assembled(source), cause=c.VIRTUAL_INSTRUCTION)


@pytest.mark.parametrize(("bit", "instruction"), [(20, "sfence.vma zero, zero"), (20, "csrr a1, satp"), (22, "sret")])
def test_bits_of_mstatus_for_the_host_keep_no_guest_from_it(assembled: Make, bit: int, instruction: str) -> None:
    into = INTO_GUEST.format(mode=1).replace("csrw mstatus", f"li t0, {1 << bit}\nor t1, t1, t0\ncsrw mstatus")
    emulator = assembled(f"la t0, there\ncsrw vsepc, t0\ncsrw vstvec, t0\n{into}{instruction}\nthere: li a0, 7\n{END}")
    assert found(emulator, A0) == [7]
    assert not any(emulator.counts()["traps"])


def test_a_host_without_sret_and_tables_gets_an_illegal_instruction(assembled: Make) -> None:
    source = "la t0, host\ncsrw mepc, t0\nli t0, 0x700800\ncsrw mstatus, t0\nmret\nhost: csrw hgatp, zero\n"
    trapped(assembled(source), cause=c.ILLEGAL)


@pytest.mark.parametrize(("delegated", "handler"), [(0, "machine"), (1, "host"), (3, "guest")])
def test_a_guests_fault_goes_as_far_down_as_it_is_delegated(assembled: Make, delegated: int, handler: str) -> None:
    source = (
        "".join(f"la t0, {name}\ncsrw {vector}, t0\n" for name, vector in (("machine", "mtvec"), ("host", "stvec"), ("guest_trap", "vstvec")))
        + f"li t0, {(delegated & 1) * 8}\ncsrw medeleg, t0\nli t0, {(delegated >> 1) * 8}\ncsrw hedeleg, t0\n"
        + INTO_GUEST.format(mode=0) + "ebreak\n.align 2\nmachine: li a0, 1\nj machine\n.align 2\nhost: li a0, 2\ncsrr a1, scause\nj host\n"
        ".align 2\nguest_trap: li a0, 3\ncsrr a1, scause\nj guest_trap\n"
    )
    assert found(assembled(source), A0)[0] == {"machine": 1, "host": 2, "guest": 3}[handler]


def test_a_call_of_a_guests_supervisor_cannot_be_delegated_to_it(assembled: Make) -> None:
    assert found(assembled("li t0, -1\ncsrw hedeleg, t0\ncsrr a0, hedeleg\ncsrw medeleg, t0\ncsrr a1, medeleg\n" + END), A0, A1) == [0xB1FF, 0xF0B7FE]


@pytest.mark.parametrize("name", ["vsie", "sie"])
def test_bits_of_a_guests_interrupts_are_set_beside_those_that_are(assembled: Make, name: str) -> None:
    inside = INTO_GUEST.format(mode=1) if name == "sie" else ""
    source = f"li t0, 0x444\ncsrw hideleg, t0\nli t0, 4\ncsrw hie, t0\n{inside}csrrsi zero, {name}, 2\ncsrr a0, {name}\n" + END
    emulator = assembled(source)
    assert found(emulator, A0) == [2]
    assert int(emulator.made.registers["csr"][c.MIE]) & c.GUEST_BITS == c.VSSIP


@pytest.mark.parametrize(("name", "kept"), [("satp", 0), ("vsatp", 0x80200), ("hgatp", 0x80200)])
def test_a_mode_that_there_is_not_leaves_the_mode_and_for_satp_all(assembled: Make, name: str, kept: int) -> None:
    assert found(assembled(f"li t0, {3 << 60 | 0x80200}\ncsrw {name}, t0\ncsrr a0, {name}\n" + END), A0) == [kept]


TWO_GUESTS = """
  li a0, 0x40000000
  li t0, {first}
  li t1, {second}
  csrw hgatp, t0
  hlv.d a1, (a0)
  csrw hgatp, t1
  hlv.d a2, (a0)
  csrw hgatp, t0
  hlv.d a1, (a0)
"""


def two_guests(assembled: Make, number: int, source: str = "") -> Emulator:
    """Two guests that find different pages at an address; whose numbers are 1 and another."""
    first, second = SV39 | 1 << 44 | HOST >> 12, SV39 | number << 44 | OTHER >> 12
    emulator = assembled(TWO_GUESTS.format(first=first, second=second) + source + END)
    for root, to in ((HOST, PLACE), (OTHER, ELSEWHERE)):
        put(emulator, root + 8, root + 0x8000 >> 12 << 10 | 1)
        put(emulator, root + 0x8000, root + 0x9000 >> 12 << 10 | 1)
        put(emulator, root + 0x9000, to >> 12 << 10 | 0xDF)
        put(emulator, to, to)
    return emulator


def test_guests_of_different_numbers_find_pages_of_their_own(assembled: Make) -> None:
    emulator = two_guests(assembled, 2)
    assert found(emulator, A1, A2) == [PLACE, ELSEWHERE]
    assert emulator.counts()["walks"] == [2, 0]  # the first guest's page is still known


def test_guests_that_share_a_number_share_what_is_known(assembled: Make) -> None:
    emulator = two_guests(assembled, 1)
    assert found(emulator, A1, A2) == [PLACE, PLACE]
    assert emulator.counts()["walks"] == [1, 0]


FORGETS = [
    ("hfence.gvma zero, zero", 4), ("li t2, 1\nhfence.gvma zero, t2", 3), ("li t2, 2\nhfence.gvma zero, t2", 3), ("li t2, 3\nhfence.gvma zero, t2", 2),
    ("hfence.vvma zero, zero", 3), ("hfence.vvma a0, zero", 3), ("li t2, 0x50000000\nhfence.vvma t2, zero", 2), ("sfence.vma", 2),
]
"""Fences while the first of two guests is the one that hgatp names, and the walks until both have found their page again."""


@pytest.mark.parametrize(("fence", "walks"), FORGETS)
def test_a_fence_forgets_the_translations_of_those_that_it_names(assembled: Make, fence: str, walks: int) -> None:
    emulator = two_guests(assembled, 2, f"{fence}\nhlv.d a1, (a0)\ncsrw hgatp, t1\nhlv.d a2, (a0)\n")
    assert found(emulator, A1, A2) == [PLACE, ELSEWHERE]
    assert emulator.counts()["walks"] == [walks, 0]


def test_a_page_that_moved_is_found_after_a_fence(assembled: Make) -> None:
    for fence, expected in (("nop", PLACE), ("hfence.gvma zero, zero", ELSEWHERE)):
        change = f"li t3, {HOST + 0x9000}\nli t4, {ELSEWHERE >> 12 << 10 | 0xDF}\nsd t4, 0(t3)\n"
        emulator = two_guests(assembled, 2, change + f"{fence}\nhlv.d a1, (a0)\n")
        assert found(emulator, A1) == [expected]


def test_order_bits_of_an_atomic_operation_are_in_htinst(assembled: Make) -> None:
    emulator = assembled(INTO_GUEST.format(mode=1) + "li a0, 0x10000000\n.word 0x06c535af\n")  # amoadd.d.aqrl a1, a2, (a0)
    put(emulator, HOST + 16, 0x80000000 >> 12 << 10 | 0xDF)
    emulator.made.registers["csr"][c.HGATP] = (SV39 | HOST >> 12) - (1 << 64)
    trapped(emulator, cause=23, physical=0x10000000 >> 2, instruction=0x06C035AF)


def test_code_of_a_guest_in_two_pages_is_read_as_code(assembled: Make) -> None:
    emulator = two_guests(assembled, 2, "li t2, 0x40000ffe\nhlvx.wu a1, (t2)\n")
    put(emulator, HOST + 0x9008, ELSEWHERE >> 12 << 10 | 0xD9)  # that may be executed, and not read
    put(emulator, PLACE + 0xFF8, 0x5678 << 48)
    put(emulator, ELSEWHERE, 0x1234)
    assert found(emulator, A1) == [0x12345678]


LOCKED = "li t0, {configuration}\ncsrw pmpcfg0, t0\nli t0, 0x1234\ncsrw pmpaddr0, t0\ncsrw pmpaddr1, t0\nli t0, -1\ncsrw pmpcfg0, t0\n"


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [(0x9F, (0, 0x1234, 0x9F9F9F9F9F9F9F9F)), (0x8F00, (0, 0, 0x9F9F9F9F9F9F8F9F)), (0x9F00, (0x1234, 0, 0x9F9F9F9F9F9F9F9F)), (0x02, (0x1234, 0x1234, 0))],
    ids=["a region", "up to an address, and where it begins", "not what lies below another kind", "write without read"],
)
def test_what_is_locked_stays_as_it_is(assembled: Make, configuration: int, expected: tuple[int, int, int]) -> None:
    source = LOCKED.format(configuration=configuration).rsplit("li t0, -1", 1)[0] if configuration == 2 else LOCKED.format(configuration=configuration)
    values = found(assembled(source + "csrr a0, pmpaddr0\ncsrr a1, pmpaddr1\ncsrr a2, pmpcfg0\n" + END), A0, A1, A2)
    assert tuple(value & (1 << 64) - 1 for value in values) == expected

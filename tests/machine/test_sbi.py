"""The firmware that is built in: what each call of a supervisor does and answers, and what state it leaves to begin with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from simvirt.emulation.assembler import assemble
from simvirt.emulation.emulator import Console, Emulator, End
from simvirt.emulation.making import Size
from simvirt.emulation.starting import Start
from simvirt.errors import UsageError
from simvirt.machine import constants as c

Make = Callable[..., Emulator]
BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN = 0x10, 0x54494D45, 0x735049, 0x52464E43, 0x48534D, 0x53525354, 0x4442434E
OFF = f"li a7, {SRST}\nli a6, 0\nli a0, 0\nli a1, 0\necall\nend: j end\n"
SMALL = Size(memory=4 << 20)
UBOOT = Path("/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf")
ALL = (1 << 64) - 1


def call(extension: int, function: int, *given: int) -> str:
    """The instructions of a call."""
    return "".join(f"li a{k}, {value}\n" for k, value in enumerate(given)) + f"li a7, {extension}\nli a6, {function}\necall\n"


def supervisor(source: str, technique: str = "native", **console: bytes) -> Emulator:
    """A guest in supervisor mode."""
    emulator = Emulator(SMALL, Console(**console), technique)
    emulator.boot(assemble(".mode supervisor\n" + source, "test.s", SMALL.base))
    return emulator


def answer(extension: int, function: int, *given: int, technique: str = "native") -> tuple[int, int]:
    """What a call answers."""
    emulator = supervisor(call(extension, function, *given) + "mv s2, a0\nmv s3, a1\n" + OFF, technique)
    assert emulator.run(1000) is End.powered_off
    return int(emulator.made.registers["x"][18]), int(emulator.made.registers["x"][19])


ANSWERS = [
    (BASE, 0, (), (0, 2 << 24)), (BASE, 3, (TIME,), (0, 1)), (BASE, 3, (0x1234,), (0, 0)), (BASE, 3, (1,), (0, 1)), (BASE, 4, (), (0, 0)),
    (BASE, 99, (), (-2, 0)), (0x1234, 0, (), (-2, 0)), (IPI, 0, (1, 0), (0, 0)), (IPI, 0, (2, 0), (-3, 0)), (IPI, 0, (1, 1), (-3, 0)),
    (IPI, 0, (0, ALL), (0, 0)), (RFENCE, 0, (1, 0), (0, 0)), (RFENCE, 1, (1, 0, 0, 4096), (0, 0)), (RFENCE, 2, (2, 0, 0, 4096, 1), (-3, 0)),
    (HSM, 0, (0, 0x80000000), (-6, 0)), (HSM, 0, (1, 0x80000000), (-3, 0)), (HSM, 2, (0,), (0, 0)), (HSM, 2, (1,), (-3, 0)),
    (HSM, 3, (5,), (-3, 0)), (SRST, 0, (9, 0), (-3, 0)), (DBCN, 0, (16, 0, 0), (-3, 0)), (DBCN, 0, (16, 0x80000000, 1), (-3, 0)),
    (DBCN, 0, (ALL, 0x80000000, 0), (-3, 0)), (DBCN, 1, (16, 0x803FFFFF, 0), (-3, 0)), (DBCN, 1, (16, 0x80300000, 0), (0, 0)),
]


@pytest.mark.parametrize(("extension", "function", "given", "wanted"), ANSWERS)
def test_calls_answer_as_the_specification_says(extension: int, function: int, given: tuple[int, ...], wanted: tuple[int, int]) -> None:
    assert answer(extension, function, *given) == wanted


@pytest.mark.parametrize("technique", ["native", "trap"])
def test_a_supervisor_speaks_and_hears_through_the_firmware(technique: str) -> None:
    text = "la a1, text\nli a0, 5\nli a2, 0\n" + f"li a7, {DBCN}\nli a6, 0\necall\n"
    late = "nop\n" * 40
    hears = f"again: li a7, 2\necall\nblt a0, zero, again\n{late}li a7, 1\necall\nla a1, room\nli a0, 4\nli a2, 0\n"
    hears += f"li a7, {DBCN}\nli a6, 1\necall\nmv s2, a1\nla t0, room\nlw s3, 0(t0)\n" + call(DBCN, 2, ord("!")) + OFF + "text: .asciz \"hello\"\n.align 3\nroom: .dword 0\n"
    emulator = supervisor(text + hears, technique, typed=b"xyz", after=b"hello")
    assert emulator.run(100_000) is End.powered_off
    assert bytes(emulator.console.said) == b"hellox!"
    assert [int(emulator.made.registers["x"][k]) for k in (18, 19)] == [2, 0x7A79]  # what was left: yz
    assert emulator.counts()["characters"] == [7, 3]
    assert emulator.firmware is not None and emulator.firmware.calls["dbcn: write"] == 1
    calls = sum(emulator.firmware.calls.values())
    assert calls == emulator.counts()["traps"][2 * c.CAUSES * c.SUPERVISOR + c.ECALL + c.SUPERVISOR]


@pytest.mark.parametrize("technique", ["native", "trap"])
def test_the_timer_interrupts_the_supervisor_when_it_was_set_for(technique: str) -> None:
    source = f"""
        la t0, handler
        csrw stvec, t0
        li t0, 0x20
        csrs sie, t0
        csrsi sstatus, 2
        rdtime s4
        li a0, 5000
        add a0, a0, s4
        mv s5, a0
        li a7, {TIME}
        li a6, 0
        ecall
        csrr s6, sip
    wait:
        wfi
        j wait
    .align 2
    handler:
        rdtime s2
        csrr s3, scause
        csrr s7, sip
        li a0, -1
        li a7, {TIME}
        li a6, 0
        ecall
        csrr s8, sip
    """
    emulator = supervisor(source + OFF, technique)
    assert emulator.run(100_000) is End.powered_off
    x = [int(value) for value in emulator.made.registers["x"]]
    assert 0 <= x[18] - x[21] <= 2
    assert x[19] == 5 - (1 << 63)
    assert (x[22] & 0x20, x[23] & 0x20, x[24] & 0x20) == (0, 0x20, 0)


def test_an_interrupt_that_a_hart_sends_itself_is_pending() -> None:
    emulator = supervisor(call(IPI, 0, 1, 0) + "csrr s2, sip\ncsrci sip, 2\ncsrr s3, sip\n" + OFF)
    assert emulator.run(1000) is End.powered_off
    assert [int(emulator.made.registers["x"][k]) for k in (18, 19)] == [2, 0]


def test_the_state_that_a_firmware_leaves() -> None:
    """Own exceptions and interrupts, counters, all of the memory; the number of the hart and the device tree in the registers."""
    emulator = supervisor("mv s2, a0\nlw s3, 0(a1)\nrdtime s4\nrdinstret s5\ncsrr s6, sstatus\nla t0, on\ncsrw stvec, t0\n.word 0\n.align 2\non: csrr s7, scause\n" + OFF)
    assert emulator.run(1000) is End.powered_off
    x = [int(value) for value in emulator.made.registers["x"]]
    assert x[18] == 0 and x[19] & 0xFFFFFFFF == 0xEDFE0DD0  # the tree's magic number, big-endian
    assert x[21] == 3 and x[22] & 2 == 0 and x[23] == 2
    csr = emulator.made.registers["csr"]
    assert int(csr[c.MIDELEG]) & 0x222 == 0x222 and int(csr[c.MEDELEG]) >> 9 & 1 == 0
    assert int(csr[0x3A0]) == 0x1F
    assert emulator.counts()["instructions"][c.MACHINE] == 0


@pytest.mark.parametrize(
    ("source", "end"),
    [
        (call(SRST, 0, 0, 0), End.powered_off), (call(SRST, 0, 1, 0), End.reset), (call(SRST, 0, 2, 0), End.reset),
        (call(SRST, 0, 0, 1), End.failed), (call(8, 0), End.powered_off), (call(HSM, 1), End.idle), (call(HSM, 3, 0) + "nop\n" + OFF, End.idle),
    ],
)
def test_how_a_supervisor_ends(source: str, end: End) -> None:
    assert supervisor(source).run(1000) is end


def test_a_hart_that_is_suspended_goes_on_anew_at_an_address() -> None:
    """Without memory of its registers: the number of the hart, what the caller gave, interrupts off."""
    source = "li t0, 2\ncsrs sie, t0\n" + call(IPI, 0, 1, 0) + "csrsi sstatus, 0\nla a1, anew\nli a0, 0x80000000\nli a2, 77\n"
    source += f"li a7, {HSM}\nli a6, 3\necall\nebreak\nanew: mv s2, a0\nmv s3, a1\n" + OFF
    emulator = supervisor(source)
    assert emulator.run(1000) is End.powered_off
    assert [int(emulator.made.registers["x"][k]) for k in (18, 19)] == [0, 77]


def test_a_fence_of_the_firmware_forgets_translations() -> None:
    """An entry of the page table is changed; the change counts after the call."""
    source = f"""
        la t0, root
        li t1, 0x200000cf
        sd t1, 16(t0)
        sd t1, 24(t0)
        srli t1, t0, 12
        li t2, 8
        slli t2, t2, 60
        or t1, t1, t2
        csrw satp, t1
        li s2, 0xc0000000
        la s3, one
        li t1, 0x3fffffff
        and s4, s3, t1
        add s4, s4, s2
        ld s5, 0(s4)
        sd zero, 24(t0)
        ld s6, 0(s4)
        la t1, gone
        csrw stvec, t1
        {call(RFENCE, 1, 1, 0, 0, 0)}
        ld s7, 0(s4)
        ebreak
    .align 2
    gone:
        csrr s8, scause
        {OFF}
    .align 3
    one: .dword 7
    .align 12
    root: .space 4096
    """
    for technique in ("native", "trap"):
        emulator = supervisor(source, technique)
        assert emulator.run(1000) is End.powered_off
        assert [int(emulator.made.registers["x"][k]) for k in (21, 22, 23, 24)] == [7, 7, 0, c.LOAD_PAGE]


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    kernel = tmp_path / "Image"
    kernel.write_bytes(bytes(64))
    mistakes = [
        (Start(), "no guest"), (Start(guest="hello", firmware=kernel), "runs first"), (Start(firmware=kernel), "expected --kernel"),
        (Start(kernel=kernel, settings=("n=1",)), "no parameters"), (Start(guest="hello", settings=("x=1",)), "no parameter x"),
        (Start(guest="hello", settings=("x",)), "expected a name and a number"), (Start(guest=str(kernel), settings=("n=1",)), "no parameters"),
    ]
    for start, message in mistakes:
        with pytest.raises(UsageError, match=message):
            start.images(SMALL.base)
    with pytest.raises(UsageError, match="there is no disk"):
        Start(guest="hello", read_only=True).cards()


def test_a_kernel_of_linux_begins_as_a_supervisor_where_kernels_lie(tmp_path: Path) -> None:
    """Told by the words of its header."""
    image = tmp_path / "Image"
    image.write_bytes(bytes(48) + b"RISCV\0\0\0" + b"RSC\x05" + bytes(4))
    for start in (Start(guest=str(image)), Start(kernel=image)):
        first, second = start.images(SMALL.base)
        assert second is None and first.supervisor and first.entry == SMALL.base + 0x200000
    first, second = Start(kernel=image, firmware=image).images(SMALL.base)
    assert second is not None and first.entry == SMALL.base


@pytest.mark.skipif(not UBOOT.exists(), reason="Debian's u-boot-qemu is not installed")
def test_uboot_runs_above_the_firmware_and_powers_off_by_it(tmp_path: Path) -> None:
    """A boot loader that knows nothing of simvirt reads a disk too."""
    image = tmp_path / "disk"
    image.write_bytes(b"".join(bytes([k]) * 512 for k in range(8)))
    start = Start(kernel=UBOOT, disk=image)
    emulator = Emulator(Size(), Console(b" virtio scan\n\nvirtio read 81000000 3 2\nmd.b 81000200 4\n\npoweroff\n", b"", b"autoboot"), cards=start.cards())
    emulator.boot(*start.load(emulator.size.base))
    assert emulator.run(50_000_000) is End.powered_off
    assert b"2 blocks read: OK" in emulator.console.said and b"81000200: 04 04 04 04" in emulator.console.said
    assert int(emulator.made.counts["sectors"][0]) >= 2

"""What a guest that does something n times leaves for under each technique, and that it cannot tell under which it runs."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from helpers.repeated_operations import BODIES, added, repeated

from simvirt.cli.app import main
from simvirt.emulation.emulator import Emulator
from simvirt.emulation.monitors import TECHNIQUES
from simvirt.emulation.monitors.options import EXTENTS, Options
from simvirt.emulation.operations import operation_of

N = 5
HUGE = Options(EXTENTS["2m"])
PASSED = Options(passed=("uart", "plic"))
UART = Options(passed=("uart",))
CALL = ("sret", "csrrw sepc", "csrrs scause", "csrrs sepc")
Make = Callable[..., Emulator]

EXITS = [
    ("csr", "trap", None, {"illegal instruction: csrrs sscratch": N}),
    ("csr", "translation", None, {"call-out: csrrs sscratch": N}),
    ("csr", "nested", None, {}),
    ("touch", "trap", None, {"store page fault: hidden fault": N}),
    ("touch", "nested", None, {"store guest-page fault: first touch": N}),
    ("touch", "nested", HUGE, {}),
    ("device", "trap", None, {"store page fault: device access": N}),
    ("device", "nested", None, {"store guest-page fault: device access": N}),
    ("device", "nested", PASSED, {}),
    ("fence", "trap", None, {"illegal instruction: sfence.vma": N, "fetch page fault: hidden fault": N}),
    ("fence", "nested", None, {}),
    ("call", "trap", None, {"call from user: ecall": N} | {f"illegal instruction: {what}": N for what in CALL}),
    ("call", "translation", None, {"call from user: ecall": N} | {f"call-out: {what}": N for what in CALL}),
    ("call", "nested", None, {}),
]


@pytest.mark.parametrize(("operation", "technique", "options", "expected"), EXITS)
def test_exits_of_an_operation_are_what_the_technique_says(
    operation: str, technique: str, options: Options | None, expected: dict[str, int],
) -> None:
    assert added(operation, 1 + N, technique, options) == expected


def test_each_instruction_is_a_step_of_the_interpreter() -> None:
    found = repeated("csr", N, "interpretation")
    assert sum(found.exits.values()) == found.instructions
    assert added("csr", 1 + N, "interpretation") == {"emulated: csrrs": N, "emulated: addi": N, "emulated: bne": N}


@pytest.mark.parametrize(("technique", "own"), [("trap", N), ("nested", 0)])
def test_a_timer_is_a_call_and_an_interrupt(technique: str, own: int) -> None:
    """The supervisor's own handler leaves only where its registers are the monitor's."""
    found = added("timer", 1 + N, technique)
    calls = {name: count for name, count in found.items() if name.endswith(("ecall", "call of the kernel"))}
    assert list(calls.values()) == [N]
    assert found.get("illegal instruction: csrrs scause", 0) == own
    traps = {(trap.mode, trap.cause): trap.count for trap in repeated("timer", N, technique).traps}
    assert traps[("supervisor", "supervisor timer interrupt")] == N


@pytest.mark.parametrize("operation", BODIES)
def test_the_guest_cannot_tell(operation: str) -> None:
    """Registers, memory, traps, devices, modes: all is as on the machine itself."""
    native = repeated(operation, N, "native")
    for technique in TECHNIQUES:
        for options in (None, HUGE, PASSED, UART) if "pass" in TECHNIQUES[technique].takes else (None,):
            found = repeated(operation, N, technique, options)
            assert (found.ended, found.state, found.instructions) == ("powered off", native.state, native.instructions)
            assert (found.traps, found.devices, found.by_mode) == (native.traps, native.devices, native.by_mode)


ECHO = """
    la t0, handler
    csrw mtvec, t0
    li t1, 0x222
    csrw mideleg, t1
    li t1, 0x800
    csrs mstatus, t1
    la t0, supervisor
    csrw mepc, t0
    mret
supervisor:
    la t0, handler
    csrw stvec, t0
    li s0, 0x10000000
    li s1, 0xc000028            # priority of the serial line
    li t1, 1
    sw t1, 0(s1)
    li s1, 0xc002080
    li t1, 0x400
    sw t1, 0(s1)
    li s1, 0xc201000
    sw zero, 0(s1)
    sb t1, 0(s0)
    li t1, 3
    sb t1, 1(s0)                # interrupt when something comes, and when all is sent
    li t1, 0x200
    csrw sie, t1
    li t1, 62
    sb t1, 0(s0)
    csrsi sstatus, 2
wait:
    addi s3, s3, 1
    j wait
.align 2
handler:
    lw t1, 4(s1)
    lbu t2, 2(s0)
    andi t2, t2, 4
    beqz t2, done
    lbu t2, 0(s0)
    sb t2, 0(s0)
    sw t1, 4(s1)
    li t3, 113
    bne t2, t3, back
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
done:
    sw t1, 4(s1)
back:
    sret
"""


@pytest.mark.parametrize(("options", "injections"), [(None, 0), (PASSED, 0), (UART, 1)])
def test_interrupts_of_a_device_that_is_passed_through(assembled: Make, options: Options | None, injections: int) -> None:
    """With its controller it interrupts the guest itself; without, an interrupt that comes while the guest runs leaves for the monitor."""
    native = assembled(ECHO, typed=b"abq", after=b">")
    nested = assembled(ECHO, typed=b"abq", after=b">", technique="nested", options=options)
    assert native.run(5_000_000) == nested.run(5_000_000) == "powered off"
    assert bytes(native.console.said) == bytes(nested.console.said)
    assert native.state() == nested.state()
    assert nested.made.exits["supervisor external interrupt: of a device that is passed through"] == injections


@pytest.mark.parametrize(("asked", "said"), [
    (("--technique", "magic"), "expected one of native, interpretation"),
    (("--compare", "native,trap", "--pages", "2m"), "only nested takes it"), (("--pass", "uart"), "only nested takes it"),
    (("--technique", "nested", "--pages", "1g"), "expected one of 4k, 2m"), (("--technique", "nested", "--pass", "clint"), "expected devices of uart"),
])
def test_what_is_refused(asked: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["emulate", "hello", *asked]) == 2
    assert said in capsys.readouterr().err


def test_a_comparison_that_is_interrupted_prints_what_was_counted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The second of three techniques is interrupted: two are in the table, and the third is not run."""
    run = Emulator.run

    def interrupted(self: Emulator, budget: int, most_s: float = 0) -> object:
        if self.technique == "trap":
            run(self, 1000)
            raise KeyboardInterrupt
        return run(self, budget)

    monkeypatch.setattr(Emulator, "run", interrupted)
    assert main(["emulate", "hello", "--compare", "native,trap,nested", "--format", "json"]) == 130
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [(one["technique"], one["ended"]) for one in runs] == [("native", "powered off"), ("trap", "interrupted")]
    assert sum(runs[1]["exits"].values()) > 0 and runs[1]["instructions"] == 990  # and ten traps


@pytest.mark.parametrize(("name", "operation"), [
    ("call from user: ecall", "syscall"), ("call from user: call of the kernel", "privileged"), ("emulated: add", "instruction"),
    ("call-out: csrrw satp", "context_switch"), ("store guest-page fault: first touch of a device", "devices"),
])
def test_exits_are_for_operations(name: str, operation: str) -> None:
    assert operation_of(name) == operation

"""A guest that does something a number of times: a firmware, a supervisor with a page table, a program."""

from __future__ import annotations

from typing import Final

from simvirt.emulation.assembler import assemble
from simvirt.emulation.counting import document
from simvirt.emulation.emulator import Console, Emulator
from simvirt.emulation.making import Size
from simvirt.emulation.monitors.options import Options
from simvirt.result.emulation_document import EmulationDocument

SMALL: Final = Size(memory=4 << 20)
FRESH: Final = 0x80200000  # memory that nothing else touches

GUEST: Final = """
.equ TIMES, {times}
    la t0, from_below
    csrw mtvec, t0
    li t0, 0xb100
    csrw medeleg, t0
    li t0, 0x222
    csrw mideleg, t0
    li t0, 0x1000
    csrc mstatus, t0
    li t0, 0x800
    csrs mstatus, t0
    la t0, supervisor
    csrw mepc, t0
    mret
.align 2
from_below:                     # a call sets the timer, the timer is handed on
    csrw mscratch, t0
    csrr t0, mcause
    bltz t0, ring
    li t0, 0x20
    csrc mip, t0
    li t0, 0x80
    csrs mie, t0
    li t0, 0x200bff8
    ld t1, 0(t0)
    addi t1, t1, 500
    li t0, 0x2004000
    sd t1, 0(t0)
    csrr t0, mepc
    addi t0, t0, 4
    csrw mepc, t0
    mret
ring:
    li t0, 0x80
    csrc mie, t0
    li t0, 0x20
    csrs mip, t0
    csrr t0, mscratch
    mret
supervisor:
    la t0, trapped
    csrw stvec, t0
    la t0, root
    li t1, 0xcf
    sd t1, 0(t0)
    li t1, 0x200000cf
    sd t1, 16(t0)
    li t1, 0x200000df           # the same memory, the program's
    sd t1, 24(t0)
    srli t0, t0, 12
    li t1, 8
    slli t1, t1, 60
    or t0, t0, t1
    csrw satp, t0
    li s0, 0x10000000
    li s1, {fresh}
    li s2, TIMES
    li s3, 4096
    li s4, 0x20
    j test
again:
{body}
    addi s2, s2, -1
test:
    bnez s2, again
end:
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
    j end
.align 2
trapped:
    csrr t0, scause
    bltz t0, rung
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    beqz a7, back
    j end
back:
    sret
rung:
    csrc sie, s4
    addi s5, s5, 1
    sret
program:
    li a7, 0
program_again:
    ecall
    addi s2, s2, -1
    bnez s2, program_again
    li a7, 1
    ecall
.align 12
root:
    .space 4096
"""
BODIES: Final = {
    "csr": "csrr t0, sscratch",
    "touch": "sd s2, 0(s1)\nadd s1, s1, s3",
    "device": "sb s2, 7(s0)",
    "fence": "sfence.vma",
    "timer": "csrs sie, s4\necall\ncsrsi sstatus, 2\nwfi",
    "call": "li t0, 0x100\ncsrc sstatus, t0\nla t0, program\nli t1, 0x40000000\nadd t0, t0, t1\ncsrw sepc, t0\nsret",
}
"""What is done each time; the program of `call` calls the supervisor as often, and ends it."""


def repeated(operation: str, times: int, technique: str, options: Options | None = None) -> EmulationDocument:
    """The guest under a technique."""
    emulator = Emulator(SMALL, Console(), technique, options=options)
    emulator.boot(assemble(GUEST.format(times=times, body=BODIES[operation], fresh=FRESH), "repeated.s", SMALL.base))
    return document(emulator, operation, emulator.run(100_000))


def added(operation: str, times: int, technique: str, options: Options | None = None) -> dict[str, int]:
    """Exits that the operation brings, beside those of a guest that does it once."""
    more, fewer = repeated(operation, times, technique, options).exits, repeated(operation, 1, technique, options).exits
    return {name: count - fewer.get(name, 0) for name, count in more.items() if count != fewer.get(name, 0)}

"""Names of modes, of the causes of traps, of devices: what counts are printed under."""

from typing import Final

from simvirt.machine import constants as c

MODES: Final = {
    c.USER: "user",
    c.SUPERVISOR: "supervisor",
    c.MACHINE: "machine",
    c.GUEST: "guest user",
    c.GUEST + c.SUPERVISOR: "guest supervisor",
}
EXCEPTIONS: Final = {
    c.FETCH_MISALIGNED: "misaligned fetch",
    c.FETCH_ACCESS: "fetch access fault",
    c.ILLEGAL: "illegal instruction",
    c.BREAKPOINT: "breakpoint",
    c.LOAD_MISALIGNED: "misaligned load",
    c.LOAD_ACCESS: "load access fault",
    c.STORE_MISALIGNED: "misaligned store",
    c.STORE_ACCESS: "store access fault",
    c.ECALL + c.USER: "call from user",
    c.ECALL + c.SUPERVISOR: "call from supervisor",
    c.ECALL + c.MACHINE: "call from machine",
    c.ECALL + 2: "call from guest supervisor",
    c.FETCH_PAGE: "fetch page fault",
    c.LOAD_PAGE: "load page fault",
    c.STORE_PAGE: "store page fault",
    c.FETCH_GUEST_PAGE: "fetch guest-page fault",
    c.LOAD_GUEST_PAGE: "load guest-page fault",
    c.VIRTUAL_INSTRUCTION: "virtual instruction",
    c.STORE_GUEST_PAGE: "store guest-page fault",
}
INTERRUPTS: Final = {
    1: "supervisor software interrupt",
    2: "guest software interrupt",
    3: "machine software interrupt",
    5: "supervisor timer interrupt",
    6: "guest timer interrupt",
    7: "machine timer interrupt",
    9: "supervisor external interrupt",
    10: "guest external interrupt",
    11: "machine external interrupt",
}
DEVICES: Final = ("finisher", "clint", "plic", "uart", "virtio")
LEVELS: Final = ("4k", "2m", "1g")
UNITS: Final = ("data", "instructions")


def cause_of(number: int) -> str:
    """The name of a cause, interrupts behind exceptions."""
    if number < c.CAUSES:
        return EXCEPTIONS.get(number, f"exception {number}")
    return INTERRUPTS.get(number - c.CAUSES, f"interrupt {number - c.CAUSES}")

"""The firmware that is built in: serves the calls of a supervisor (SBI), outside of the machine's loop.

*Model.* The hart begins in supervisor mode, with what a firmware leaves: exceptions and interrupts of the supervisor are its own, it may
read the counters and reach all memory. A call leaves the loop, is served at once and costs no instructions; the timer that is set by one
interrupts the supervisor directly. Fences forget all translations, whatever address and address space they name.

*Ignores.* Other harts: there is one. Calls for performance counters, and those of the first version but for timer, console and power.

*Source.* RISC-V Supervisor Binary Interface Specification, version 2.0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from simvirt.emulation.making import Made
from simvirt.emulation.registers import H_INTERRUPTS, S_EXCEPTIONS, S_INTERRUPTS
from simvirt.machine import constants as c
from simvirt.machine.devices.uart import RING

VERSION: Final = 2 << 24
IMPLEMENTATION: Final = 0x73696D  # not one of the numbers that are assigned
OK, NOT_SUPPORTED, INVALID, ALREADY = 0, -2, -3, -6  # results
A0, A1, A2, A6, A7 = 10, 11, 12, 16, 17
CALL: Final = c.ECALL + c.SUPERVISOR
COUNTERS: Final = 7  # cycle, time, instret
EVERY_ADDRESS: Final = 0x1F, (1 << 54) - 1  # of the first entry of PMP: readable, writable, executable; all
PMPCFG0, PMPADDR0 = 0x3A0, 0x3B0
NON_RETENTIVE: Final = 0x80000000
SHUT_DOWN, FAILURE = 0, 1  # type and reason of a reset
RESETS: Final = (0, 1, 2)
VALUES: Final = (VERSION, IMPLEMENTATION, 1)
STARTED: Final = 0
WORD: Final = 1 << 64

Result = tuple[int, int]
DONE: Final[Result] = (OK, 0)
REFUSED: Final[Result] = (INVALID, 0)


class Firmware:
    """Serves the calls of a machine's supervisor."""

    def __init__(self, made: Made) -> None:
        self.made = made
        self.calls: Counter[str] = Counter()
        self.said = bytearray()
        csr: Any = made.registers["csr"]
        csr[c.MIDELEG], csr[c.MEDELEG] = S_INTERRUPTS | H_INTERRUPTS, S_EXCEPTIONS & ~(1 << CALL)
        csr[c.MCOUNTEREN] = csr[c.SCOUNTEREN] = COUNTERS
        csr[PMPCFG0], csr[PMPADDR0] = EVERY_ADDRESS
        made.hart["served"][0], made.hart["mode"][0] = 1, c.SUPERVISOR
        made.reset()

    def take_said(self) -> bytes:
        """What was said by calls since the last look."""
        data, self.said = bytes(self.said), bytearray()
        self.made.counts["characters"][0] += len(data)
        return data

    def serve(self) -> int:
        """Serve what entered machine mode, and return from it; why the machine is to stop, or RUNNING."""
        hart, csr = self.made.hart, self.made.registers["csr"]
        hart["stop"][0] = c.RUNNING
        if int(csr[c.MCAUSE]) != CALL:
            hart["code"][0] = int(csr[c.MCAUSE]) & 0xFFFF
            return c.FAILED
        hart["pc"][0] = int(csr[c.MEPC]) + 4
        self.back()
        self.call()
        return int(hart["stop"][0])

    def back(self) -> None:
        """Return to the mode that called."""
        csr = self.made.registers["csr"]
        status = int(csr[c.MSTATUS])
        csr[c.MSTATUS] = status & ~(c.STATUS_MPP | c.STATUS_MPV) | c.STATUS_MPIE
        self.made.hart["mode"][0] = (status & c.STATUS_MPP) >> c.MPP_BIT
        self.made.reset()

    def call(self) -> None:
        """Serve a call by its extension and function; the result goes to the registers."""
        x: Any = self.made.registers["x"]
        extension, function = int(x[A7]) % WORD, int(x[A6]) % WORD
        given = [int(x[A0 + k]) % WORD for k in range(5)]
        if (legacy := LEGACY.get(extension)) is not None:
            name, serve_legacy = legacy
            self.calls[name] += 1
            x[A0] = serve_legacy(self, given[0])
            return
        name, serve = CALLS.get((extension, function), (f"not there: {extension:#x}, {function}", unknown))
        self.calls[name] += 1
        x[A0], x[A1] = serve(self, given)

    def stop(self, why: int, code: int = 0) -> Result:
        """The machine is to stop."""
        self.made.hart["stop"][0], self.made.hart["code"][0] = why, code
        return DONE

    def memory(self, low: int, high: int, count: int) -> int | None:
        """Place in ram of so many bytes at a physical address; None where they do not lie in the memory."""
        begin = (high << 64 | low) - self.made.size.base
        return begin if begin >= 0 and begin + count <= self.made.size.memory else None

    def typed(self) -> int | None:
        """The next letter that was typed; None for none."""
        uart: Any = self.made.uart
        head = int(uart["came_head"][0])
        if head == int(uart["came_tail"][0]):
            return None
        uart["came_head"][0] = (head + 1) % RING
        self.made.counts["characters"][1] += 1
        return int(uart["came"][head])


def signed(value: int) -> int:
    """A word with its sign."""
    return value - WORD if value >= WORD >> 1 else value


def only_hart(mask: int, base: int) -> bool:
    """Whether a mask of harts names none but the one that there is."""
    return base == WORD - 1 or not mask or (base == 0 and mask == 1)


def unknown(firmware: Firmware, given: list[int]) -> Result:
    """There is no such call."""
    return NOT_SUPPORTED, 0


def about(k: int) -> Callable[[Firmware, list[int]], Result]:
    """What says the k-th thing about the firmware."""
    return lambda firmware, given: (OK, VALUES[k])


def about_machine(firmware: Firmware, given: list[int]) -> Result:
    """Its registers of vendor and kind hold zero."""
    return DONE


def probe(firmware: Firmware, given: list[int]) -> Result:
    """Whether there is an extension."""
    return OK, int(given[0] in LEGACY or any(extension == given[0] for extension, _ in CALLS))


def set_timer(firmware: Firmware, given: list[int]) -> Result:
    """When the timer is to ring next."""
    firmware.made.clint["compare"][0] = signed(given[0])
    return DONE


def send_ipi(firmware: Firmware, given: list[int]) -> Result:
    """Interrupt harts."""
    mask, base = given[:2]
    if not only_hart(mask, base):
        return REFUSED
    if mask or base:
        firmware.made.registers["csr"][c.MIP] = int(firmware.made.registers["csr"][c.MIP]) | c.SSIP
    return DONE


def fence(firmware: Firmware, given: list[int]) -> Result:
    """Let harts forget translations."""
    if not only_hart(*given[:2]):
        return REFUSED
    firmware.made.fence()
    return DONE


def fence_code(firmware: Firmware, given: list[int]) -> Result:
    """What was stored is what is fetched, without a fence."""
    return DONE if only_hart(*given[:2]) else REFUSED


def start_hart(firmware: Firmware, given: list[int]) -> Result:
    """The one that there is runs."""
    return (INVALID if given[0] else ALREADY), 0


def stop_hart(firmware: Firmware, given: list[int]) -> Result:
    """With its only hart the machine is idle for good."""
    return firmware.stop(c.IDLE)


def hart_status(firmware: Firmware, given: list[int]) -> Result:
    """Whether a hart runs."""
    return (INVALID if given[0] else OK), STARTED


def suspend_hart(firmware: Firmware, given: list[int]) -> Result:
    """Wait for an interrupt, after which the hart goes on where it was, or anew at an address."""
    kind, at, opaque = given[:3]
    if kind not in (0, NON_RETENTIVE):
        return REFUSED
    made = firmware.made
    made.hart["waiting"][0] = 1
    if kind == 0:
        return DONE
    csr = made.registers["csr"]
    csr[c.SATP], csr[c.MSTATUS] = 0, int(csr[c.MSTATUS]) & ~c.STATUS_SIE
    made.hart["pc"][0] = signed(at & ~1)
    made.reset()
    return 0, signed(opaque)


def reset(firmware: Firmware, given: list[int]) -> Result:
    """Power off, or begin anew."""
    kind, reason = given[:2]
    if kind not in RESETS or reason not in (0, FAILURE):
        return REFUSED
    if reason == FAILURE:
        return firmware.stop(c.FAILED, FAILURE)
    return firmware.stop(c.POWER_OFF if kind == SHUT_DOWN else c.RESET)


def write_console(firmware: Firmware, given: list[int]) -> Result:
    """Say bytes of memory."""
    count, low, high = given[:3]
    place = firmware.memory(low, high, count)
    if place is None:
        return REFUSED
    firmware.said += firmware.made.memory["ram"][place : place + count]
    return OK, count


def read_console(firmware: Firmware, given: list[int]) -> Result:
    """Put what was typed into memory, as far as there is any and it has room."""
    count, low, high = given[:3]
    place = firmware.memory(low, high, count)
    if place is None:
        return REFUSED
    found = 0
    while found < count and (letter := firmware.typed()) is not None:
        firmware.made.store(place + found, bytes([letter]))
        found += 1
    return OK, found


def write_byte(firmware: Firmware, given: list[int]) -> Result:
    """Say a byte."""
    firmware.said.append(given[0] & 0xFF)
    return DONE


def mark(firmware: Firmware, given: list[int]) -> Result:
    """A phase begins, as by a store to the marker."""
    firmware.made.hart["mark"][0] = signed(given[0])
    firmware.made.hart["stop"][0] = c.MARKED
    return DONE


def old_timer(firmware: Firmware, first: int) -> int:
    """Set the timer."""
    return set_timer(firmware, [first])[0]


def old_put(firmware: Firmware, first: int) -> int:
    """Say a letter."""
    return write_byte(firmware, [first])[0]


def old_get(firmware: Firmware, first: int) -> int:
    """A letter that was typed; -1 for none."""
    letter = firmware.typed()
    return -1 if letter is None else letter


def old_shut_down(firmware: Firmware, first: int) -> int:
    """Power off."""
    return firmware.stop(c.POWER_OFF)[0]


BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN = 0x10, 0x54494D45, 0x735049, 0x52464E43, 0x48534D, 0x53525354, 0x4442434E
SIMVIRT: Final = 0x09000000  # the range of vendors: of the one whose number is zero
LEGACY: Final[dict[int, tuple[str, Callable[[Firmware, int], int]]]] = {
    0: ("legacy: set timer", old_timer),
    1: ("legacy: put a letter", old_put),
    2: ("legacy: get a letter", old_get),
    8: ("legacy: shut down", old_shut_down),
}
CALLS: Final[dict[tuple[int, int], tuple[str, Callable[[Firmware, list[int]], Result]]]] = {
    (BASE, 0): ("base: version", about(0)),
    (BASE, 1): ("base: implementation", about(1)),
    (BASE, 2): ("base: version of the implementation", about(2)),
    (BASE, 3): ("base: probe an extension", probe),
    (BASE, 4): ("base: vendor", about_machine),
    (BASE, 5): ("base: architecture", about_machine),
    (BASE, 6): ("base: machine", about_machine),
    (TIME, 0): ("time: set timer", set_timer),
    (IPI, 0): ("ipi: send", send_ipi),
    (RFENCE, 0): ("rfence: fence.i", fence_code),
    (RFENCE, 1): ("rfence: sfence.vma", fence),
    (RFENCE, 2): ("rfence: sfence.vma of an address space", fence),
    (RFENCE, 3): ("rfence: hfence.gvma of a guest", fence),
    (RFENCE, 4): ("rfence: hfence.gvma", fence),
    (RFENCE, 5): ("rfence: hfence.vvma of an address space", fence),
    (RFENCE, 6): ("rfence: hfence.vvma", fence),
    (HSM, 0): ("hsm: start", start_hart),
    (HSM, 1): ("hsm: stop", stop_hart),
    (HSM, 2): ("hsm: status", hart_status),
    (HSM, 3): ("hsm: suspend", suspend_hart),
    (SRST, 0): ("srst: reset", reset),
    (DBCN, 0): ("dbcn: write", write_console),
    (DBCN, 1): ("dbcn: read", read_console),
    (DBCN, 2): ("dbcn: write a byte", write_byte),
    (SIMVIRT, 0): ("simvirt: mark a phase", mark),
}
"""What serves a call, by extension and function."""

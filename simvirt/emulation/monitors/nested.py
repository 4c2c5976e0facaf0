"""Two stages of page tables (the hypervisor extension): the guest's supervisor runs in VS mode on its own tables.

*Model.* Supervisor and user mode of the guest are VS and VU mode; what the guest's machine mode delegates goes straight to its
supervisor. The tables of the second stage are the monitor's, filled when a page is touched for the first time. An access to a
device is a guest-page fault, carried out by what `htinst` says of the instruction; a device that is passed through is mapped
instead. Interrupts of the supervisor are injected through `hvip`; one of a device that is passed through while the controller is
not leaves for the monitor, which injects it. Firmware in the guest's machine mode runs deprivileged in VU mode: its privileged
instructions leave for the monitor, which carries them out.
*Ignores.* A guest that is a hypervisor itself is interpreted while its own guest runs.
*Source.* The RISC-V Instruction Set Manual, volume II: Privileged Architecture, chapter on the hypervisor extension; Bhargava et al.,
Accelerating Two-Dimensional Page Walks for Virtualized Systems, ASPLOS 2008; Gordon et al., ELI, ASPLOS 2012 (devices passed through).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

from simvirt import machine
from simvirt.emulation.making import Filled, Happening, Size, as_column
from simvirt.emulation.monitors.options import Options
from simvirt.emulation.monitors.stage import Stage, pages_for
from simvirt.emulation.monitors.virtual import OPERATIONS, Virtualized, cells
from simvirt.emulation.registers import S_INTERRUPTS, SSTATUS_BITS, VS_EXCEPTIONS
from simvirt.machine import constants as c
from simvirt.machine.devices import bus
from simvirt.machine.log import ENTERED, TRAPPED, WALKED

TO_GUEST: Final = 0x100  # from the number of a supervisor's register to that of its guest
OWN: Final = (c.STVEC, 0x140, c.SEPC, c.SCAUSE, c.STVAL, c.SATP)
FAULTS: Final = (c.FETCH_GUEST_PAGE, c.LOAD_GUEST_PAGE, c.STORE_GUEST_PAGE)
COPIED: Final = (c.SCOUNTEREN, c.MCYCLE, c.MINSTRET, c.MCOUNTINHIBIT)
FENCES: Final = frozenset(OPERATIONS[name] for name in ("sfence.vma", "hfence.vvma", "hfence.gvma"))
VIRTUAL_TRAPS: Final = (
    (c.MSTATUS, c.STATUS_TVM, c.HSTATUS_VTVM),
    (c.MSTATUS, c.STATUS_TSR, c.HSTATUS_VTSR),
    (c.HSTATUS, c.HSTATUS_SPV, c.HSTATUS_VTSR),
)
"""What makes an instruction of the guest's supervisor leave: a register of the guest, its bit, and the bit of `hstatus` for it."""
DEVICES: Final = {"uart": (bus.UART_AT, bus.UART_SIZE), "plic": (bus.PLIC_AT, bus.PLIC_SIZE)}
"""Devices that can be passed through: where they lie, and their sizes."""


class Nested(Virtualized):
    """The virtual machine of a guest with two stages of page tables."""

    def __init__(self, size: Size, options: Options) -> None:
        super().__init__(size, options, pages_for(size.memory), dataclasses.replace(size, sets=1, ways=1))
        self.stage = Stage(self.real, size.memory, options.pages)
        self.passed = [DEVICES[name] for name in options.passed]
        self.real.plic["passed"][0] = int("plic" in options.passed)
        self.injected = S_INTERRUPTS & ~(c.SEIP if "plic" in options.passed else 0)
        self.inside = False
        self.own["injects"][0] = 1
        self.modes, self.traps = cells(self.real.counts["instructions"]), cells(self.real.counts["traps"])
        self.unfound = as_column(Filled(c.FAST * (c.CONTEXTS // 2), c.UNFOUND))
        self.real_csr[c.MCOUNTEREN] = 0xFFFFFFFF

    def turn(self) -> None:
        """Run the guest up to its next exit, or to when it is time to look around."""
        own = self.own
        above = own["mode"][0] == c.MACHINE
        if own["virtual"][0] or (above and own["context"][0] != c.BARE):
            self.note_single("carried out in its place", self.single())
            return
        own["injects"][0] = 1
        if own["limit"][0] <= own["count"][0]:
            return
        if above:
            self.bring_back()
            self.put_machine()
        elif not self.inside:
            self.put_supervisor()
        stop = self.run_inside(above)
        if stop == c.EXIT:
            self.leave(self.real_csr[c.MCAUSE], self.real_csr[c.MTVAL])

    def put_machine(self) -> None:
        """Let the real hart run the guest's machine mode without privileges and without a table: everything privileged leaves."""
        csr = self.real_csr
        csr[c.MEDELEG] = csr[c.HEDELEG] = csr[c.HIDELEG] = csr[c.MIE] = 0
        csr[c.VSATP] = csr[c.HCOUNTEREN] = 0
        self.forget_found()

    def put_supervisor(self) -> None:
        """Let the real hart hold what the guest's supervisor sees."""
        own, csr = self.csr, self.real_csr
        for number in OWN:
            csr[number + TO_GUEST] = own[number]
        for number in COPIED:
            csr[number] = own[number]
        csr[c.VSSTATUS] = csr[c.VSSTATUS] & ~SSTATUS_BITS | own[c.MSTATUS] & SSTATUS_BITS
        csr[c.MEDELEG] = csr[c.HEDELEG] = own[c.MEDELEG] & VS_EXCEPTIONS
        csr[c.HIDELEG], csr[c.HCOUNTEREN] = c.GUEST_BITS, own[c.MCOUNTEREN]
        csr[c.MIE] = (own[c.MIE] & S_INTERRUPTS & own[c.MIDELEG]) << 1
        csr[c.MIP] = (own[c.MIP] & c.SSIP) << 1
        csr[c.HSTATUS] = c.HSTATUS_VTW
        for number, bit, trapped in VIRTUAL_TRAPS:
            csr[c.HSTATUS] |= trapped if own[number] & bit else 0
        self.forget_found()
        self.inside = True

    def forget_found(self) -> None:
        """Pages of the guest are looked up anew."""
        for column in ("reads", "writes", "fetches"):
            self.real.fast[column][c.GUEST_CONTEXTS :] = self.unfound

    def run_inside(self, above: bool) -> int:
        """Let the real hart run the guest, with the interrupts that are pending for it; why it came back."""
        own, modes = self.own, self.modes
        if own["since"][0] != own["count"][0]:
            self.settle()
        if not above:
            self.inject()
        before = modes[c.GUEST]
        stop = self.run_real(c.USER if above else own["mode"][0], 1)
        if above:
            modes[c.GUEST] = before
        else:
            own["mode"][0] = self.real_csr[c.MSTATUS] >> c.MPP_BIT & 3 if stop == c.EXIT else self.below["mode"][0]
            own["since"][0] = own["count"][0]
        return stop

    def inject(self) -> None:
        """Raise what is pending for the supervisor; the lines of devices that are passed through leave while they are not yet."""
        csr = self.real_csr
        pending = machine.offered(self.machine)
        lines = (pending & self.injected & ~c.SSIP) << 1
        csr[c.MIP] = csr[c.MIP] & (c.SSIP << 1) | lines
        if self.passed:
            waited = (c.MEIP | c.SEIP) & ~pending
            csr[c.MIE] = csr[c.MIE] & ~(c.MEIP | c.SEIP) | waited

    def leave(self, cause: int, value: int) -> None:
        """Handle an exit."""
        self.traps[self.where() * 2 * c.CAUSES + (cause if cause >= 0 else (cause & 63) + c.CAUSES)] -= 1
        if cause in FAULTS:
            self.fault(cause, (self.real_csr[c.MTVAL2] << 2) + (value & 3))
        elif cause < 0:
            self.note(cause, "of a device that is passed through")
        else:
            self.note_single(cause, self.single())

    def where(self) -> int:
        """Mode of the real hart that an exit has come from."""
        return c.GUEST + int(self.real_csr[c.MSTATUS] >> c.MPP_BIT & 3)

    def fault(self, cause: int, a: int) -> None:
        """A page that is touched for the first time, an access to a device, or one to nothing."""
        if 0 <= a - self.size.base < self.size.memory:
            self.stage.map(a)
            self.note(cause, "first touch")
        elif any(first <= a < first + extent for first, extent in self.passed):
            self.stage.map(a)
            self.note(cause, "first touch of a device")
        elif machine.reach(self.machine, self.real_csr[c.MTINST], a):
            self.note(cause, "device access")
        else:
            self.single()
            self.note(cause, "access to nothing")

    def single(self) -> int:
        """Carry out one instruction on the virtual hart; fences of it are fences of the real one."""
        self.bring_back()
        op: int = super().single()
        self.own["injects"][0] = 1 - self.own["virtual"][0]
        if op in FENCES:
            machine.forget(self.real.machine, 0, -1)
        return op

    def bring_back(self) -> None:
        """Take over what the guest's supervisor has done to its registers."""
        if not self.inside:
            return
        self.inside = False
        own, csr = self.csr, self.real_csr
        for number in OWN:
            own[number] = csr[number + TO_GUEST]
        own[c.SCOUNTEREN] = csr[c.SCOUNTEREN]
        own[c.MSTATUS] = own[c.MSTATUS] & ~SSTATUS_BITS | csr[c.VSSTATUS] & SSTATUS_BITS
        enabled = S_INTERRUPTS & own[c.MIDELEG]
        own[c.MIE] = own[c.MIE] & ~enabled | csr[c.MIE] >> 1 & enabled
        own[c.MIP] = own[c.MIP] & ~c.SSIP | csr[c.MIP] >> 1 & c.SSIP
        machine.forget(self.machine, 0, -1)
        machine.reset(self.machine)

    def seen_of_real(self, rows: Sequence[Happening], exited: bool) -> Sequence[Happening]:
        """Modes and traps of the guest on the real hart are its own, but for the trap by which it has exited."""
        above = self.own["mode"][0] == c.MACHINE
        ends = len(rows) - 2 if exited else len(rows)
        return [as_own(row) for k, row in enumerate(rows) if row[0] == WALKED or (k < ends and not above)]

    def fence(self) -> None:
        """Forget all translations, of the guest on the real hart too."""
        super().fence()
        self.real.fence()

    def counted(self) -> dict[str, Any]:
        """Counts of the guest, whose modes and traps on the real hart are its own."""
        found = super().counted()
        instructions, traps = [int(n) for n in found["instructions"]], [int(n) for n in found["traps"]]
        for mode in (c.USER, c.SUPERVISOR):
            instructions[mode] += int(self.real.counts["instructions"][c.GUEST + mode])
            for place in range((c.GUEST + mode) * 2 * c.CAUSES, (c.GUEST + mode + 1) * 2 * c.CAUSES):
                if count := int(self.real.counts["traps"][place]):
                    traps[own_trap(place)] += count
        return found | {"instructions": instructions, "traps": traps}


def own_trap(place: int) -> int:
    """The place of a guest's trap among those of a machine: its interrupts have numbers of their own."""
    mode, cause = divmod(place, 2 * c.CAUSES)
    return (mode - c.GUEST) * 2 * c.CAUSES + cause - (cause >= c.CAUSES)


def as_own(row: Happening) -> Happening:
    """What has happened in a guest's mode, as the guest sees it."""
    kind, what, *rest = row
    return (kind, what - c.GUEST if kind == ENTERED else own_trap(what) if kind == TRAPPED else what, *rest)  # type: ignore[return-value]

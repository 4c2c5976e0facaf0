"""Trap and emulate: all modes of the guest run in user mode of the real hart, over shadow page tables.

*Model.* Each privileged instruction, access to a device and fault of the guest leaves for the monitor, which carries the instruction
out on the state of the virtual hart, or fills the shadow table and lets the guest try again. While data and instructions are
translated differently (MPRV) the monitor carries out all instructions itself.
*Ignores.* Write-protected tables: the shadow is a virtual TLB.
*Source.* Popek and Goldberg, Formal Requirements for Virtualizable Third Generation Architectures, CACM 17(7), 1974; Adams and
Agesen, A Comparison of Software and Hardware Techniques for x86 Virtualization, ASPLOS 2006 (shadow page tables, hidden faults).
"""

from __future__ import annotations

import dataclasses
from typing import Final

from simvirt.emulation.making import PAGE, Made, Size
from simvirt.emulation.monitors.shadow import POOL, Shadow
from simvirt.emulation.monitors.virtual import Virtual
from simvirt.machine import constants as c
from simvirt.machine.loop import attend, begin
from simvirt.machine.stages import allowed
from simvirt.machine.tlb import find_entry
from simvirt.machine.traps import settle
from simvirt.machine.walk import translate

ACCESS: Final = {c.FETCH_PAGE: c.EXECUTES, c.LOAD_PAGE: c.READ, c.STORE_PAGE: c.WRITE}
ALL: Final = c.PTE_R | c.PTE_W | c.PTE_X
STUB: Final = 64  # bytes into the monitor's page, behind those for accesses to devices
WFI: Final = (0x10500073).to_bytes(4, "little")


class Trap(Virtual):
    """The virtual machine of a guest whose kernel has no privileges."""

    def __init__(self, size: Size) -> None:
        self.real = Made(dataclasses.replace(size, memory=size.memory + POOL * PAGE))
        super().__init__(size, self.real.memory["ram"])
        for name in ("pages", "cache"):  # a store that the monitor carries out drops the real hart's blocks of the page
            self.tables[name] = self.real.tables[name]
            self.machine.bind(name, self.tables[name], None)
        self.shadow = Shadow(self.real, size.memory)
        stub = size.memory + STUB
        self.ram[stub : stub + len(WFI)] = WFI
        self.real.registers["csr"][c.MTVEC] = stub + size.base

    def fence(self) -> None:
        """Forget all translations, shadows too."""
        super().fence()
        self.shadow.empty()

    def advance(self, end: int) -> int:
        """Run up to a count of the guest's instructions and traps, or until there is something to do."""
        m = self.machine
        begin(m, end)
        while m.hart.stop[0] == c.RUNNING:
            attend(m)
            if m.hart.stop[0] == c.RUNNING:
                self.turn()
        settle(m)
        return int(m.hart.stop[0])

    def turn(self) -> None:
        """Run the guest up to its next exit, or to when it is time to look around."""
        hart = self.machine.hart
        if hart.fetching[0] != min(hart.context[0], c.OF_SUPERVISOR):
            self.exits["translated differently: " + self.single()] += 1
            return
        if hart.limit[0] <= hart.count[0]:
            return
        self.shadow.enter(hart.context[0])
        if self.enter_guest(hart.limit[0] - hart.count[0]):
            self.leave(int(self.real.registers["csr"][c.MCAUSE]), int(self.real.registers["csr"][c.MTVAL]))

    def enter_guest(self, most: int) -> bool:
        """Let the real hart run some instructions of the guest in user mode; whether it has trapped."""
        real, own, hart = self.real, self.machine.hart, self.real.hart
        real.registers["x"][:] = self.registers["x"]
        hart["pc"][0], hart["mode"][0], hart["waiting"][0] = own.pc[0], c.USER, 0
        real.reset()
        before = int(hart["count"][0])
        trapped = real.advance(before + int(hart["taken"][0]) + most) == c.IDLE
        self.registers["x"][:] = [int(value) for value in real.registers["x"]]
        own.pc[0] = int(real.registers["csr"][c.MEPC] if trapped else hart["pc"][0])
        own.count[0] += int(hart["count"][0]) - before - trapped
        return trapped

    def leave(self, cause: int, value: int) -> None:
        """Handle an exit: a hidden fault, or an instruction to carry out."""
        if cause in ACCESS and self.fill(value, ACCESS[cause]):
            self.note_exit(cause, "hidden fault")
            return
        m = self.machine
        before = m.registers.csr[c.SATP], m.counts.fences[0], m.registers.csr[c.MSTATUS] & c.STATUS_MXR
        taken, touched = m.hart.taken[0], sum(m.counts.accesses)
        name = self.single()
        if cause in ACCESS:
            name = "device access" if sum(m.counts.accesses) > touched else "true fault" if m.hart.taken[0] > taken else name
        self.note_exit(cause, name)
        if before != (m.registers.csr[c.SATP], m.counts.fences[0], m.registers.csr[c.MSTATUS] & c.STATUS_MXR):
            self.shadow.empty()

    def fill(self, a: int, access: int) -> bool:
        """Map the page of an access that the guest's own tables allow; false where the fault is the guest's, or a device is there."""
        m = self.machine
        context = m.hart.fetching[0] if access == c.EXECUTES else m.hart.context[0]
        at = a if context == c.BARE else translate(m, a, access, context)
        if not 0 <= at - self.size.base < self.size.memory or not -(1 << 38) <= a < 1 << 38:
            return False
        self.shadow.fill(m.hart.context[0], a, at, ALL if context == c.BARE else self.rights(a, access))
        return True

    def rights(self, a: int, access: int) -> int:
        """What the guest's tables allow; a page that it has not written to is write-protected, so that the first store marks it."""
        m = self.machine
        leaf = m.tlb.leaf[find_entry(m, int(access == c.EXECUTES), a, m.registers.csr[c.SATP] >> 44 & 0xFFFF)]
        found = c.PTE_R if allowed(m, leaf, c.READ, m.hart.context[0]) else 0
        if leaf & c.PTE_D and allowed(m, leaf, c.WRITE, m.hart.context[0]):
            found |= c.PTE_R | c.PTE_W
        return found | (c.PTE_X if allowed(m, leaf, c.EXECUTES, m.hart.fetching[0]) else 0)

"""Trap and emulate: all modes of the guest run in user mode of the real hart, over shadow page tables.

*Model.* Each privileged instruction, access to a device and fault of the guest leaves for the monitor, which carries the instruction
out on the state of the virtual hart, or fills the shadow table and lets the guest try again. While data and instructions are
translated differently (MPRV) the monitor carries out all instructions itself. A fence of one page takes that page out of the shadows,
one of an address space its shadows, any other all.
*Ignores.* Write-protected tables: the shadow is a virtual TLB.
*Source.* Popek and Goldberg, Formal Requirements for Virtualizable Third Generation Architectures, CACM 17(7), 1974; Adams and
Agesen, A Comparison of Software and Hardware Techniques for x86 Virtualization, ASPLOS 2006 (shadow page tables, hidden faults).
"""

from __future__ import annotations

from typing import Final

from simvirt import machine
from simvirt.emulation.making import Size
from simvirt.emulation.monitors.options import Options
from simvirt.emulation.monitors.shadow import POOL, Key, Shadow
from simvirt.emulation.monitors.virtual import OPERATIONS, Virtualized
from simvirt.machine import constants as c
from simvirt.machine.fetching import ACROSS

ACCESS: Final = {c.FETCH_PAGE: c.EXECUTES, c.LOAD_PAGE: c.READ, c.STORE_PAGE: c.WRITE}
FENCE: Final = OPERATIONS["sfence.vma"]
FENCES: Final = frozenset((OPERATIONS["hfence.vvma"], OPERATIONS["hfence.gvma"]))
REACH: Final = 1 << 38  # virtual addresses of a table of three levels


class Trap(Virtualized):
    """The virtual machine of a guest whose kernel has no privileges."""

    def __init__(self, size: Size, options: Options) -> None:
        super().__init__(size, options, POOL)
        self.shadow = Shadow(self.real, size.memory)

    def fence(self) -> None:
        """Forget all translations, shadows too."""
        super().fence()
        self.shadow.empty()

    def turn(self) -> None:
        """Run the guest up to its next exit, or to when it is time to look around."""
        own = self.own
        context = own["context"][0]
        if own["fetching"][0] != (context - c.FAST if context & c.GUEST_CONTEXTS - 1 == c.OF_SUPERVISOR_SUM else context):
            self.note_single("translated differently", self.single())
            return
        if own["limit"][0] <= own["count"][0]:
            return
        self.shadow.enter(self.key(context))
        stop = self.run_real(c.USER, 0)
        if stop == c.EXIT:
            self.leave(self.real_csr[c.MCAUSE], self.real_csr[c.MTVAL])
        elif stop == c.CALL_OUT:
            self.emulate("call-out")

    def key(self, context: int) -> Key:
        """What a context of the guest translates by."""
        if context >= c.GUEST_CONTEXTS:
            return context, self.csr[c.VSATP], self.csr[c.HGATP]
        return context, self.csr[c.SATP] if context != c.BARE else 0

    def leave(self, cause: int, value: int) -> None:
        """Handle an exit: a hidden fault, or an instruction to carry out."""
        if cause not in ACCESS:
            self.emulate(cause)
        elif self.fill(value, ACCESS[cause]):
            self.note(cause, "hidden fault")
        else:
            taken = self.own["taken"][0]
            self.single()
            self.note(cause, "true fault" if self.own["taken"][0] > taken else "device access")

    def emulate(self, cause: int | str) -> None:
        """Carry out an instruction; shadows follow from what it did."""
        status = self.csr[c.MSTATUS] & c.STATUS_MXR
        of_kernel = cause == c.ECALL and self.own["mode"][0] != c.USER
        op = self.single()
        if of_kernel:
            self.note(cause, "call of the kernel")
        else:
            self.note_single(cause, op)
        if op == FENCE:
            self.fenced()
        elif op in FENCES or self.csr[c.MSTATUS] & c.STATUS_MXR != status:
            self.shadow.empty()

    def fenced(self) -> None:
        """Forget what the guest's fence names; a fence that is refused names nothing that harms."""
        rs1, rs2 = int(self.code["rs1"][ACROSS]), int(self.code["rs2"][ACROSS])
        if rs1:
            self.shadow.forget_page(int(self.registers["x"][rs1]))
        elif rs2:
            self.shadow.forget_space(int(self.registers["x"][rs2]) & 0xFFFF)
        else:
            self.shadow.empty()

    def fill(self, a: int, access: int) -> bool:
        """Map the page of an access that the guest's own tables allow; false where the fault is the guest's, or a device is there."""
        at = machine.place_of(self.machine, a, access)
        if not 0 <= at - self.size.base < self.size.memory or not -REACH <= a < REACH:
            return False
        self.shadow.fill(self.key(self.own["context"][0]), a, at, machine.rights(self.machine, a, access))
        return True

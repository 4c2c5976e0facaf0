"""Binary translation: system instructions in the decoded blocks of the guest's kernel are replaced by calls of the monitor.

*Model.* Blocks of the guest that are decoded while its kernel runs have a call-out in the place of each system instruction, which goes
on in the monitor without a trap. What the program of a guest executes is left as it is, so its system calls trap, as accesses to
devices and hidden faults do.
*Ignores.* Call-outs that are short enough to stand in the block itself; blocks that are translated anew because an instruction of
theirs often faults; translated code lies at the guest's addresses, and jumps cost nothing.
*Source.* Adams and Agesen, A Comparison of Software and Hardware Techniques for x86 Virtualization, ASPLOS 2006; Bugnion et al.,
Bringing Virtualization to the x86 Architecture with the Original VMware Workstation, ACM TOCS 30(4), 2012.
"""

from simvirt.emulation.monitors.trap import Trap
from simvirt.machine import constants as c


class Translation(Trap):
    """The virtual machine of a guest whose kernel is translated."""

    def run_real(self, mode: int, virtual: int) -> int:
        """Translate what is decoded while the guest's kernel runs."""
        self.below["translates"][0] = self.own["mode"][0] != c.USER
        return super().run_real(mode, virtual)

"""The finisher: a guest writes here to power off, to reset, or to say that it has failed; and, 256 bytes on, that a phase begins.

*Source.* QEMU's `sifive_test`, which takes no notice of what is written behind its first word.
"""

from simvirt.machine.constants import FAILED, MARKED, POWER_OFF, RESET
from simvirt.machine.tables import Machine

PASS_WORD = 0x5555
RESET_WORD = 0x7777
FAIL_WORD = 0x3333
MARKER = 0x100


def write_finisher(m: Machine, at: int, value: int) -> None:
    """Stop as the guest says; of a failure the upper half is the code."""
    if at == MARKER:
        m.hart.mark[0], m.hart.stop[0], m.hart.limit[0] = value, MARKED, 0
    what: int = value & 0xFFFF
    if at != 0 or (what != PASS_WORD and what != RESET_WORD and what != FAIL_WORD):
        return
    m.hart.stop[0] = POWER_OFF if what == PASS_WORD else RESET if what == RESET_WORD else FAILED
    m.hart.code[0] = (value >> 16) & 0xFFFF
    m.hart.limit[0] = 0

"""The finisher: a guest writes here to power off, to reset, or to say that it has failed."""

from simvirt.machine.constants import FAILED, POWER_OFF, RESET
from simvirt.machine.tables import Machine

PASS_WORD = 0x5555
RESET_WORD = 0x7777
FAIL_WORD = 0x3333


def write_finisher(m: Machine, at: int, value: int) -> None:
    """Stop as the guest says; of a failure the upper half is the code."""
    what: int = value & 0xFFFF
    if at != 0 or (what != PASS_WORD and what != RESET_WORD and what != FAIL_WORD):
        return
    m.hart.stop[0] = POWER_OFF if what == PASS_WORD else RESET if what == RESET_WORD else FAILED
    m.hart.code[0] = (value >> 16) & 0xFFFF
    m.hart.limit[0] = 0

"""Registers of control: which there are, where their bits lie, and which of them a guest may set.

*Source.* The RISC-V Instruction Set Manual, volume II: Privileged Architecture, chapter 2 (list) and the chapters of each mode.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from simvirt.machine import constants as c

ALL: Final = -1
STATUS_BITS: Final = (
    c.STATUS_SIE | c.STATUS_MIE | c.STATUS_SPIE | c.STATUS_MPIE | c.STATUS_SPP | c.STATUS_MPP | c.STATUS_MPRV | c.STATUS_SUM | c.STATUS_MXR
    | c.STATUS_TVM | c.STATUS_TW | c.STATUS_TSR | c.STATUS_MPV | c.STATUS_GVA
)
SSTATUS_BITS: Final = c.STATUS_SIE | c.STATUS_SPIE | c.STATUS_SPP | c.STATUS_SUM | c.STATUS_MXR
UXL: Final = 2 << 32
SXL: Final = 2 << 34
S_INTERRUPTS: Final = c.SSIP | c.STIP | c.SEIP
M_INTERRUPTS: Final = c.MSIP | c.MTIP | c.MEIP
H_INTERRUPTS: Final = c.GUEST_BITS | 0x1000
VS_EXCEPTIONS: Final = 0xB1FF
H_STATUS_BITS: Final = (
    c.HSTATUS_GVA | c.HSTATUS_SPV | c.HSTATUS_SPVP | c.HSTATUS_HU | c.HSTATUS_VTVM | c.HSTATUS_VTW | c.HSTATUS_VTSR
)
S_EXCEPTIONS: Final = 0xF0B7FE  # all but the call from machine mode, what is reserved and what cannot happen
ISA: Final = 2 << 62 | sum(1 << ord(letter) - ord("A") for letter in "ACHIMSU")
COUNTERS: Final = 29  # mhpmcounter3 and so on, which stay 0
PMP_ENTRIES: Final = 16


class Register(NamedTuple):
    """A register of control."""

    number: int
    name: str
    kind: int = c.ORDINARY
    home: int | None = None  # register that holds its bits, where it is another
    readable: int = ALL
    writable: int = ALL
    initial: int = 0


REGISTERS: Final = (
    Register(c.SSTATUS, "sstatus", c.STATUS, c.MSTATUS, SSTATUS_BITS | UXL, SSTATUS_BITS),
    Register(c.SIE, "sie", c.DELEGATED, c.MIE, S_INTERRUPTS, S_INTERRUPTS),
    Register(c.STVEC, "stvec", writable=~2),
    Register(c.SCOUNTEREN, "scounteren", writable=0xFFFFFFFF),
    Register(0x10A, "senvcfg", writable=0),
    Register(0x140, "sscratch"),
    Register(c.SEPC, "sepc", writable=~1),
    Register(c.SCAUSE, "scause"),
    Register(c.STVAL, "stval"),
    Register(0x144, "sip", c.PENDING, c.MIP, S_INTERRUPTS, c.SSIP),
    Register(c.SATP, "satp", c.TRANSLATION),
    Register(c.VSSTATUS, "vsstatus", c.STATUS, None, SSTATUS_BITS | UXL, SSTATUS_BITS, UXL),
    Register(c.VSIE, "vsie", c.GUEST_INTERRUPTS, c.MIE, writable=c.GUEST_BITS),
    Register(c.VSTVEC, "vstvec", writable=~2),
    Register(0x240, "vsscratch"),
    Register(c.VSEPC, "vsepc", writable=~1),
    Register(c.VSCAUSE, "vscause"),
    Register(c.VSTVAL, "vstval"),
    Register(c.VSIP, "vsip", c.GUEST_INTERRUPTS, c.MIP, writable=c.VSSIP),
    Register(c.VSATP, "vsatp", c.TRANSLATION),
    Register(c.HSTATUS, "hstatus", writable=H_STATUS_BITS, initial=UXL),
    Register(c.HEDELEG, "hedeleg", writable=VS_EXCEPTIONS),
    Register(c.HIDELEG, "hideleg", writable=c.GUEST_BITS),
    Register(c.HIE, "hie", home=c.MIE, readable=H_INTERRUPTS, writable=H_INTERRUPTS),
    Register(c.HTIMEDELTA, "htimedelta"),
    Register(c.HCOUNTEREN, "hcounteren", writable=0xFFFFFFFF),
    Register(0x607, "hgeie", writable=0),
    Register(0x60A, "henvcfg", writable=0),
    Register(c.HTVAL, "htval"),
    Register(c.HIP, "hip", c.PENDING, c.MIP, H_INTERRUPTS, c.VSSIP),
    Register(c.HVIP, "hvip", home=c.MIP, readable=c.GUEST_BITS, writable=c.GUEST_BITS),
    Register(c.HTINST, "htinst"),
    Register(c.HGATP, "hgatp", c.TRANSLATION, writable=~(0xC << 56 | 3)),
    Register(0xE12, "hgeip"),
    Register(c.MTINST, "mtinst"),
    Register(c.MTVAL2, "mtval2"),
    Register(c.MSTATUS, "mstatus", c.STATUS, writable=STATUS_BITS, initial=UXL | SXL),
    Register(0x301, "misa", writable=0, initial=ISA - (1 << 64)),
    Register(c.MEDELEG, "medeleg", writable=S_EXCEPTIONS),
    Register(c.MIDELEG, "mideleg", writable=S_INTERRUPTS, initial=H_INTERRUPTS),
    Register(c.MIE, "mie", writable=S_INTERRUPTS | M_INTERRUPTS | H_INTERRUPTS),
    Register(c.MTVEC, "mtvec", writable=~2),
    Register(c.MCOUNTEREN, "mcounteren", writable=0xFFFFFFFF),
    Register(0x30A, "menvcfg", writable=0),
    Register(c.MCOUNTINHIBIT, "mcountinhibit", writable=5),
    Register(0x340, "mscratch"),
    Register(c.MEPC, "mepc", writable=~1),
    Register(c.MCAUSE, "mcause"),
    Register(c.MTVAL, "mtval"),
    Register(c.MIP, "mip", c.PENDING, writable=S_INTERRUPTS | c.VSSIP),
    *(Register(c.PMP_CONFIGURATION + 2 * k, f"pmpcfg{2 * k}", c.PROTECTION) for k in range(PMP_ENTRIES // 8)),
    *(Register(c.PMP_ADDRESS + k, f"pmpaddr{k}", c.REGION, writable=(1 << 54) - 1) for k in range(PMP_ENTRIES)),
    *(Register(0x7A0 + k, name, writable=0) for k, name in enumerate(("tselect", "tdata1", "tdata2", "tdata3"))),
    Register(c.MCYCLE, "mcycle", c.COUNTER),
    Register(c.MINSTRET, "minstret", c.COUNTER),
    *(Register(0xB03 + k, f"mhpmcounter{3 + k}", writable=0) for k in range(COUNTERS)),
    *(Register(0x323 + k, f"mhpmevent{3 + k}", writable=0) for k in range(COUNTERS)),
    Register(0xC00, "cycle", c.COUNTER, c.MCYCLE),
    Register(c.TIME, "time", c.COUNTER),
    Register(0xC02, "instret", c.COUNTER, c.MINSTRET),
    Register(0xF11, "mvendorid"),
    Register(0xF12, "marchid"),
    Register(0xF13, "mimpid"),
    Register(0xF14, "mhartid"),
    Register(0xF15, "mconfigptr"),
)
NAMES: Final = {register.name: register.number for register in REGISTERS}
NUMBERS: Final = {register.number: register.name for register in REGISTERS}

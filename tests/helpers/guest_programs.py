"""Random programs of a host and its guests: modes, registers of control, two stages of page tables, whatever may trap.

A program is a loop in machine mode over records. Each says what registers of control, registers and entries of page tables hold, and where
a few random instructions lie that are entered by `mret` in any mode. What traps ends in a handler of a guest, of the host or of machine
mode, which reads all that a trap says; so what an implementation has in its registers is the trace of what it did.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

from simvirt.emulation.assembler import assemble

BASE, MEMORY = 0x80000000, 4 << 20
SNIPPETS, RECORDS, TABLES, DATA = BASE + 0x10000, BASE + 0x100000, BASE + 0x200000, BASE + 0x300000
LOW = 0x20000000  # where nothing lies, but what tables put there
MIDDLE = LOW >> 21 << 3  # place in a table of its entry
ALIAS = BASE - 0x40000000  # where users find the memory
SPACE = 128  # bytes of a snippet and what it may return to
SV39 = 8 << 60
CONTROLS = (
    "medeleg", "mideleg", "hedeleg", "hideleg", "mie", "mip", "hvip", "mcounteren", "hcounteren", "scounteren", "hstatus", "vsstatus", "satp",
    "vsatp", "hgatp", "vsepc", "vscause", "vstval", "sepc", "scause", "stval", "htval", "htinst", "sscratch", "vsscratch", "mtval2", "mtinst",
    "stvec", "vstvec",
)
SAID = (
    "mcause", "mepc", "mtval", "mtval2", "mtinst", "hstatus", "vsstatus", "scause", "sepc", "stval", "htval", "htinst", "vscause", "vsepc",
    "vstval", "hedeleg", "hideleg", "hvip", "hie", "hip", "mip", "mie", "sie", "sip", "vsie", "vsip", "satp", "vsatp", "hgatp", "hcounteren",
    "scounteren", "medeleg", "mideleg", "sscratch", "vsscratch", "vstvec",
)
LOADED = range(10, 28)  # registers that a record sets
ADDRESSES = range(18, 26)  # those of them that hold addresses
WITHIN = range(18, 24)  # and lie in one page with what is stored there: half a store is one implementation's choice
ALIGNED = 17  # an address for atomic operations
ENTRIES = 8  # of page tables that a record sets
RECORD = 8 * (2 + len(CONTROLS) + len(LOADED) + 2 * ENTRIES)
SOURCE = """
  j begin
.align 6
  csrr t3, scause
  csrr t3, sepc
  csrr t3, stval
  csrr t3, htval
  csrr t3, htinst
  csrr t3, hstatus
  csrr t3, sstatus
  csrr t3, vsstatus
  ecall
.align 6
  csrr t3, scause
  csrr t3, sepc
  csrr t3, stval
  csrr t3, sstatus
  ecall
begin:
{zeros}
  li s0, {records}
  li s1, {data}
  li t0, 0x2004000
  li t1, -1
  sd t1, 0(t0)
  li t0, 0x3FFFFFFFFFFFFF
  csrw pmpaddr0, t0
  li t0, 0x1F
  csrw pmpcfg0, t0
  li t0, {adue}
  csrw menvcfg, t0
  csrw henvcfg, t0
  la t0, trap
  csrw mtvec, t0
  j next
.align 2
trap:
  li t3, 0x20000
  csrrc t4, mstatus, t3
{said}
{entries}
  addi s0, s0, {record}
next:
  ld t0, 0(s0)
  beqz t0, end
  sc.d zero, zero, (s1)
{controls}
{written}
  sfence.vma
  hfence.vvma zero, zero
  hfence.gvma zero, zero
  ld t0, 0(s0)
  csrw mepc, t0
{registers}
  ld t0, 8(s0)
  csrw mstatus, t0
  mret
end:
  li t0, {to}
  li t1, 1
  sd t1, 0(t0)
done: j done
"""
TO, ANSWER = BASE + 0xF000, BASE + 0xF040  # words for the host
UNTOUCHED = BASE + 0xE000  # nothing of a guest, so that a store there ends a reservation and does no more
OF_HOST, OF_GUEST = BASE + 64, BASE + 128  # handlers of traps
ADUE = 1 << 61  # the hardware marks entries of page tables


def harness() -> str:
    """The loop and its handlers."""
    registers = 16 + 8 * len(CONTROLS)
    entries = registers + 8 * len(LOADED)
    pairs = [(entries + 16 * k, entries + 16 * k + 8) for k in range(ENTRIES)]
    return SOURCE.format(
        zeros="\n".join(f"  li x{k}, 0" for k in range(1, 32)), records=RECORDS, data=UNTOUCHED, adue=ADUE, record=RECORD, to=TO,
        said="\n".join(f"  csrr t5, {name}" for name in SAID),
        entries="\n".join(f"  ld t3, {at}(s0)\n  ld t3, 0(t3)" for at, _ in pairs),
        controls="\n".join(f"  ld t0, {16 + 8 * k}(s0)\n  csrw {name}, t0" for k, name in enumerate(CONTROLS)),
        written="\n".join(f"  ld t0, {at}(s0)\n  ld t1, {value}(s0)\n  sd t1, 0(t0)" for at, value in pairs),
        registers="\n".join(f"  ld x{k}, {registers + 8 * n}(s0)" for n, k in enumerate(LOADED)),
    )


# Tables: two roots of the host, two of a guest, two of the second stage; the entries that are drawn lie at `SLOTS`.
HOST, GUEST, STAGE = TABLES, TABLES + 0x4000, TABLES + 0x10000
ROOTS = {"satp": (HOST, HOST + 0x1000), "vsatp": (GUEST, GUEST + 0x3000), "hgatp": (STAGE, STAGE + 0x8000)}
LEAVES = 12  # pages of 4 KiB behind the first address
FULL, FULL_USER = 0xCF, 0xDF


def pointer(to: int) -> int:
    """An entry that names the next table."""
    return to >> 12 << 10 | 1


def leaf(to: int, bits: int) -> int:
    """An entry for a page."""
    return to >> 12 << 10 | bits


def fixed_tables() -> dict[int, int]:
    """Entries that no record changes: all roots map the memory as it is, and for users at ALIAS."""
    found = {}
    for root in ROOTS["satp"] + ROOTS["vsatp"]:
        found |= {root + 16: leaf(BASE, FULL), root + 8: leaf(BASE, FULL_USER)}
    found |= {STAGE + 16: leaf(BASE, FULL_USER), STAGE + 8: leaf(BASE, FULL_USER), STAGE + 0x8008: leaf(BASE, FULL_USER)}
    for root in ROOTS["satp"]:
        found |= {root: pointer(HOST + 0x2000), HOST + 0x2000 + MIDDLE: pointer(HOST + 0x3000)}
    found |= {GUEST: pointer(GUEST + 0x1000), GUEST + 0x1000 + MIDDLE: pointer(GUEST + 0x2000), GUEST + 0x3000: pointer(LOW + 0x5000)}
    for root in ROOTS["hgatp"]:
        found |= {root: pointer(STAGE + 0x4000), STAGE + 0x4000 + MIDDLE: pointer(STAGE + 0x5000)}
    found[STAGE + 0x8010] = pointer(STAGE + 0xC000)
    found |= {STAGE + 0xC000 + 8 * k: leaf(BASE + (k << 21), FULL_USER) for k in range(2)}
    found[STAGE + 0xC008] = pointer(STAGE + 0xD000)
    return found | {STAGE + 0xD000 + 8 * k: leaf(TABLES + 4096 * k, FULL_USER) for k in range(512)}


SLOTS = (
    *(HOST + 0x3000 + 8 * k for k in range(LEAVES)), HOST + 0x2008 + MIDDLE, HOST + 24, *(GUEST + 0x2000 + 8 * k for k in range(LEAVES)),
    GUEST + 0x1008 + MIDDLE, GUEST + 0x1000 + MIDDLE, GUEST + 24, *(STAGE + 0x5000 + 8 * k for k in range(LEAVES)), STAGE + 0x4008 + MIDDLE, STAGE + 24,
    *(STAGE + 0xD000 + 8 * k for k in range(4, 8)), GUEST + 0x2000 + 8 * 20, STAGE + 0x2000,
)
"""Places of entries that are drawn."""


POINTERS = {GUEST + 0x1000 + MIDDLE: (TABLES + 0x6000, LOW + 0x6000), STAGE + 24: (STAGE + 0x4000, 0x40000000)}
CSRS = (
    "sstatus", "sie", "stvec", "scounteren", "sscratch", "sepc", "scause", "stval", "sip", "satp", "hstatus", "hedeleg", "hideleg", "hie",
    "htimedelta", "hcounteren", "hgeie", "htval", "hip", "hvip", "htinst", "hgatp", "hgeip", "vsstatus", "vsie", "vstvec", "vsscratch",
    "vsepc", "vscause", "vstval", "vsip", "vsatp", "cycle", "instret", "time", "mstatus", "mie", "mip", "mideleg", "mtval2", "mtinst", "mepc",
)
OF_SUPERVISOR = CSRS.index("hstatus")  # those before may be a guest's
UNREAD = {"cycle", "instret", "time"}  # may be read, but not what is in them
KEPT = {"stvec", "vstvec", "medeleg"}  # are not written to: traps must find their handlers
TRANSLATIONS = ("satp", "vsatp", "hgatp")
OTHERS = (0x5C0, 0x123, 0x7C0, 0x6FF, 0x247, 0xE13, 0xC40, 0x10B)
LOADS = ("lb", "lbu", "lh", "lhu", "lw", "lwu", "ld")
STORES = ("sb", "sh", "sw", "sd")
ATOMIC = ("amoadd.w", "amoswap.d", "amomax.d", "amoand.w", "lr.w", "lr.d", "sc.w", "sc.d")
INTO_GUEST = ("hlv.b", "hlv.bu", "hlv.h", "hlv.hu", "hlvx.hu", "hlv.w", "hlv.wu", "hlvx.wu", "hlv.d", "hsv.b", "hsv.h", "hsv.w", "hsv.d")
FENCES = ("sfence.vma", "hfence.vvma", "hfence.gvma")
MODES = ((3, 0), (1, 0), (0, 0), (1, 1), (0, 1))
WEIGHTS = (1, 4, 2, 5, 4)
STATUS = 0x2 | 0x8 | 0x20 | 0x80 | 0x100 | 0x40000 | 0x80000 | 0x100000 | 0x200000 | 0x400000
OF_UNITS = 0x7E00  # fields of units that the machine does not have

OF_EXTENSIONS = 0xF << 16  # causes that the machine does not have


@dataclass
class Program:
    """A random program: `count` records, and what lies in memory."""

    seed: int
    count: int
    memory: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.memory[BASE] = assemble(harness(), "harness", BASE).pieces[0][1]
        self.memory |= {at: struct.pack("<Q", value) for at, value in fixed_tables().items()}
        self.memory[DATA] = b"".join(struct.pack("<Q", self.value()) for _ in range(8 * 512))
        modes = [self.draw.choices(MODES, WEIGHTS)[0] for _ in range(self.count)]
        lines = "\n".join(self.snippet(*mode) for mode in modes for _ in range(2))
        self.memory[SNIPPETS] = self.ordered(assemble(lines, "snippets", SNIPPETS).pieces[0][1])
        self.memory[RECORDS] = b"".join(self.record(k, *mode) for k, mode in enumerate(modes)) + bytes(RECORD)

    def ordered(self, code: bytes) -> bytes:
        """Code whose atomic operations have bits of their order."""
        words = struct.unpack(f"<{len(code) // 4}I", code)
        return struct.pack(f"<{len(words)}I", *(one | self.draw.getrandbits(2) << 25 if one & 0x7F == 0x2F else one for one in words))

    def value(self) -> int:
        """A word, without bits of units that are not there."""
        draw = self.draw
        one = draw.choice((0, 1, (1 << 64) - 1, 1 << draw.randrange(64), draw.getrandbits(64), draw.getrandbits(64)))
        return one & ~OF_UNITS

    def address(self, across: bool) -> int:
        """Where something may lie, in one page or across two: in a page that is drawn, in memory as it is or for users, or nowhere."""
        draw = self.draw
        offset = draw.choice((0, 8, 16, 0xFF8, 0xFFC, 0xFFD, draw.randrange(4096)) if across else (0, 8, 0xFF8, draw.randrange(4088)))
        page = LOW + (draw.randrange(LEAVES + 1) << 12)
        where = draw.choices(
            (page, LOW + (3 << 20), 3 << 30 | DATA - BASE, DATA + 4096, ALIAS + DATA - BASE, 0x90000000, 1 << 38, 1 << 41, draw.getrandbits(64) & -4096),
            (10, 1, 1, 5, 5, 1, 0.5, 0.5, 0.5),
        )[0]
        return where + offset & (1 << 64) - 1

    def entry(self, at: int) -> tuple[int, int]:
        """An entry for a place: mostly of a page of data."""
        draw = self.draw
        if at in POINTERS and draw.random() < 0.7:
            return at, pointer(draw.choice(POINTERS[at]))
        bits = draw.choice((0xDF, 0xCF, 0x1F, 0x0F, 0x53, 0xD7, 0xD9, draw.getrandbits(8), draw.getrandbits(8)))
        bits |= (draw.random() < 0.05) << draw.randrange(8, 10) | (draw.random() < 0.02) << draw.randrange(54, 64)
        if at == STAGE + 0x5000 + 5 * 8 and draw.random() < 0.7:
            return at, leaf(GUEST + 0x1000, bits)
        if at == STAGE + 0x5000 + 6 * 8 and draw.random() < 0.7:
            return at, leaf(GUEST + 0x2000, bits)
        if at >> 12 == (STAGE + 0xD000) >> 12:
            return at, leaf(TABLES + ((at & 4095) >> 3 << 12), draw.choice((bits | 1, 0xDF, 0xD3)))
        low = LOW + (draw.randrange(LEAVES + 1) << 12)
        large = BASE if at & 4095 == 24 else TABLES if at in (HOST + 0x2008 + MIDDLE, GUEST + 0x1008 + MIDDLE, STAGE + 0x4008 + MIDDLE) else DATA
        to = draw.choice((DATA + (draw.randrange(8) << 12), large, large, low, low, 0x90000000))
        return at, leaf(to, bits)

    def registers(self) -> list[int]:
        """What registers hold: words, and addresses."""
        found = {k: self.address(k not in WITHIN) if k in (*ADDRESSES, ALIGNED) else self.value() for k in LOADED}
        found[ALIGNED] &= ~7
        return list(found.values())

    def record(self, k: int, mode: int, virtual: int) -> bytes:
        """What a case sets."""
        draw = self.draw
        controls = {name: self.value() for name in CONTROLS}
        controls |= {name: self.translation(name) for name in TRANSLATIONS}
        controls |= {"stvec": OF_HOST, "vstvec": OF_GUEST, "hstatus": self.value() & ~(3 << 32)}
        controls["medeleg"] &= ~(OF_EXTENSIONS | 1 << 9)
        controls["hedeleg"] &= ~OF_EXTENSIONS
        for name in ("mie", "mip", "hvip"):
            controls[name] = self.value() if draw.random() < 0.25 else 0
        controls |= {name: self.place(2 * k + 1, draw.random() < 0.5, True) for name in ("sepc", "vsepc")}
        status = draw.getrandbits(64) & STATUS | mode << 11 | virtual << 39 | (draw.random() < 0.2) << 17
        status &= ~(draw.choice((0, 0x700000)))
        entries = [self.entry(draw.choice(SLOTS)) for _ in range(ENTRIES)]
        translated = controls["vsatp" if virtual else "satp"] >> 60 == 8
        words = [self.place(2 * k, mode == 0, translated), status, *controls.values(), *self.registers(), *(word for pair in entries for word in pair)]
        return struct.pack(f"<{len(words)}Q", *words)

    def place(self, number: int, user: bool, translated: bool) -> int:
        """Where a snippet is, for a supervisor or for a user; rarely for the other."""
        found = SNIPPETS + SPACE // 2 * number
        return found - (BASE - ALIAS) if translated and user ^ (self.draw.random() < 0.03) else found

    def translation(self, name: str) -> int:
        """A table of pages, none, or a mode that there is not."""
        root = self.draw.randrange(2)
        number = (root + 2 * (name == "hgatp")) << 44
        kinds = (0, SV39 | number | ROOTS[name][root] >> 12, 3 << 60 | number | ROOTS[name][root] >> 12)
        return self.draw.choices(kinds, (3, 10, 0.3))[0]

    def snippet(self, mode: int, virtual: int) -> str:
        """Some instructions and a call."""
        size = self.draw.randrange(1, SPACE // 8 - 1)
        lines = [self.instruction(mode, virtual) for _ in range(size)]
        return "\n".join([*lines, "ecall", *["ecall"] * (SPACE // 8 - 1 - size)])

    def instruction(self, mode: int, virtual: int) -> str:
        """One instruction, most often one that the mode may use."""
        kinds = (self.control, self.plain, self.atomic, self.into_guest, self.fence, self.other, self.arithmetic)
        weights = (1, 9, 2, 1, 0.5, 0.5, 3) if mode == 0 else (8, 8, 2, 0.5, 1, 0.5, 2) if virtual else (9, 6, 2, 6, 2, 0.5, 2)
        kind = self.draw.choices(kinds, weights)[0]
        return self.control(virtual=mode == 1 and virtual == 1) if kind == self.control else kind()

    def arithmetic(self) -> str:
        """Something that cannot trap."""
        return f"{self.draw.choice(('add', 'xor', 'sltu', 'mulhu', 'sraw'))} {self.target()}, {self.target()}, {self.target()}"

    def target(self) -> str:
        """A register to write to."""
        return f"x{self.draw.randrange(10, ALIGNED)}"

    def base(self) -> str:
        """A register with an address."""
        return f"x{self.draw.choice(ADDRESSES)}"

    def control(self, virtual: bool = False) -> str:
        """An access to a register of control."""
        draw = self.draw
        names = CSRS[:OF_SUPERVISOR] if virtual and draw.random() < 0.9 else CSRS
        name = draw.choice(names) if draw.random() < 0.97 else f"{draw.choice(OTHERS):#x}"
        target = "x0" if name in UNREAD else self.target()
        if name in KEPT or name in UNREAD or draw.random() < 0.5:
            return f"csrrs {target}, {name}, x0"
        if name in TRANSLATIONS:
            return f"csrrw {target}, {name}, x0"
        if draw.random() < 0.3 or name == "hedeleg":
            return f"{draw.choice(('csrrwi', 'csrrsi', 'csrrci'))} {target}, {name}, {draw.randrange(32)}"
        return f"{draw.choice(('csrrw', 'csrrs', 'csrrc'))} {target}, {name}, {draw.choice(('x26', 'x27', 'x0'))}"

    def plain(self) -> str:
        """A load or store."""
        draw = self.draw
        if draw.random() < 0.5:
            return f"{draw.choice(STORES)} {self.target()}, 0(x{draw.choice(WITHIN)})"
        return f"{draw.choice(LOADS)} {self.target()}, {draw.choice((0, 0, draw.randrange(-2048, 2048)))}({self.base()})"

    def atomic(self) -> str:
        """An atomic operation."""
        name = self.draw.choice(ATOMIC)
        return f"{name} {self.target()}, {'' if name.startswith('lr') else 'x26, '}(x{ALIGNED})"

    def into_guest(self) -> str:
        """A load or store as a guest would do it."""
        name = self.draw.choice(INTO_GUEST)
        return f"{name} {self.target()}, (x{self.draw.choice(WITHIN if name.startswith('hsv') else ADDRESSES)})"

    def fence(self) -> str:
        """A fence of translations, of all, an address or a space."""
        one, other = self.draw.choice(("x0", self.base())), self.draw.choice(("x0", "x26"))
        return f"{self.draw.choice(FENCES)} {one}, {other}"

    def other(self) -> str:
        """A return, a call, and what is no instruction."""
        return self.draw.choice(("sret", "sret", "mret", "ecall", "ebreak", ".word 0", ".word 0x30300073"))

"""Short forms that assemblers know: by name and number of operands, the instructions that they stand for."""

from collections.abc import Callable
from typing import Final

Form = Callable[..., list[str]]

SHORT_FORMS: Final[dict[tuple[str, int], Form]] = {
    ("nop", 0): lambda: ["addi zero, zero, 0"],
    ("mv", 2): lambda d, s: [f"addi {d}, {s}, 0"],
    ("not", 2): lambda d, s: [f"xori {d}, {s}, -1"],
    ("neg", 2): lambda d, s: [f"sub {d}, zero, {s}"],
    ("sext.w", 2): lambda d, s: [f"addiw {d}, {s}, 0"],
    ("seqz", 2): lambda d, s: [f"sltiu {d}, {s}, 1"],
    ("snez", 2): lambda d, s: [f"sltu {d}, zero, {s}"],
    ("beqz", 2): lambda s, to: [f"beq {s}, zero, {to}"],
    ("bnez", 2): lambda s, to: [f"bne {s}, zero, {to}"],
    ("bgez", 2): lambda s, to: [f"bge {s}, zero, {to}"],
    ("bltz", 2): lambda s, to: [f"blt {s}, zero, {to}"],
    ("bgtz", 2): lambda s, to: [f"blt zero, {s}, {to}"],
    ("blez", 2): lambda s, to: [f"bge zero, {s}, {to}"],
    ("bgt", 3): lambda a, b, to: [f"blt {b}, {a}, {to}"],
    ("ble", 3): lambda a, b, to: [f"bge {b}, {a}, {to}"],
    ("bgtu", 3): lambda a, b, to: [f"bltu {b}, {a}, {to}"],
    ("bleu", 3): lambda a, b, to: [f"bgeu {b}, {a}, {to}"],
    ("j", 1): lambda to: [f"jal zero, {to}"],
    ("jal", 1): lambda to: [f"jal ra, {to}"],
    ("call", 1): lambda to: [f"jal ra, {to}"],
    ("tail", 1): lambda to: [f"jal zero, {to}"],
    ("jr", 1): lambda s: [f"jalr zero, 0({s})"],
    ("jalr", 1): lambda s: [f"jalr ra, 0({s})"],
    ("ret", 0): lambda: ["jalr zero, 0(ra)"],
    ("la", 2): lambda d, to: [
        f"auipc {d}, ({to} - __here__ + 2048) >> 12 & 0xFFFFF", f"addi {d}, {d}, (({to} - __here__ + 4 + 2048) & 0xFFF) - 2048",
    ],
    ("csrr", 2): lambda d, csr: [f"csrrs {d}, {csr}, zero"],
    ("csrw", 2): lambda csr, s: [f"csrrw zero, {csr}, {s}"],
    ("csrs", 2): lambda csr, s: [f"csrrs zero, {csr}, {s}"],
    ("csrc", 2): lambda csr, s: [f"csrrc zero, {csr}, {s}"],
    ("csrwi", 2): lambda csr, n: [f"csrrwi zero, {csr}, {n}"],
    ("csrsi", 2): lambda csr, n: [f"csrrsi zero, {csr}, {n}"],
    ("csrci", 2): lambda csr, n: [f"csrrci zero, {csr}, {n}"],
    ("sfence.vma", 0): lambda: ["sfence.vma zero, zero"],
    ("rdtime", 1): lambda d: [f"csrrs {d}, time, zero"],
    ("rdinstret", 1): lambda d: [f"csrrs {d}, instret, zero"],
}

"""Writes docs/exits.md: exits of operations on the emulated machine, and what the catalogue charges. `python docs/generate_exits.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from simvirt.catalog import Catalog
from simvirt.emulation.counting import document
from simvirt.emulation.emulator import KERNEL_AT, Console, Emulator, End
from simvirt.emulation.loading import guest
from simvirt.emulation.making import Size
from simvirt.result.emulation_document import Phase

PAGE: Final = Path(__file__).with_name("exits.md")
N: Final = 100
SIZE: Final = Size(memory=16 << 20)
TECHNIQUES: Final = ("trap", "nested", "translation")
PHASES: Final = {
    "syscall": ("a system call that does nothing", "syscall"),
    "fault": ("a first store to a page, which the kernel maps", "page_fault"),
    "csr": ("a write to a register of control", "privileged"),
    "fence": ("a fence of one page's translation", ""),
    "switch": ("a change of the page table", "context_switch"),
    "mmio": ("a load from a device", ""),
    "call": ("a call of the firmware", "privileged"),
    "timer": ("a timer set, waited for and taken", "timer"),
}
"""Phase of the guest `operations` -> what it does n times, and the operation of the catalogue."""
OF_SHADOWS: Final = ("hidden fault", "true fault", "csrrw satp", "sfence.vma")
"""Exits that come of page tables that are shadowed; the others come of a kernel without privileges."""
ENTRIES: Final = {"trap": "shadow-paging", "nested": "nested-paging", "translation": "binary-translation"}
HEAD: Final = """# Exits, counted

Made by `docs/generate_exits.py`; do not edit. The guest `operations` does each operation {n} times under each technique; a loop that does
nothing is taken off. `simvirt emulate operations --compare trap,nested,translation` counts the same.

*Shadow* are those exits of `trap` that come of page tables being shadowed (hidden faults, true faults, changes of the table, fences): a
processor with VT-x but without nested tables makes these, while the registers of control that `trap` also leaves for stay in the guest.
Beside each count is what the catalogue charges for the operation, in round trips of the processor (`techniques.yaml`); a cost given in
another unit is not shown. Exits of RISC-V are not exits of x86: which operations leave, and how often, can be transferred.

| operation | trap | of which shadow | shadow-paging | nested | nested-paging | translation | of which call-outs | binary-translation |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
"""
TAIL: Final = """
What the comparison says:

* **Page fault, shadow paging**: three exits are counted, the true fault, the fence of the guest and the hidden fault that follows it. The
  same three are told of KVM (commit 0028425f of Linux, 2007); the catalogue's 2.6 came from cycles (Adams and Agesen 2006) and lies
  within its spread of 1.2 to 5.
* **Change of the table, shadow paging**: one exit, as the shadows of both tables are kept. The catalogue charges 1.5 with a spread of 1
  to 4: one exit, and half of one for the monitor's look-up of the shadow.
* **System call**: none leaves where the guest has privileges of its own, under `nested` as in the catalogue; five do under `trap`, the
  call, the return, and one for each register of control that the guest's handler touches.
* **Registers of control, nested**: none of those that a guest's kernel uses in its own work leaves. The catalogue's entry `privileged` is
  of instructions that do exit on x86 (CPUID, model-specific registers), which are calls of the firmware here: one exit each, on both
  sides.
* **Timer, nested**: two exits, one sets it, the other is the idle instruction in which this guest waits for it; it expires there, and a
  busy guest would leave at the expiry instead. The catalogue charges two as well, one for the write of the deadline and one for the
  expiry.
* **Binary translation**: what is an exit under `trap` is a call-out within translated code, some tens to hundreds of cycles; the exits
  that are left are faults, device accesses and calls of programs. The catalogue's fractions of an exit are of this kind.
"""


def counted(technique: str) -> dict[str, Mapping[str, int]]:
    """Exits by their names in each phase, under a technique."""
    emulator = Emulator(SIZE, Console(), technique)
    emulator.boot(guest("operations", SIZE.base, {"n": N}, SIZE.base + KERNEL_AT))
    found = document(emulator, "operations", emulator.run(100_000_000))
    assert found.ended == End.powered_off.value
    return {phase.name: exits_of(phase) for phase in found.phases}


def exits_of(phase: Phase) -> dict[str, int]:
    """Exits of a phase by their names."""
    return {row["where"]: row["count"] for row in phase.counts if row["what"] == "exit"}


def each(found: Mapping[str, Mapping[str, int]], phase: str, *parts: str) -> float:
    """Exits of one operation whose names have one of some parts, those of the empty loop taken off; all of them without parts."""
    total, empty = (
        sum(count for name, count in found[one].items() if not parts or any(part in name for part in parts)) for one in (phase, "loop")
    )
    return (total - empty) / N


def charged(technique: str, operation: str) -> str:
    """What the catalogue charges, in exits; nothing where it is given in another unit."""
    costs = Catalog({}).raw("techniques")[technique]["costs"]
    spec = costs.get(operation) if operation else None
    if spec is None and operation:
        spec = Catalog({}).raw("techniques")[Catalog({}).raw("techniques")[technique].get("like", technique)]["costs"].get(operation)
    if not spec:
        return ""
    if "none" in spec:
        return "0"
    terms = spec.get("cpu")
    terms = terms if isinstance(terms, list) else [terms]
    values = [str(term["value"]) for term in terms if term]
    in_exits = values and all(value.endswith(" exits") for value in values)
    return " + ".join(value.removesuffix(" exits") for value in values) if in_exits else ""


def rows() -> Iterator[str]:
    """A row for each operation."""
    found = {technique: counted(technique) for technique in TECHNIQUES}
    for phase, (words, operation) in PHASES.items():
        entries = {technique: charged(entry, operation) for technique, entry in ENTRIES.items()}
        cells = (
            words, f"{each(found['trap'], phase):.2f}", f"{each(found['trap'], phase, *OF_SHADOWS):.2f}", entries["trap"],
            f"{each(found['nested'], phase):.2f}", entries["nested"],
            f"{each(found['translation'], phase):.2f}", f"{each(found['translation'], phase, 'call-out'):.2f}", entries["translation"],
        )
        yield f"| {' | '.join(cells)} |"


def page() -> str:
    """The page."""
    return HEAD.format(n=N) + "\n".join(rows()) + "\n" + TAIL


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

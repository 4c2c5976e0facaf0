"""What a guest did and why it left for its monitor, in the operations of the catalogue: the words that both halves of simvirt share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from simvirt.result.emulation_document import EmulationDocument

NOT_COUNTED: Final = ("page_table_update",)
"""Operations that the machine does not tell apart from others."""
OTHER: Final = "privileged"
"""What an exit is for that has no cause of its own here: the guest's use of a register of control, or a return."""
DEVICES: Final = "devices"
"""Exits that are for no operation of the CPU, but for an access to a device."""
FAULTS: Final = ("fetch page fault", "load page fault", "store page fault")


def trapped(document: EmulationDocument, *causes: str) -> int:
    """Traps of the guest of some causes."""
    return sum(trap.count for trap in document.traps if trap.cause in causes)


def timers(document: EmulationDocument) -> int:
    """Expiries of the timer: a firmware hands on each that it gets, so that the two are not added."""
    return max(trapped(document, f"{mode} timer interrupt") for mode in ("machine", "supervisor", "guest"))


def firmware_calls(document: EmulationDocument) -> int:
    """Calls of the kernel to what is below it, but for those that set the timer."""
    return max(trapped(document, "call from supervisor", "call from guest supervisor") - timers(document), 0)


OPERATIONS: Final[Mapping[str, Callable[[EmulationDocument], int]]] = {
    "syscall": lambda document: trapped(document, "call from user"),
    "page_fault": lambda document: trapped(document, *FAULTS),
    "context_switch": lambda document: document.translation.table_switches,
    "tlb_miss": lambda document: sum(document.translation.walks.values()),
    "timer": timers,
    "ipi": lambda document: trapped(document, "machine software interrupt"),
    "instruction": lambda document: document.instructions,
    "privileged": firmware_calls,
    "idle_wakeup": lambda document: document.waits,
}
"""Operation of the catalogue -> how many of them the guest performed."""

EXITS: Final[Mapping[str, str]] = {
    "hidden fault": "tlb_miss", "true fault": "page_fault", "first touch": "page_fault", "device access": DEVICES,
    "first touch of a device": DEVICES, "access to nothing": DEVICES, "of a device that is passed through": DEVICES,
    "csrrw satp": "context_switch", "wfi": "idle_wakeup", "timer": "timer",
}
"""What a monitor did on an exit -> the operation that it is for; calls are told by their cause."""


def performed(document: EmulationDocument) -> dict[str, int]:
    """How many of each operation the guest performed."""
    return {operation: count(document) for operation, count in OPERATIONS.items()}


def exits_by_operation(exits: Mapping[str, int]) -> dict[str, int]:
    """Exits to the monitor by the operation that they are for."""
    found: Counter[str] = Counter()
    for name, count in exits.items():
        found[operation_of(name)] += count
    return dict(found)


def operation_of(exit_name: str) -> str:
    """The operation that an exit, named by its cause and what was done, is for."""
    cause, _, what = exit_name.partition(": ")
    if cause == "emulated":
        return "instruction"
    if cause == "call from user" and what == "ecall":
        return "syscall"
    return EXITS.get(what, "timer" if "timer" in cause else OTHER)

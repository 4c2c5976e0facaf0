"""The memory ledger: who holds the bytes of a host; it adds up to physical memory, to the byte."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

PARTS: Final[Mapping[str, str]] = {
    "kernel": "kernel and services of the host, page structs, hypervisor, daemons, dom0",
    "application": "anonymous memory of the replicas, wherever they run",
    "guest_os": "kernels and user space of guests, their page structs included",
    "held": "touched by guests once and free inside them, which the host cannot know",
    "page_cache": "file pages in use, each copy once: of the host, of guests, of sandboxes",
    "vmm": "monitors of VMs: data, text once for all, nested page tables, video memory",
    "runtime": "shims, pause processes and sentries of containers, and what the kernel keeps for each",
}
"""Part of the demand -> what it is."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Bytes of a host by holder.

    `swapped` is what does not fit into memory, `missing` the part of it that no swap space holds either; `shared` is what sharing saves,
    `committed` what was promised.
    """

    capacity: int
    kernel: int = 0
    application: int = 0
    guest_os: int = 0
    held: int = 0
    page_cache: int = 0
    vmm: int = 0
    runtime: int = 0
    swapped: int = 0
    missing: int = 0
    free: int = 0
    shared: int = 0
    committed: int = 0

    @property
    def demand(self) -> int:
        """What all parts would take if there were room [bytes]."""
        return sum(int(getattr(self, part)) for part in PARTS)

    @property
    def fits(self) -> bool:
        """Whether everything is resident."""
        return self.swapped == 0

    @property
    def balance(self) -> int:
        """Resident parts and free memory less the capacity: 0, or something is counted twice or not at all [bytes]."""
        return self.demand - self.swapped + self.free - self.capacity

    def document(self) -> dict[str, int]:
        """The parts with their unit in the key, as results have them."""
        return {f"{field.name}_bytes": int(getattr(self, field.name)) for field in fields(self)}


def together(ledgers: Mapping[Ledger, int]) -> Ledger:
    """The ledger of several hosts, so many of each."""
    return Ledger(**{field.name: sum(getattr(one, field.name) * n for one, n in ledgers.items()) for field in fields(Ledger)})


def settle(
    capacity: int, parts: Mapping[str, float], *, swapped: float = 0.0, swap: float = 0.0, shared: float = 0.0, committed: float = 0.0,
    data: float = 0.0,
) -> Ledger:
    """A ledger of whole bytes: what the host cannot hold is swapped out, or missing beyond `swap`; what nobody takes is free.

    `swapped` is what guests and cgroups with a limit of their own cannot hold; it is among the parts. `swap` is the swap space that holds
    some of that or can. `data` is what the host's page cache would keep if there is room.
    """
    whole = {name: round(parts.get(name, 0.0)) for name in PARTS}
    inside = round(swapped)
    whole["page_cache"] += max(0, min(round(data), capacity - (sum(whole.values()) - inside)))
    demand = sum(whole.values())
    out = inside + max(0, demand - inside - capacity)
    return Ledger(
        capacity=capacity, **whole, swapped=out, missing=max(0, out - round(swap)), free=capacity - (demand - out), shared=round(shared),
        committed=round(committed),
    )

"""What a run reports of memory: who holds it at the end, and what reclaim has done until then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simvirt.memory.host_memory import HostMemory
from simvirt.memory.reclaim import Moved


@dataclass
class MemoryAccount:
    """Sums since the start of a run [bytes], and the kills of OOM killers in words."""

    memory: HostMemory
    swapped_out: float = 0.0
    swapped_in: float = 0.0
    compressed: float = 0.0
    ballooned: float = 0.0
    merged: float = 0.0
    scanned: float = 0.0
    peak: float = 0.0
    kills: list[str] = field(default_factory=list)
    evictions: list[str] = field(default_factory=list)

    def book(self, moved: Moved) -> None:
        """Add what a step did."""
        self.swapped_out += moved.swapped_out
        self.compressed += moved.packed
        self.ballooned += moved.inflated
        self.merged = sum(box.merged for box in self.memory.boxes)
        self.scanned = self.memory.scanned
        self.peak = max(self.peak, self.memory.resident)

    def document(self) -> dict[str, Any]:
        """The sums with their unit in the key, as results have them."""
        sizes = ("swapped_out", "swapped_in", "compressed", "ballooned", "merged", "scanned", "peak")
        ended = {"oom_kills": len(self.kills), "evictions": len(self.evictions)}
        return {f"{name}_bytes": round(getattr(self, name)) for name in sizes} | ended

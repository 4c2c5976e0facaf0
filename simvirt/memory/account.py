"""What a run has to tell of memory: who holds it at the end, and what reclaim has done until then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from simvirt.memory.ledger import Ledger
from simvirt.memory.working_set import Load


@dataclass
class MemoryAccount:
    """Sums since the start of a run [bytes], and the kills of OOM killers in words; `ledger_at` tells who holds memory at a mean load."""

    ledger_at: Callable[[Mapping[str, Load]], Ledger]
    swapped_out: float = 0.0
    swapped_in: float = 0.0
    compressed: float = 0.0
    ballooned: float = 0.0
    merged: float = 0.0
    scanned: float = 0.0
    peak: float = 0.0
    kills: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """The sums with their unit in the key, as results have them."""
        sizes = ("swapped_out", "swapped_in", "compressed", "ballooned", "merged", "scanned", "peak")
        return {f"{name}_bytes": round(getattr(self, name)) for name in sizes} | {"oom_kills": len(self.kills)}

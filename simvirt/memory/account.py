"""What a run reports of memory: who holds it at the end, and what reclaim has done until then."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simvirt.memory.boxes import Box, Replica
from simvirt.memory.host_memory import HostMemory
from simvirt.memory.reclaim import Moved


@dataclass
class MemoryAccount:
    """Sums since the start of a run [bytes], the kills of OOM killers in words, and the box that each row of an instance is in."""

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
    of_row: dict[int, Box] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.of_row = {replica.row: box for box in self.memory.boxes for replica in box.replicas}

    def add(self, box: Box) -> None:
        """A container, process or VM is on the host from now on."""
        self.memory.boxes.append(box)
        self.of_row |= {replica.row: box for replica in box.replicas}
        self.memory.add_up()

    def remove(self, box: Box) -> None:
        """A container, process or VM is on the host no more."""
        self.memory.boxes.remove(box)
        for replica in box.replicas:
            del self.of_row[replica.row]
        self.memory.add_up()

    def take(self, box: Box, replica: Replica) -> None:
        """A replica is in a box from now on, which may be new."""
        if replica not in box.replicas:
            box.replicas.append(replica)
        if all(box is not one for one in self.memory.boxes):
            self.add(box)
        self.of_row[replica.row] = box

    def give_up(self, row: int) -> None:
        """An instance is on the host no more, nor is what it had for itself."""
        box = self.of_row.get(row)
        if box is None:
            return
        if box.machine is None:
            self.remove(box)
            return
        del self.of_row[row]
        box.replicas = [replica for replica in box.replicas if replica.row != row]

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

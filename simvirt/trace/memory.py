"""What memory did: levels of the host's memory, and each time something was swapped, compressed, ballooned or ended."""

from __future__ import annotations

from typing import Final

from simvirt.memory.account import MemoryAccount
from simvirt.plane import DataPlane
from simvirt.trace.names import MEMORY
from simvirt.trace.writer import Track, Writer

EVENTS: Final = Track(MEMORY, 1, "reclaim")
MOVES: Final = {"swapped_out": "swap out", "swapped_in": "swap in", "compressed": "compress", "ballooned": "balloon"}
ENDS: Final = {"kills": "OOM kill", "evictions": "eviction"}


class MemoryEvents:
    """Compares the account of memory with what it was; the control plane alone changes it, between two calls of the kernel."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.moved: dict[str, float] = {}
        self.ended: dict[str, int] = {}
        self.levels: dict[str, int] = {}

    def look(self, plane: DataPlane, first: int) -> None:
        """Record what has changed since the last look; what was before the trace, which begins at `first` [ns], is no event."""
        account = plane.memory
        if account is None:
            return
        at = max(int(plane.clock.now), first)
        new = not self.moved and first > 0
        self._look_at_moves(account, at, new)
        self._look_at_ends(account, at, new)
        levels = {"resident MiB": round(account.memory.resident / 2**20), "merged MiB": round(account.merged / 2**20)}
        if levels != self.levels:
            self.levels = levels
            self.writer.counter(MEMORY, "host memory", at, levels)

    def _look_at_moves(self, account: MemoryAccount, at: int, new: bool) -> None:
        for name, word in MOVES.items():
            now, before = getattr(account, name), self.moved.get(name, 0.0)
            self.moved[name] = now
            if now > before and not new:
                self.writer.instant(self.writer.place(EVENTS), at, word, {"bytes": round(now - before)})

    def _look_at_ends(self, account: MemoryAccount, at: int, new: bool) -> None:
        for name, word in ENDS.items():
            said: list[str] = getattr(account, name)
            before = len(said) if new else self.ended.get(name, 0)
            self.ended[name] = len(said)
            for sentence in said[before:]:
                self.writer.instant(self.writer.place(EVENTS), at, word, {"what": sentence})

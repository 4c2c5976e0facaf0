"""Phases that a guest marks: what was counted in each of them.

*Model.* A store to the marker (0x100100) ends the phase that is on, with that store, and begins another: up to eight letters, or a number
below 256, name it; zero begins none. A phase that comes again goes on. What comes before the first mark is in no phase. A supervisor can
mark phases by a call of the firmware that is built in too, which touches no memory.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from simvirt.emulation.causes import DEVICES, LEVELS, MODES, UNITS, cause_of
from simvirt.emulation.making import Made
from simvirt.machine import constants as c
from simvirt.machine.devices.rings import SLOTS, TALLIES

TALLIED: Final = (
    "kicks", "requests", "descriptors", "bytes read", "bytes written", "interrupts", "interrupts held off", "errors", "dropped",
)
Key = tuple[str, str]


class Phases:
    """The phases of a run."""

    def __init__(self) -> None:
        self.found: dict[str, Counter[Key]] = {}
        self.now = ""
        self.before: Counter[Key] = Counter()

    def mark(self, value: int, tallied: Counter[Key]) -> None:
        """A phase begins, with what has been counted until then."""
        self.end(tallied)
        self.now = named(value) if value else ""
        if value:
            self.found.setdefault(self.now, Counter())

    def end(self, tallied: Counter[Key]) -> None:
        """The phase that is on is over, or is looked at."""
        if self.now:
            self.found[self.now] += tallied - self.before
        self.before = tallied


def named(value: int) -> str:
    """The name of a phase: letters, or the number."""
    data = (value & (1 << 64) - 1).to_bytes(8, "little").rstrip(b"\0")
    letters = len(data) > 1 and all(32 < letter < 127 for letter in data)
    return data.decode("ascii") if letters else str(value & (1 << 64) - 1)


def tallied(made: Made, calls: Counter[str]) -> Counter[Key]:
    """All that is counted, by what and where."""
    counts: dict[str, Any] = {name: [int(value) for value in column] for name, column in made.counted().items()}
    found: Counter[Key] = Counter({("instructions", name): counts["instructions"][mode] for mode, name in MODES.items()})
    for place, count in enumerate(counts["traps"]):
        mode, cause = divmod(place, 2 * c.CAUSES)
        if count:
            found[cause_of(cause), MODES[mode]] = count
    found.update({("exit", what): count for what, count in made.exits.items()})
    found.update({("call of the firmware", what): count for what, count in calls.items()})
    found.update(of_memory(counts) | of_devices(counts))
    return +found


def of_memory(counts: dict[str, Any]) -> dict[Key, int]:
    """Page tables and fences."""
    found = {("walk", unit): count for unit, count in zip(UNITS, counts["walks"], strict=True)}
    found |= {("page table reference", level): count for level, count in zip(LEVELS, counts["references"], strict=True)}
    found |= {("second-stage reference", level): count for level, count in zip(LEVELS, counts["second"], strict=True)}
    found |= {("fence", "sfence.vma"): counts["fences"][0], ("wait", "wfi"): counts["fences"][1]}
    return found | {("switch", "satp"): counts["switches"][0]}


def of_devices(counts: dict[str, Any]) -> dict[Key, int]:
    """Accesses, and what virtio devices did."""
    accesses = counts["accesses"]
    found = {("device read", name): accesses[k] for k, name in enumerate(DEVICES)}
    found |= {("device write", name): accesses[len(DEVICES) + k] for k, name in enumerate(DEVICES)}
    for what, name in enumerate(TALLIED):
        found["virtio", name] = sum(counts["virtio"][slot * TALLIES + what] for slot in range(SLOTS))
    found |= {("sectors", "read"): counts["sectors"][0], ("sectors", "written"): counts["sectors"][1]}
    return found | {("frames", "received"): counts["frames"][0], ("frames", "sent"): counts["frames"][1]}

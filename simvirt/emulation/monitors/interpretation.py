"""Interpretation: nothing of the guest runs by itself, each of its instructions is fetched, decoded and carried out by the monitor.

*Model.* An instruction is one emulation step, privileged or not, and nothing that was decoded is kept for the next time.
*Source.* Popek and Goldberg 1974, who call a machine that does so a complete software interpreter; Smith and Nair, Virtual Machines,
Morgan Kaufmann 2005, chapter 2 (decode and dispatch).
"""

from __future__ import annotations

from collections import Counter

from simvirt import machine
from simvirt.emulation.monitors.virtual import Virtual


class Interpretation(Virtual):
    """The virtual machine of a guest that is emulated as a whole."""

    @property
    def exits(self) -> Counter[str]:
        """Instructions that were carried out, by their names."""
        steps = enumerate(self.counts["carried"])
        return Counter({f"emulated: {machine.INSTRUCTIONS[op]}": int(count) for op, count in steps if count})

"""What a run leaves of the CPU credits of its VMs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simvirt.plane import DataPlane

CREDIT_NS: Final = 60e9
"""CPU time of a credit: a vCPU for a minute."""


def remarks(plane: DataPlane) -> Iterator[str]:
    """How many credits the VM has at the end that has least; nothing where VMs have none."""
    lowered = plane.lowered
    credits = lowered.platform.credits
    rows = [m.vm.row for m in lowered.arrangement.machines if m.vm is not None and m.vm.fence.start is not None]
    if credits is None or not rows:
        return
    left = max(float(plane.read("groups", "pool")[rows].min()), 0.0) / CREDIT_NS
    rest = "none are left" if left < 0.01 else f"{left:.3g} are left"
    yield (f"CPU credits of a VM: {credits.balance / CREDIT_NS:.3g} at the start, {credits.rate * 60:.3g} earned an hour, "
           f"{rest} at the end; without credits it gets {credits.rate:.3g} CPUs")

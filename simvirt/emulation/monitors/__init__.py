"""Techniques of virtualization: one file each, and one entry here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simvirt.emulation.making import Made, Size
from simvirt.emulation.monitors.trap import Trap
from simvirt.errors import UsageError

TECHNIQUES: Final[dict[str, Callable[[Size], Made]]] = {
    "native": Made,
    "trap": Trap,
}
"""What makes the machine that a guest sees, by technique."""


def made(technique: str, size: Size) -> Made:
    """The machine that a guest sees; UsageError where there is no such technique."""
    if technique not in TECHNIQUES:
        raise UsageError(f"--technique {technique}: expected one of {', '.join(TECHNIQUES)}, for example trap")
    return TECHNIQUES[technique](size)

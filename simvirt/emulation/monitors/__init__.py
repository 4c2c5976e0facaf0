"""Techniques of virtualization: one file each, and one entry here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from simvirt.emulation.making import Made, Size
from simvirt.emulation.monitors.interpretation import Interpretation
from simvirt.emulation.monitors.nested import Nested
from simvirt.emulation.monitors.options import Options
from simvirt.emulation.monitors.paravirtual import Paravirtual
from simvirt.emulation.monitors.translation import Translation
from simvirt.emulation.monitors.trap import Trap
from simvirt.errors import UsageError


class Technique(NamedTuple):
    """A technique: what it is, what makes the machine that a guest sees, and the options that it takes."""

    what: str
    make: Callable[[Size, Options], Made]
    takes: tuple[str, ...] = ()


TECHNIQUES: Final[dict[str, Technique]] = {
    "native": Technique("no monitor", lambda size, options: Made(size)),
    "interpretation": Technique("every instruction is emulated", lambda size, options: Interpretation(size)),
    "translation": Technique("call-outs in translated blocks, shadow page tables", lambda size, options: Translation(size)),
    "trap": Technique("trap and emulate, shadow page tables", lambda size, options: Trap(size)),
    "paravirtual": Technique("as trap, with hypercalls for a guest that makes them", lambda size, options: Paravirtual(size)),
    "nested": Technique("the hypervisor extension, two stages of page tables", Nested, ("pages", "passed")),
}
"""What makes the machine that a guest sees, by technique."""


def found(technique: str) -> Technique:
    """A technique by its name; UsageError where there is none."""
    if technique not in TECHNIQUES:
        raise UsageError(f"--technique {technique}: expected one of {', '.join(TECHNIQUES)}, for example trap")
    return TECHNIQUES[technique]


def made(technique: str, size: Size, options: Options | None = None) -> Made:
    """The machine that a guest sees."""
    return found(technique).make(size, options or Options())


def listed() -> str:
    """Techniques with what they are, for people."""
    return "; ".join(f"{name}: {technique.what}" for name, technique in TECHNIQUES.items())

"""Techniques of virtualization: one file each, and one entry here. Nothing is loaded before a technique is used."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

from simvirt.emulation.monitors.options import Options, chosen
from simvirt.errors import UsageError

if TYPE_CHECKING:
    from simvirt.emulation.making import Made, Size


class Technique(NamedTuple):
    """A technique: file and class of the machine that a guest sees, and the options that it takes."""

    file: str
    kind: str
    takes: tuple[str, ...] = ()


TECHNIQUES: Final = {
    "native": Technique("native", "Native"),
    "interpretation": Technique("interpretation", "Interpretation"),
    "translation": Technique("translation", "Translation"),
    "trap": Technique("trap", "Trap"),
    "paravirtual": Technique("paravirtual", "Paravirtual"),
    "nested": Technique("nested", "Nested", ("pages", "pass")),
}
"""Techniques by their names."""


def found(technique: str) -> Technique:
    """A technique by its name; UsageError where there is none."""
    if technique not in TECHNIQUES:
        raise UsageError(f"--technique {technique}: expected one of {', '.join(TECHNIQUES)}, for example trap")
    return TECHNIQUES[technique]


def made(technique: str, size: Size, options: Options | None = None) -> Made:
    """The machine that a guest sees."""
    one = found(technique)
    kind: type[Made] = getattr(import_module(f"{__name__}.{one.file}"), one.kind)
    return kind(size, options or Options())


def refuse(techniques: Sequence[str], pages: str | None, passed: str | None) -> None:
    """UsageError where there is no such technique, or where none of them takes an option that is given."""
    taken = {option for name in techniques for option in found(name).takes}
    for option, value in (("pages", pages), ("pass", passed)):
        if value is not None and option not in taken:
            takers = ", ".join(name for name, technique in TECHNIQUES.items() if option in technique.takes)
            raise UsageError(f"--{option} {value}: only {takers} takes it, for example --technique {takers} --{option} {value}")
    chosen(pages, passed)

"""Small runs of the emulated machine."""

from __future__ import annotations

from simvirt.emulation.debugging.stepper import Started, Stepper
from simvirt.emulation.counting import document
from simvirt.emulation.emulator import Console, Emulator
from simvirt.emulation.loading import guest
from simvirt.emulation.making import Size
from simvirt.result.emulation_document import EmulationDocument

SMALL = Size(memory=4 << 20)


def hello(technique: str) -> EmulationDocument:
    """The first guest under a technique."""
    emulator = Emulator(SMALL, Console(), technique)
    emulator.boot(guest("hello", SMALL.base))
    return document(emulator, "hello", emulator.run(100_000))


def stepper(technique: str = "native") -> Stepper:
    """The first guest, to be stepped."""
    def anew(size: Size, console: Console) -> Emulator:
        made = Emulator(size, console, technique)
        made.boot(guest("hello", SMALL.base))
        return made

    return Stepper(Started(anew, SMALL))

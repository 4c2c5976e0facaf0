"""The guests that come with simvirt as a document."""

from __future__ import annotations

from simvirt import machine
from simvirt.emulation import guests
from simvirt.emulation.assembler import STARTS
from simvirt.emulation.counting import SCHEMA
from simvirt.emulation.loading import described
from simvirt.result.document import Program
from simvirt.result.emulation_document import Guest, GuestList
from simvirt.version import __version__


def listed() -> GuestList:
    """All guests, with what can be set of each."""
    return GuestList(
        simvirt=Program(version=__version__, schema=SCHEMA, kernel=machine.MODE), guests=tuple(one(name) for name in guests.names()),
    )


def one(name: str) -> Guest:
    """What a guest says about itself."""
    found = described(name)
    parameters = {name: f"{parameter.meaning} ({parameter.default})" for name, parameter in found.parameters.items()}
    return Guest(name=name, about=guests.first_line(name), mode=STARTS[found.supervisor], parameters=parameters)

"""What made a document, and of which scenario it speaks: the head of every result."""

from __future__ import annotations

from typing import Final

from simvirt import kernel
from simvirt.result.document import Program, ScenarioName
from simvirt.scenario.spec.models import Scenario
from simvirt.version import __version__

SCHEMA: Final = 1
"""Version of the form of documents; keys that are added do not change it."""


def program() -> Program:
    """This simvirt."""
    return Program(version=__version__, schema=SCHEMA, kernel=kernel.MODE)


def name_of(scenario: Scenario) -> ScenarioName:
    """A scenario's name and digest."""
    return ScenarioName(name=scenario.name, digest=scenario.digest)

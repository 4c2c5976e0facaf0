"""What made a document, and of which scenario it speaks: the head of every result."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Final

from simvirt import kernel
from simvirt.result.document import Program, ScenarioName
from simvirt.scenario.spec.models import Scenario
from simvirt.scenario.written import written
from simvirt.version import __version__

SCHEMA: Final = 1
"""Version of the form of documents; keys that are added do not change it."""


def program() -> Program:
    """This simvirt."""
    return Program(version=__version__, schema=SCHEMA, kernel=kernel.MODE)


@lru_cache(maxsize=1)
def program_digest() -> str:
    """SHA-256 of what predictions come from: the source files of the package and its data."""
    root, found = Path(__file__).resolve().parents[1], hashlib.sha256()
    for path in sorted(path for pattern in ("**/*.py", "**/*.yaml") for path in root.glob(pattern)):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def name_of(scenario: Scenario) -> ScenarioName:
    """A scenario's name, digest and content."""
    return ScenarioName(name=scenario.name, digest=scenario.digest, content=written(scenario))

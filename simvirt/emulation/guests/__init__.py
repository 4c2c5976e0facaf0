"""Guests that come with simvirt, as assembler source."""

from importlib.resources import files
from typing import Final

SUFFIX: Final = ".s"
PART: Final = ".inc"
"""Suffix of what guests share."""


def names() -> list[str]:
    """Their names."""
    return sorted(entry.name.removesuffix(SUFFIX) for entry in files(__name__).iterdir() if entry.name.endswith(SUFFIX))


def parts() -> list[str]:
    """Names of what guests share."""
    return sorted(entry.name.removesuffix(PART) for entry in files(__name__).iterdir() if entry.name.endswith(PART))


def part(name: str) -> str:
    """The source of what they share under a name."""
    return files(__name__).joinpath(name + PART).read_text(encoding="utf-8")


def source(name: str) -> str:
    """The source of one."""
    return files(__name__).joinpath(name + SUFFIX).read_text(encoding="utf-8")


def first_line(name: str) -> str:
    """What one is for: the comment that its source begins with."""
    return source(name).splitlines()[0].removeprefix("#").strip()

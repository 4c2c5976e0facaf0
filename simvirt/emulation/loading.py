"""What a command names as its guest: one that comes with simvirt, a source to assemble, an ELF file or a raw image."""

from __future__ import annotations

from pathlib import Path

from simvirt.emulation import guests
from simvirt.emulation.assembler import assemble
from simvirt.emulation.images import Image, load, read_file
from simvirt.errors import UsageError


def guest(name: str, base: int) -> Image:
    """The image of a guest; UsageError that says what there is."""
    if name in guests.names():
        return assemble(guests.source(name), f"{name}{guests.SUFFIX}", base)
    path = Path(name)
    if not path.exists():
        known = ", ".join(guests.names())
        raise UsageError(f"{name}: no such guest; expected a file (.s, ELF or raw) or one of {known}, for example simvirt emulate hello")
    if path.suffix == guests.SUFFIX:
        return assemble(text_of(path), name, base)
    return load(path, base, "guest")


def text_of(path: Path) -> str:
    """A source as text."""
    try:
        return read_file(path, "guest").decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: offset {error.start}: an assembler source is text in UTF-8") from None

"""What a command names as its guest: one that comes with simvirt, a source to assemble, an ELF file or a raw image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from simvirt.emulation import guests
from simvirt.emulation.assembler import Assembly, assemble
from simvirt.emulation.images import Image, load, read_file
from simvirt.errors import UsageError


def guest(name: str, base: int, settings: Mapping[str, int] | None = None, kernel_at: int | None = None) -> Image:
    """The image of a guest, a kernel of Linux where kernels lie; UsageError that says what there is."""
    if name in guests.names():
        return assemble(guests.source(name), f"{name}{guests.SUFFIX}", base, settings)
    path = Path(name)
    if not path.exists():
        known = ", ".join(guests.names())
        raise UsageError(f"{name}: no such guest; expected a file (.s, ELF or raw) or one of {known}, for example simvirt emulate hello")
    if path.suffix == guests.SUFFIX:
        return assemble(text_of(path), name, base, settings)
    if settings:
        raise UsageError(f"--set {next(iter(settings))}: {name} has no parameters; an assembler source may have, for example --set n=100")
    found = load(path, base, "guest")
    return found if kernel_at is None or not found.supervisor else load(path, kernel_at, "guest")


def settings_of(texts: Iterable[str]) -> dict[str, int]:
    """Settings by their names, each given as NAME=NUMBER."""
    found: dict[str, int] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            found[name.strip()] = int(value.strip(), 0)
        except ValueError:
            equals = ""
        if not equals or not -(1 << 63) <= found[name.strip()] < 1 << 63:
            raise UsageError(f"--set {text}: expected a name and a number, for example --set n=100")
    return found


def described(name: str) -> Assembly:
    """A guest of simvirt, read for what it says about itself."""
    assembly = Assembly(f"{name}{guests.SUFFIX}", 0)
    assembly.read(guests.source(name))
    return assembly


def text_of(path: Path) -> str:
    """A source as text."""
    try:
        return read_file(path, "guest").decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: offset {error.start}: an assembler source is text in UTF-8") from None

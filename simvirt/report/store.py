"""Where results lie: a folder a scenario, its files written whole or not at all."""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from simvirt.errors import UsageError

DIGITS = 8  # of the digest, in a folder's name


def folder_of(out: Path, name: str, digest: str) -> Path:
    """The folder of a scenario's results: `results/web-shop-1a2b3c4d`."""
    safe = re.sub(r"[^\w.+-]+", "-", name).strip(".-") or "scenario"
    return out / f"{safe[:100]}-{digest[:DIGITS]}"


@contextmanager
def prepared(folder: Path) -> Iterator[Path]:
    """The folder, made and known to be writable before anything is simulated; gone again if nothing was written into it.

    UsageError where it cannot be made or written.
    """
    made = [f for f in (folder, *folder.parents) if not f.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _try_writing(folder)
    except OSError as error:
        _remove_empty(made)
        raise UsageError(f"{folder}: cannot write results here: {error.strerror or error}; name another folder with --out") from None
    try:
        yield folder
    finally:
        _remove_empty(made)


def save(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Writes files into a folder, each beside its place and then renamed to it, so that no reader sees half of one.

    OSError with the name of the file that could not be written.
    """
    for name, content in files.items():
        beside = folder / f".{name}.{os.getpid()}.tmp"
        try:
            _write(beside, content)
            os.replace(beside, folder / name)
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(folder / name)) from None
        finally:
            beside.unlink(missing_ok=True)


def _write(path: Path, content: str | bytes) -> None:
    """A file on the disk, not only in its cache."""
    with path.open("wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
        file.flush()
        os.fsync(file.fileno())


def _try_writing(folder: Path) -> None:
    probe = folder / f".probe.{os.getpid()}.tmp"
    probe.touch()
    probe.unlink()


def _remove_empty(folders: list[Path]) -> None:
    """Removes folders, the innermost first, that hold nothing."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()

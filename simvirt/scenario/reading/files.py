"""Reads the text of scenario files, and says what is wrong with a file that has none."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from itertools import islice
from typing import Final

from simvirt.scenario.bounds import MOST_BYTES

_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What YAML does not allow in a text."""


class NoText(Exception):
    """A file that cannot be read as text; `line` and `column` say where it goes wrong, as far as known."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        self.line = line
        self.column = column
        super().__init__(message)


def read_text(path: str) -> str:
    """The text of a scenario file; NoText where there is none."""
    problem = unreadable(path)
    if problem is not None:
        raise NoText(problem)
    if os.path.getsize(path) == 0:  # also files of the kernel, some of which never end
        return ""
    try:
        with open(path, "rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise NoText(f"cannot be read: {error.strerror or error}") from None
    if len(raw) > MOST_BYTES:
        raise NoText(f"expected a scenario of at most {MOST_BYTES >> 20} MiB; this file is larger")
    return decoded(raw)


def decoded(raw: bytes) -> str:
    """UTF-8 as text; NoText at the first byte that is none."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[:error.start]
        what = "a binary file" if b"\0" in raw[:4096] else f"the byte 0x{raw[error.start]:02x}"
        raise NoText(f"expected text in UTF-8; got {what}", *_position(before.decode("utf-8", "replace"))) from None


def check_printable(text: str) -> None:
    """NoText at the first character that has no place in a text."""
    match = _UNPRINTABLE.search(text)
    if match is not None:
        what = "a binary file" if match[0] == "\0" else f"the character U+{ord(match[0]):04X}"
        raise NoText(f"expected text; got {what}", *_position(text[:match.start()]))


def _position(before: str) -> tuple[int, int]:
    """Line and column after a text."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def unreadable(path: str) -> str | None:
    """Why a file cannot be read, with a guess at its name; None where it can."""
    if "\0" in path or not path.strip():
        return "expected the name of a file"
    if os.path.isdir(path):
        return "expected a file; this is a directory"
    if not os.path.exists(path):
        return f"no such file{_similar(path)}"
    if not os.path.isfile(path):
        return "expected a file; this is a device, a pipe or a socket"
    return None if os.access(path, os.R_OK) else "cannot be read: permission denied"


def _similar(path: str) -> str:
    """A guess at the file that was meant, from those beside it."""
    folder, name = os.path.split(path)
    try:
        names = [entry.name for entry in islice(os.scandir(folder or "."), 2000)]
    except OSError:
        return f"; there is no folder {folder} either" if folder and len(folder) < 200 else ""
    close = get_close_matches(name[:200], names, n=1)
    return f'; did you mean "{os.path.join(folder, close[0])}"?' if close else ""


def beside(file: str, name: str) -> str:
    """A name in a scenario file as a path: relative to that file; to the working directory where it came from an option."""
    base = "" if file.startswith(("--", "<")) else os.path.dirname(file)
    return os.path.join(base, os.path.expanduser(name))

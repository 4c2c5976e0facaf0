"""Text of options as the bytes that go over the serial line."""

from __future__ import annotations

import re
from typing import Final

ESCAPES: Final = {"n": b"\n", "r": b"\r", "t": b"\t", "e": b"\x1b", "\\": b"\\"}
PART: Final = re.compile(r"\\x([0-9a-fA-F]{2})|\\([nrte\\])|([^\\]+|\\)")


def letters(text: str) -> bytes:
    r"""The bytes; `\n`, `\r`, `\t`, `\e`, `\\` and `\x03` are those characters, any other backslash is one."""
    return b"".join(byte_of(part) for part in PART.finditer(text))


def byte_of(part: re.Match[str]) -> bytes:
    """The bytes of a part."""
    if part[1]:
        return bytes([int(part[1], 16)])
    return ESCAPES[part[2]] if part[2] else part[3].encode()

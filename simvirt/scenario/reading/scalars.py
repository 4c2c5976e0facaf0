"""Scalars as YAML 1.2's core schema reads them: `no` and `1:30` are texts, not a truth value and a number."""

from __future__ import annotations

import re
from typing import Final, Mapping

_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_HEX: Final = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Final[Mapping[str, bool | float | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
    ".inf": float("inf"), ".Inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf"), "-.Inf": float("-inf"),
}
_LONGEST: Final = 40
"""Digits of the longest whole number that is kept exact."""


def scalar(text: str) -> str | int | float | bool | None:
    """The value of a scalar that stands without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) <= _LONGEST and _INTEGER.fullmatch(text):
        return int(text)
    if len(text) <= _LONGEST and _HEX.fullmatch(text):
        return int(text, 16)
    return float(text) if len(text) <= 10 * _LONGEST and _FLOAT.fullmatch(text) else text

"""Values as Compose writes them: sizes are powers of 1024, times have units, numbers may stand in quotes.

*Source*: compose-spec, 11-extension.md ("Specifying byte values", "Specifying durations"); docker/go-units RAMInBytes.
"""

from __future__ import annotations

import math
import re
from typing import Final

UNITS: Final = {
    "": 0,
    "b": 0,
    "k": 1,
    "kb": 1,
    "m": 2,
    "mb": 2,
    "g": 3,
    "gb": 3,
    "t": 4,
    "tb": 4,
    "ki": 1,
    "kib": 1,
    "mi": 2,
    "mib": 2,
    "gi": 3,
    "gib": 3,
}
SECONDS: Final = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
SIZE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*")
TIME: Final = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")


def size(text: str) -> int | None:
    """Bytes, None where it is no size."""
    found = SIZE.fullmatch(text)
    if found is None or found.group(2).lower() not in UNITS:
        return None
    factor: float = 1024.0 ** UNITS[found.group(2).lower()]
    return round(float(found.group(1)) * factor)


DECIMAL: Final = {"": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
BINARY: Final = {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", 1)}
QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d{1,2})|([numkMGTPE]|[KMGTPE]i)?)")


def quantity(text: str) -> float | None:
    """A quantity of Kubernetes, `200m` or `1Gi`, as a number; None where it is none. Source: apimachinery pkg/api/resource, Quantity."""
    found = QUANTITY.fullmatch(text)
    if found is None:
        return None
    digits, exponent, suffix = found.groups()
    return float(digits) * (10.0 ** int(exponent) if exponent else {**DECIMAL, **BINARY}[suffix or ""])


def number(text: str) -> float | None:
    """A number, None where it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def seconds(text: str) -> float | None:
    """A time [s], None where it is none."""
    parts = list(TIME.finditer(text))
    if not parts or "".join(part.group() for part in parts) != text:
        return 0.0 if text == "0" else None
    return sum(float(part.group(1)) * SECONDS[part.group(2)] for part in parts)


def said_size(value: float) -> str:
    """A size as a scenario says it."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if value >= factor and value % factor == 0:
            return f"{int(value // factor)}{unit}"
    return f"{int(value)}B"


def said_time(value: float) -> str:
    """A time as a scenario says it."""
    for unit, factor in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if value >= factor and math.isclose(value / factor, round(value / factor), rel_tol=1e-9):
            return f"{round(value / factor)}{unit}"
    return f"{value * 1e9:.0f}ns"

"""A document as JSON: one object, what is not known is null, numbers as short as they round-trip, lists of numbers on one line."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from simvirt.report.blocks import Report

NUMBERS: Final = re.compile(r"\[\n\s+[-\dn][^\[\]{}\"]*\]")
"""A list of numbers over several lines; no text has a line's end in it."""


def render(report: Report, width: int = 0) -> str:
    """The report's document, whatever the width."""
    return dumps(report.document.document())


def dumps(document: Any) -> str:
    """The document as JSON text with a newline at its end; NaN and infinities become null, numpy's numbers Python's."""
    text = json.dumps(_plain(document), indent=1, ensure_ascii=False, allow_nan=False)
    return NUMBERS.sub(lambda found: " ".join(found[0].split()).replace("[ ", "[").replace(" ]", "]"), text) + "\n"


def _plain(value: Any) -> Any:
    """The value in JSON's own types."""
    if isinstance(value, Mapping):
        return {str(key): _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _plain(value.tolist()) if hasattr(value, "tolist") else str(value)

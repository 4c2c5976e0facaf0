"""The answer of a fit in a sentence."""

from __future__ import annotations

import statistics

from simvirt.result.figures import time
from simvirt.result.fit_document import FitDocument


def sentence(document: FitDocument) -> str:
    """`web.get takes 1.50 ms (1.46 to 1.54 ms), 4.1 % less than measured on kvm; left-out points are predicted within 1.2 %.`"""
    parts = [_demand(document, name) for name in list(document.fitted)[:4]]
    more = len(document.fitted) - len(parts)
    parts += [f"{more} more"] if more > 0 else []
    if document.hold_out is not None:
        parts.append(f"left-out points are predicted within {100 * document.hold_out.median:.2g} % in the median")
    parts += _predicted(document)
    parts += [f"{name} has no answer" for name in document.failed]
    return "; ".join(parts) + "."


def _demand(document: FitDocument, name: str) -> str:
    found = document.fitted[name]
    value, low, high = found.cpu_s.value, found.cpu_s.low, found.cpu_s.high
    assert value is not None
    sure = f"{time(low)} to {time(high)}" if low is not None and high is not None else "no interval"
    return f"{name} takes {time(value)} of CPU time ({sure})"


def _predicted(document: FitDocument) -> list[str]:
    """How far predictions of mean latencies are from what was measured."""
    errors = [abs(row.error) for row in document.compared if row.measure == "latency_mean_s" and row.error is not None]
    return [f"mean latencies are predicted within {100 * statistics.median(errors):.2g} % in the median"] if errors else []

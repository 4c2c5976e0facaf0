"""The lines that say that a run will be slow, why, and how long it will take."""

import os
from collections.abc import Callable
from typing import Final

SHORTEN: Final = "simulate less: --set run.duration=10s, --set run.replications=2, --no-maximum"


def reason() -> str | None:
    """Why this process runs the plain kernel, and what to do about it; None where the compiled one runs."""
    from simvirt import kernel

    if kernel.MODE == "compiled":
        return None
    if os.environ.get("SIMVIRT_PLAIN", "") not in ("", "0"):
        return "slow: the plain Python kernel runs, some 80 times slower, because SIMVIRT_PLAIN is set"
    return (
        "slow: the plain Python kernel runs, some 80 times slower, because there was no C compiler when simvirt was installed;"
        " install a compiler, then simvirt again, or simulate less (--set run.duration=10s)"
    )


def ahead(expected: Callable[[], float]) -> str | None:
    """How long a run will take that is expected to take so many seconds, and how to shorten it; None where it is less than a minute."""
    minutes = expected() / 60
    if minutes < 1:
        return None
    length = f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"
    return f"this run will take about {length}; {SHORTEN}"

"""The one line that says that a run will be slow, and why."""

import os


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

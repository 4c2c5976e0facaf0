"""What can be chosen of a technique."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from simvirt.errors import UsageError

EXTENTS: Final = {"4k": 4 << 10, "2m": 2 << 20}
PASSED: Final = ("uart", "plic")


@dataclass(frozen=True)
class Options:
    """Pages of the second stage, and devices that the guest reaches itself."""

    pages: int = EXTENTS["4k"]
    passed: tuple[str, ...] = ()


def chosen(pages: str | None, passed: str | None) -> Options:
    """Options from what a command says; UsageError where there is no such thing."""
    if pages is not None and pages not in EXTENTS:
        raise UsageError(f"--pages {pages}: expected one of {', '.join(EXTENTS)}, for example 2m")
    names = tuple(name.strip() for name in (passed or "").split(",") if name.strip())
    wrong = next((name for name in names if name not in PASSED), None)
    if wrong is not None:
        raise UsageError(f"--pass {wrong}: expected devices of {', '.join(PASSED)}, for example uart,plic")
    return Options(EXTENTS[pages or "4k"], names)

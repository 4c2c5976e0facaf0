"""One test over many cases that are checked in no time: all the cases that fail are reported, not the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def hold_all(claim: Callable[..., None], cases: Mapping[str, tuple[Any, ...]] | Iterable[Any]) -> None:
    """Check a claim on every case, given as arguments by name or as single arguments; AssertionError with each case that fails and why."""
    named = cases if isinstance(cases, Mapping) else {str(case): (case,) for case in cases}
    wrong = [f"{name}: {why}" for name, arguments in named.items() if (why := failure(claim, *arguments))]
    assert named, "no cases"
    assert not wrong, "\n".join([f"{len(wrong)} of {len(named)} cases fail", *wrong])


def failure(claim: Callable[..., None], *arguments: Any) -> str:
    """Why a claim does not hold; empty where it does."""
    try:
        claim(*arguments)
    except Exception as error:  # also what a case raises belongs to the case
        return f"{type(error).__name__}: {error}"
    return ""

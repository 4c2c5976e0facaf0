"""Work, counted: it is the same on an idle machine and on a busy one."""

from __future__ import annotations

import cProfile
from collections.abc import Callable
from typing import Any


def calls(action: Callable[..., Any], *arguments: Any) -> int:
    """How many functions are called while something is done, in this thread: Python's own and those of extensions.

    What the action raises passes through.
    """
    return effort(action, *arguments)[0]


def effort(action: Callable[..., Any], *arguments: Any) -> tuple[int, Any]:
    """The same with what the action gives."""
    profile = cProfile.Profile()
    given = profile.runcall(action, *arguments)
    return sum(entry.callcount for entry in profile.getstats()), given

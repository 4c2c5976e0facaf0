"""What guards of calls did, as lines of a report: causes of failure, then each guard, as far as it acted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from simvirt.result import figures
from simvirt.result.resilience import GuardUse
from simvirt.result.run_document import PlatformResult

Line = tuple[str, list[str | None]]
SHARES: Final = {
    "failed": "failed", "timed_out": "timed out", "refused": "breaker open", "full": "no connection", "over_budget": "over budget",
    "orphaned": "orphans",
}
"""Ratio of a guard -> its line."""
RATES: Final = {"retries_per_s": "retries", "hedges_per_s": "copies"}
"""Rate of a guard -> its line."""


def lines(platforms: Sequence[PlatformResult]) -> Iterator[Line]:
    """Everything that is not zero everywhere."""
    found = [p.resilience for p in platforms]
    if not any(found):
        return
    for cause in dict.fromkeys(name for one in found if one for name in one.failed):
        yield cause, [figures.percent(one.failed.get(cause, 0.0)) if one else None for one in found]
    for name in dict.fromkeys(name for one in found if one for name in one.guards):
        guards = [one.guards.get(name) if one else None for one in found]
        yield name, [figures.rate(guard.calls_per_s) if guard and guard.calls_per_s is not None else None for guard in guards]
        for key, label in RATES.items():
            yield from _acting(label, guards, key, figures.rate)
        for key, label in SHARES.items():
            yield from _acting(label, guards, key, figures.percent)
        yield from _acting("wasted cores", guards, "wasted_cores", figures.scaled)


def _acting(label: str, guards: Sequence[GuardUse | None], key: str, form: Callable[[float], str]) -> Iterator[Line]:
    """A line of a number, unless it is zero or unknown everywhere."""
    values = [getattr(guard, key) if guard else None for guard in guards]
    if any(values):
        yield f"  {label}", [None if value is None else form(value) for value in values]

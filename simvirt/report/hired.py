"""Hosts that came and went, as rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from simvirt.result import figures
from simvirt.result.run_document import PlatformResult

Line = tuple[str, list[str | None]]
"""A label, and what is known of each platform."""


def _dollars(value: Any) -> str:
    return f"${value.value:,.2f}"


ROWS: Final[Mapping[str, tuple[str, Callable[[Any], str]]]] = {
    "asked": ("hosts", figures.scaled), "most": ("most at once", figures.scaled), "added": ("added", figures.scaled),
    "removed": ("removed", figures.scaled), "up_after_s": ("up after", figures.time), "host_hours": ("host-hours", figures.scaled),
    "cost_usd": ("rent", _dollars),
}
"""Field of a pool -> how a row calls it, and how it is written."""


def lines(platforms: Sequence[PlatformResult]) -> Iterator[Line]:
    """The rows of pools that autoscale, and of services whose replicas waited for a host."""
    found = [platform.machines for platform in platforms]
    for name in dict.fromkeys(name for one in found if one is not None for name in one.pools):
        pools = [None if one is None else one.pools.get(name) for one in found]
        for field, (words, form) in ROWS.items():
            values = [None if one is None or (value := getattr(one, field)).value is None else form(value) for one in pools]
            if any(value is not None for value in values):
                yield f"{name} {words}" if field == "asked" else f"  {words}", values
    for name in dict.fromkeys(name for one in found if one is not None for name in one.waiting_s):
        waits = [None if one is None else one.waiting_s.get(name) for one in found]
        yield f"{name} waits for one", [None if wait is None else figures.time(wait) for wait in waits]

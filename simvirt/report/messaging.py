"""What became of messages, as lines of a report: of each operation that subscribes, what acted alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from simvirt.result import figures
from simvirt.result.messages import SubscriptionUse
from simvirt.result.run_document import PlatformResult

Line = tuple[str, list[str | None]]
RATIOS: Final = {
    "redelivered": "delivered anew", "dead_lettered": "dead letters", "dropped": "dropped", "lost": "lost", "repeated": "done twice",
}
"""Ratio of a subscription -> its line."""


def lines(platforms: Sequence[PlatformResult]) -> Iterator[Line]:
    """Every subscription on all platforms."""
    for name in dict.fromkeys(name for platform in platforms for name in platform.messages):
        yield from _lines(name, [platform.messages.get(name) for platform in platforms])


def _lines(name: str, found: Sequence[SubscriptionUse | None]) -> Iterator[Line]:
    """One subscription: rates, latency, the line and its consumers, and what went wrong as far as anything did."""
    yield name, [use and figures.rate(use.published_per_s) for use in found]
    yield "  done", [use and figures.rate(use.consumed_per_s) for use in found]
    for key in ("mean", "p95", "p99"):
        yield f"  latency {key}", [use and figures.time(getattr(use.latency_s, key)) for use in found]
    yield "  wait in line", [use and figures.time(use.wait_s) for use in found]
    yield "  in line", [use and figures.scaled(use.waiting) for use in found]
    yield "  most in line", [use and figures.scaled(use.longest) for use in found]
    yield "  consumers", [use and figures.percent(use.utilisation) for use in found]
    for key, label in RATIOS.items():
        if any(use and getattr(use, key).value for use in found):
            yield f"  {label}", [use and figures.percent(getattr(use, key)) for use in found]

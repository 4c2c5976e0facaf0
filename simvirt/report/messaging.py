"""What became of messages, as lines of a report: of each operation that subscribes, what acted alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
    yield name, _of(found, lambda use: figures.rate(use.published_per_s))
    yield "  done", _of(found, lambda use: figures.rate(use.consumed_per_s))
    yield "  latency mean", _of(found, lambda use: figures.time(use.latency_s.mean))
    yield "  latency p95", _of(found, lambda use: figures.time(use.latency_s.p95))
    yield "  latency p99", _of(found, lambda use: figures.time(use.latency_s.p99))
    yield "  wait in line", _of(found, lambda use: figures.time(use.wait_s))
    yield "  in line", _of(found, lambda use: figures.scaled(use.waiting))
    yield "  most in line", _of(found, lambda use: figures.scaled(use.longest))
    yield "  consumers", _of(found, lambda use: figures.percent(use.utilisation))
    for key, label in RATIOS.items():
        values = [getattr(use, key) if use is not None else None for use in found]
        if any(value is not None and value.value for value in values):
            yield f"  {label}", [None if value is None else figures.percent(value) for value in values]


def _of(found: Sequence[SubscriptionUse | None], form: Callable[[SubscriptionUse], str]) -> list[str | None]:
    """A number of each platform, as far as it has messages."""
    return [None if use is None else form(use) for use in found]

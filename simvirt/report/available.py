"""How available a system was, as rows: answered in time, down, why not, a strip over time; failures as a story with instants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from simvirt.report.blocks import Block, Points, Title
from simvirt.report.heading import counted
from simvirt.result import figures
from simvirt.result.availability import Availability, OutageResult
from simvirt.result.run_document import PlatformResult

LEVELS: Final = " ▁▂▃▄▅▆▇█"
PIECES: Final = 16
"""Letters of a strip, which fits beside others."""
FEW: Final = 4
"""Instances of a failure that are named."""
MOST: Final = 12
"""Failures of a platform that are told."""
WORDS: Final = {
    "rejected": "rejected", "lost": "process ended", "unanswered": "unanswered", "timed_out": "timed out",
    "breaker_open": "breaker open", "pool_full": "pool full", "shed": "shed",
}
"""Why requests are not answered, in words."""
Line = tuple[str, list[str | None]]
"""A label, and what is known of each platform."""


def lines(platforms: Sequence[PlatformResult]) -> Iterator[Line]:
    """The rows of the section; none where nothing fails."""
    found = [p.availability for p in platforms]
    known = next((one for one in found if one is not None), None)
    if known is None:
        return
    timely = "answered" if known.limit_s is None else f"in {figures.time(known.limit_s)}"

    def each(form: Callable[[Any], str], of: Callable[[Availability], Any]) -> list[str | None]:
        return [None if one is None else form(of(one)) for one in found]

    yield timely, each(figures.percent, lambda one: one.answered)
    yield "  at worst", each(figures.percent, lambda one: one.worst)
    yield "  over time", each(strip, lambda one: one)
    if known.budget_used is not None:
        yield "error budget used", each(figures.percent, lambda one: one.budget_used)
    yield "downtime", each(figures.time, lambda one: one.downtime_s)
    for name, words in WORDS.items():
        if any(one is not None and one.causes[name].value for one in found):
            yield f"  {words}", [None if one is None else figures.percent(one.causes[name]) for one in found]
    for name in known.services:
        yield f"{name} ready", [None if one is None else figures.percent(one.services[name].ready) for one in found]
    yield "failures", each(figures.scaled, lambda one: one.failures)


def strip(one: Availability) -> str:
    """The ratio answered over time, the worst of some intervals a letter."""
    pieces = [one.strip[n * len(one.strip) // PIECES:(n + 1) * len(one.strip) // PIECES] for n in range(min(PIECES, len(one.strip)))]
    worst = [min((value for value in piece if value is not None), default=None) for piece in pieces]
    return "".join("·" if value is None else LEVELS[int(value * (len(LEVELS) - 1))] for value in worst)


def story(platforms: Mapping[str, PlatformResult]) -> Iterator[Block]:
    """What failed on each platform in the first replication, and what that took with it."""
    told = [(name, one.availability.outages) for name, one in platforms.items() if one.availability is not None]
    if any(outages for _, outages in told):
        yield Title("Failures", ("of the first replication",))
        yield Points(tuple(point for name, outages in told for point in _points(name, outages)))


def _points(name: str, outages: Sequence[OutageResult]) -> Iterator[tuple[str, str]]:
    """The first failures on a platform."""
    yield from ((name, _told(outage)) for outage in outages[:MOST])
    if len(outages) > MOST:
        yield name, f"and {len(outages) - MOST} more"


def _told(outage: OutageResult) -> str:
    """One failure as a sentence."""
    some = outage.instances[:FEW]
    radius = ", ".join(some) + (f" and {len(outage.instances) - FEW} more instances" if len(outage.instances) > FEW else "")
    parts = [f"at {outage.at_s:.6g} s {outage.how} of {outage.where}"]
    if outage.instances:
        parts.append(f"it took {radius} and {counted(outage.requests, 'request')}")
        parts.append("never noticed" if outage.noticed_after_s is None else f"noticed after {figures.time(outage.noticed_after_s)}")
        back = outage.recovered_after_s
        parts.append("not back by the end" if back is None else f"back after {figures.time(back)}")
    return "; ".join(parts)

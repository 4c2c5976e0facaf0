"""How many replicas there were, as rows; each change of what was wanted as a story with instants."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from simvirt.report.blocks import Block, Points, Title
from simvirt.result import figures
from simvirt.result.run_document import PlatformResult
from simvirt.result.scaling import ChangeResult, ServiceScaling

MOST: Final = 12
"""Changes of a platform that are told."""
Line = tuple[str, list[str | None]]
"""A label, and what is known of each platform."""
ROWS: Final[Mapping[str, tuple[str, Callable[[Any], str]]]] = {
    "wanted": ("wanted", figures.scaled), "ready": ("ready", figures.scaled), "serving": ("serving", figures.scaled),
    "most": ("most at once", figures.scaled),
    "short_s": ("fewer serving", figures.time), "seen_s": ("age of metrics", figures.time), "ready_after_s": ("ready after", figures.time),
}
"""Field of a service -> how a row calls it, and how it is written."""


def lines(platforms: Sequence[PlatformResult]) -> Iterator[Line]:
    """The rows of services whose replicas changed; none where nothing acts on them."""
    found = [p.scaling for p in platforms]
    for name in dict.fromkeys(name for one in found if one is not None for name, of in one.services.items() if of.changes):
        services = [None if one is None else one.services.get(name) for one in found]
        for field, (words, form) in ROWS.items():
            values = [None if one is None or (value := getattr(one, field)).value is None else form(value) for one in services]
            if any(value is not None for value in values):
                yield f"{name} {words}" if field == "wanted" else f"  {words}", values


def story(platforms: Mapping[str, PlatformResult]) -> Iterator[Block]:
    """The changes on each platform in the first replication."""
    told = [(name, point) for name, one in platforms.items() if one.scaling is not None for point in _points(one.scaling.services)]
    if told:
        yield Title("Scaling", ("of the first replication",))
        yield Points(tuple(told))


def _points(services: Mapping[str, ServiceScaling]) -> Iterator[str]:
    """The first changes on a platform, in order."""
    found = sorted(((change, name) for name, one in services.items() for change in one.changes), key=lambda pair: pair[0].at_s)
    yield from (_told(name, change) for change, name in found[:MOST])
    if len(found) > MOST:
        yield f"and {len(found) - MOST} more"


def _told(name: str, change: ChangeResult) -> str:
    """One change as a sentence."""
    parts = [f"at {change.at_s:.6g} s {name} from {change.before} to {change.after}: {change.why}"]
    if change.window_s is not None:
        parts.append(f"seen over {figures.time(change.window_s)} until {figures.time(change.age_s)} before")
    if change.ready_after_s is not None:
        parts.append(f"ready after {figures.time(change.ready_after_s)}")
    return "; ".join(parts)

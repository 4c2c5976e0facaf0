"""What happened, as rows and as a short story with instants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from simvirt.report.blocks import Block, Points, Title
from simvirt.report.heading import counted
from simvirt.result import figures
from simvirt.result.events import EventResult, Happened
from simvirt.result.run_document import PlatformResult

MOST: Final = 16
"""Sentences of a platform's story."""
Line = tuple[str, list[str | None]]
"""A label, and what is known of each platform."""


def lines(platforms: Sequence[PlatformResult]) -> Iterator[Line]:
    """The rows of the section; none where nothing acts on instances."""
    found = [platform.happened for platform in platforms]
    if not any(found):
        return
    yield "started", [None if one is None else figures.scaled(one.started) for one in found]
    yield "there at the end", [None if one is None else figures.scaled(one.running) for one in found]
    for cause in sorted({cause for one in found if one is not None for cause in one.ended}):
        yield f"  {cause}", [None if one is None or cause not in one.ended else figures.scaled(one.ended[cause]) for one in found]


def story(platforms: Mapping[str, PlatformResult]) -> Iterator[Block]:
    """What happened on each platform in the first replication, like events of an instant together."""
    told = [(name, one.happened) for name, one in platforms.items() if one.happened is not None and one.happened.events]
    if told:
        yield Title("Events", ("of the first replication",))
        yield Points(tuple(point for name, happened in told for point in _points(name, happened)))


def _points(name: str, happened: Happened) -> Iterator[tuple[str, str]]:
    """The first sentences of a platform's story, how many are left out, and of which kinds all are where there are very many."""
    sentences = list(sentences_of(happened.events))
    yield from ((name, sentence) for sentence in sentences[:MOST])
    if len(sentences) > MOST or happened.told > len(happened.events):
        left = happened.told - sum(many for _, many in _together(happened.events)[:MOST])
        yield name, f"and {counted(left, 'event')} more"
    if happened.counted:
        kinds = sorted(happened.counted.items(), key=lambda item: -item[1])
        yield name, f"of all {counted(happened.told, 'event')}, {', '.join(f'{many:,} {what}' for what, many in kinds)}"


def sentences_of(events: Sequence[EventResult]) -> Iterator[str]:
    """Events in words; those of a kind that follow one another within a second are one sentence."""
    for group, _ in _together(events):
        yield _sentence(group)


def _together(events: Sequence[EventResult]) -> list[tuple[list[EventResult], int]]:
    """Events of a kind of a service that follow one another within a second, with their number."""
    kept = [event for event in events if event.what not in ("stop", "start")]
    order = {(event.what, _service(event), int(event.at_s)): place for place, event in reversed(list(enumerate(kept)))}
    ordered = sorted(kept, key=lambda event: order[event.what, _service(event), int(event.at_s)])
    found = [list(group) for _, group in groupby(ordered, key=lambda event: (event.what, _service(event), int(event.at_s)))]
    return [(group, len(group)) for group in found]


def _service(event: EventResult) -> str:
    """The service of an instance, or what something is about."""
    name, _, slot = event.who.rpartition("-")
    return name if slot.isdigit() else event.who


def _sentence(group: Sequence[EventResult]) -> str:
    """Some events of a kind as a sentence."""
    first, last = group[0], group[-1]
    at = f"at {first.at_s:.6g} s" if len(group) == 1 or last.at_s == first.at_s else f"from {first.at_s:.6g} to {last.at_s:.6g} s"
    names = list(dict.fromkeys(event.who for event in group))
    who = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    places = Counter(event.where for event in group if event.where is not None)
    where = f" on {', '.join(sorted(places)[:3])}{' ...' if len(places) > 3 else ''}" if places else ""
    why = f": {first.why}" if first.why and len({event.why for event in group}) == 1 else ""
    return f"{at} {who} {first.what}{where}{why}"

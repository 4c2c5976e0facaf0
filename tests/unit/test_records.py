"""Records of starts and of what happened are kept in few numbers, and come back as they were."""

from __future__ import annotations

import random
import sys

from simvirt.control.records import Events, Span, Spans, Story, Told


def spans(seed: int, count: int) -> list[Span]:
    """Phases some of which follow at once on the one before, some wait, some overlap it."""
    draw, last, found = random.Random(seed), 0, list[Span]()
    for number in range(count):
        due = last if draw.random() < 0.6 else draw.randrange(last + 10)
        began = due if draw.random() < 0.7 else due + draw.randrange(100)
        last = began + draw.randrange(10**12)
        found.append(Span(f"phase {number % 5}", "layer", due, began, last))
    return found


def test_phases_come_back_as_they_were() -> None:
    for seed in range(50):
        given = spans(seed, seed)
        kept = Spans(given[: seed // 2])
        kept += given[seed // 2:]
        assert list(kept) == given and len(kept) == len(given) and kept == Spans(given)
        assert all(kept[at] == one for at, one in enumerate(given))
        assert kept != Spans([*given, Span("other", "layer", 1, 2, 3)])


def test_phases_one_after_the_other_are_a_number_each() -> None:
    kept = Spans(Span("phase", "layer", at, at, at + 1) for at in range(100))
    assert len(kept._times) == 102


def test_events_come_back_as_they_were() -> None:
    class At:
        now = 0

    clock, given = At(), list[Told]()
    story = Story(clock)
    for number in range(200):
        clock.now = number // 3
        told = Told(clock.now, "ready", f"web-{number % 7}", "node[1]" if number % 2 else None, None if number % 3 else "why", number % 5 or None)
        story.tell(told.what, told.who, told.where, told.why, told.row)
        given.append(told)
    assert list(story.events) == given
    assert story.events[:3] == given[:3] and story.events[-1] == given[-1]


def test_an_event_costs_a_row_of_six_columns() -> None:
    story = Events()
    for number in range(10_000):
        story.add(Told(number, "ready", "web-1", "node[1]", "why", 3))
    held = sum(sys.getsizeof(getattr(story, name)) for name in Events.__slots__)
    assert held < 10_000 * 6 * 8 * 1.2

"""The life of an instance: start, ready, stop, crash, restart."""

from collections.abc import Generator
from typing import Any

import simpy

from simvirt.clock import Clock
from simvirt.lowering.arrange import INTERNAL
from simvirt.scenario.slots import is_first
from simvirt.scenario.spec.models import Scenario, TimelineEvent

Process = Generator[simpy.Event, Any, None]


def start(clock: Clock, service: str, instance: int) -> Process:
    """Start an instance: its start-up work is done on its own CPUs, then it takes requests; as the story has it where there is one.

    One that is being stopped starts once it is down; one that is up already stays as it is.
    """
    plane = clock.plane
    if plane.is_draining(instance):
        yield plane.drain(instance)
    if not plane.start(instance):
        return
    if clock.starts is not None:
        yield from clock.starts.start(instance)
        return
    with plane.perform(plane.lowered.startup[service], instance) as done:
        yield done
    plane.start_background(instance)
    plane.admit(instance)


def stop(clock: Clock, instance: int) -> Process:
    """Stop an instance gracefully: it answers what it has and ends."""
    if clock.starts is not None:
        clock.starts.abandon(instance)
    yield clock.plane.drain(instance)
    clock.plane.stop(instance)
    if clock.starts is not None:
        clock.starts.stopped(instance)


def crash(clock: Clock, service: str, instance: int, restart: int | None, why: str = "crashed") -> Process:
    """Kill an instance; with a restart policy it starts again after a delay [ns], unless an orchestrator decides what becomes of it."""
    clock.plane.crash(instance)
    if clock.starts is not None:
        clock.starts.abandon(instance)
        if clock.starts.crashed(instance, why):
            return
    if restart is not None:
        yield clock.timeout(restart)
        yield from start(clock, service, instance)


def begin(clock: Clock, scenario: Scenario) -> None:
    """Before the first request: every instance is up, but those that the timeline starts later."""
    for row in up_at_first(clock, scenario):
        clock.plane.start_background(row)
        clock.plane.admit(row)
    follow_timeline(clock, scenario)


def up_at_first(clock: Clock, scenario: Scenario) -> list[int]:
    """The instances that are up before the first request: all but those that the timeline starts before it stops them."""
    late = {row for event in scenario.timeline if event.start is not None for row in rows_of(clock, event, event.start)}
    stopped_before = {
        row for event in scenario.timeline for name in (event.stop, event.crash) if name is not None for row in rows_of(clock, event, name)
    }
    lowered, absent = clock.plane.lowered, late - stopped_before
    return [
        one.row for one in lowered.arrangement.instances
        if one.row not in absent and (one.service in INTERNAL or is_first(scenario, one.service, one.replica))]


def follow_timeline(clock: Clock, scenario: Scenario) -> None:
    """Let the events of the timeline happen."""
    for event in scenario.timeline:
        clock.process(happen(clock, event))


def rows_of(clock: Clock, event: TimelineEvent, service: str) -> list[int]:
    """The instances that an event of the timeline is about; of those that an orchestrator has, which are there."""
    standing = clock.starts.standing(service) if clock.starts is not None else None
    if standing is not None:
        return list(standing.values()) if event.replica is None else [standing[event.replica]] if event.replica in standing else []
    rows = clock.plane.instances_of(service)
    return rows if event.replica is None else [rows[event.replica]]


def happen(clock: Clock, event: TimelineEvent) -> Process:
    """An event of the timeline, at its instant."""
    yield clock.timeout(event.at)
    for name, process in (("start", _start), ("stop", _stop), ("crash", _crash)):
        service = getattr(event, name)
        if service is not None:
            for row in rows_of(clock, event, service):
                clock.process(process(clock, service, row, event))


def _start(clock: Clock, service: str, row: int, event: TimelineEvent) -> Process:
    return start(clock, service, row)


def _stop(clock: Clock, service: str, row: int, event: TimelineEvent) -> Process:
    return stop(clock, row)


def _crash(clock: Clock, service: str, row: int, event: TimelineEvent) -> Process:
    return crash(clock, service, row, event.restart)

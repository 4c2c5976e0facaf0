"""The stages of a start: what is done for its image, by the monitor and the guest of its VM, by its runtime, by the application itself.

*Model*: a phase belongs to the stage of its layer; before it begins, and while other services are waited for, a start waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.catalog.resolve.startups import software_name
from simvirt.control.fetching import BUILD, LAYER
from simvirt.control.records import DEPENDENCIES, Life, Span, way_to
from simvirt.metrics.lifecycle import S, taken
from simvirt.result.deploy_document import StagePart, StartCourse
from simvirt.scenario.spec.models import Scenario

IMAGE, MONITOR, GUEST, RUNTIME, APPLICATION, WAITING = STAGES = ("image", "monitor", "guest", "runtime", "application", "waiting")
MOST_STARTS: Final = 24
MOST_INSTANTS: Final = 200
Stretch = tuple[str, int, int]
"""A stage, and when it began and ended [ns]."""


def stages_of(scenario: Scenario, catalog: Catalog, platform: Platform) -> dict[str, str]:
    """The stage of each layer that is not a guest: one that is not among them boots in a VM."""
    images = {spec.image for spec in scenario.services.values() if spec.image is not None}
    software = {name for image in images if (name := software_name(catalog, image)) is not None}
    found = dict.fromkeys([*scenario.services, *software], APPLICATION) | {LAYER: IMAGE, BUILD: IMAGE}
    found |= {layer.name: RUNTIME for layer in platform.runtimes}
    return found | {layer.name: MONITOR for layer in platform.hypervisors}


def stretches(spans: Iterable[Span], stage_of: Mapping[str, str]) -> Iterator[Stretch]:
    """Spans as stages, one after the other, what is waited for before and in them apart."""
    for span in spans:
        if span.phase == DEPENDENCIES:
            yield WAITING, span.due, span.ended
            continue
        yield WAITING, span.due, span.began
        yield stage_of.get(span.layer, GUEST), span.began, span.ended


def on_the_way(lives: Sequence[Life], stage_of: Mapping[str, str]) -> dict[str, float]:
    """The time that each stage took on the way to the last instance that was ready [s]; nothing without instances."""
    found = dict.fromkeys(STAGES, 0.0)
    if lives:
        for stage, began, ended in stretches(way_to(max(lives, key=taken), lives), stage_of):
            found[stage] += (ended - began) / S
    return found


def ready_at(lives: Sequence[Life]) -> tuple[float, ...]:
    """When instances were ready, ascending [s]."""
    instants = sorted(life.ready / S for life in lives if life.ready is not None)
    return tuple(instants[place] for place in evenly(len(instants), MOST_INSTANTS))


def courses(lives: Sequence[Life], hosts: Sequence[str], stage_of: Mapping[str, str]) -> tuple[StartCourse, ...]:
    """How some of the starts went, in the order in which they were ready."""
    ordered = sorted(lives, key=lambda life: (life.ready is None, life.ready or 0))
    return tuple(_course(ordered[place], hosts, stage_of) for place in evenly(len(ordered), MOST_STARTS))


def evenly(count: int, most: int) -> list[int]:
    """At most so many places of a row, its ends among them."""
    return list(range(count)) if count <= most else [round(place * (count - 1) / (most - 1)) for place in range(most)]


def _course(life: Life, hosts: Sequence[str], stage_of: Mapping[str, str]) -> StartCourse:
    """A start, with stretches of one stage that follow each other as one."""
    parts = (part for part in stretches(life.spans, stage_of) if part[2] > part[1])
    joined = ([*group] for _, group in groupby(parts, key=lambda part: part[0]))
    return StartCourse(
        service=life.service, replica=life.replica, host=hosts[life.host], ready_s=None if life.ready is None else life.ready / S,
        parts=tuple(StagePart(stage=part[0][0], from_s=part[0][1] / S, to_s=part[-1][2] / S) for part in joined))

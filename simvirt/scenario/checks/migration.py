"""Hosts of the timeline that are not there, and moves that have nowhere to go."""

from __future__ import annotations

from collections.abc import Iterator

from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.experiment import TimelineEvent
from simvirt.scenario.spec.models import Scenario

Mistake = tuple[Path, str]
"""The path of a value and the message about it."""


def moves_to_nowhere(scenario: Scenario, event: TimelineEvent, path: Path) -> Iterator[Mistake]:
    """Mistakes of an event that moves something to another host."""
    if not event.moves:
        return
    names = [host.name for host in scenario.each_host]
    if len(names) < 2:
        example = "hosts: {node: {count: 2, cores: 4, memory: 16GiB}}"
        yield (*path, event.verb), f"expected another host that there is to move to, for example {example}; there is one"
        return
    for key in ("to", "drain"):
        name = getattr(event, key)
        if name is not None and name not in names:
            yield (*path, key), f"there is no host {name[:60]}; expected one of the hosts, for example {names[0]}"

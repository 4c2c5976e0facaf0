"""Whether what is said of hosts can be asked of them: labels that have a name of their own, keys that no host has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from simvirt.scenario.reading.tree import Path
from simvirt.scenario.spec.models import Scenario

OWN: Final = ("zone", "pool", "host")
"""Keys under which every host is known; labels of these names would never be looked at."""


def placement_mistakes(scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """Labels that nothing can ask for, and keys over which replicas cannot be spread."""
    for name, pool in scenario.pools.items():
        for label in pool.labels:
            if label in OWN:
                advice = f"{name}.zone" if label == "zone" else f"another name, for example my-{label}"
                yield ("hosts", name, "labels", label), f"placement takes {label} for what hosts have without a label; expected {advice}"
    if scenario.several_hosts:
        yield from _spread_over_nothing(scenario)


def _spread_over_nothing(scenario: Scenario) -> Iterator[tuple[Path, str]]:
    """Services that are to be spread over what no host has."""
    known = {*OWN, *(label for pool in scenario.pools.values() for label in pool.labels)}
    for name, service in scenario.services.items():
        key = service.deploy.placement.spread if service.deploy.placement is not None else None
        if key is not None and key not in known:
            said = f"no host has a {key}; expected a key that hosts have: {', '.join(sorted(known))}"
            yield ("services", name, "deploy", "placement", "spread"), said

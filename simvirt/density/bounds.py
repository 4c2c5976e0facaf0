"""What n cannot exceed, known without simulating n: memory and other limits, and where a resource would be used up.

*Model*: a hard bound counts: so many bytes, addresses or ports for each instance. A soft one comes from the utilisation law: the
    utilisation of a resource that all instances share grows with n, u(n) = n u(m) / m, and cannot exceed 1. Hard bounds end the search,
    soft ones guide it.
*Source*: Denning and Buzen, The operational analysis of queueing network models, ACM Computing Surveys 10 (1978).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simvirt.density.scaling import Unit
from simvirt.density.trials import Point, mean_of
from simvirt.scenario.models import Scenario

HOST = ("host.cpu", "host.disk", "host.nic")
END = "max"
"""The bound that the scenario sets to the search itself."""


@dataclass(frozen=True)
class Bound:
    """A resource, the largest n that it admits, and why."""

    resource: str
    most: int
    hard: bool
    why: str

    def document(self) -> dict[str, Any]:
        """The bound as it stands in a result's JSON."""
        return {"resource": self.resource, "n": self.most, "hard": self.hard, "why": self.why}


def end_of_search(unit: Unit) -> Bound:
    """Where the scenario ends the search."""
    return Bound(END, unit.most, True, "density.max")


def lowest(bounds: Sequence[Bound]) -> Bound:
    """The bound that is reached first; of equals the first."""
    return min(bounds, key=lambda bound: bound.most)


def soft_bounds(point: Point, scenario: Scenario, unit: Unit) -> list[Bound]:
    """Where resources that all instances share would be used up, as their use at a simulated point has it."""
    found = []
    for name in point.outcomes[0].resources:
        used = mean_of(point.outcomes, lambda o, name=name: o.resources[name])  # type: ignore[misc]
        if used > 0 and is_shared(name, scenario, unit):
            why = f"{used:.3g} of it used by {point.n}: used up by {point.n / used:,.0f}"
            found.append(Bound(name, math.floor(min(point.n / used, 10**9)), False, why))
    return found


def is_shared(resource: str, scenario: Scenario, unit: Unit) -> bool:
    """Whether all instances share a resource, so that its utilisation grows with n; each replica of an instance has its own limits."""
    service, _, _ = resource.rpartition(".")
    if resource in HOST:
        return True
    return unit.service is not None and service in scenario.services and service != unit.service

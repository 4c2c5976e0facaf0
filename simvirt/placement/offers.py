"""Resource offers: a cluster offers what is free, a framework takes what it wants.

*Model*: the allocator offers each agent's free resources to the framework with the smallest dominant share first; what that one leaves
    goes to the next, and a framework that refused an agent is not asked again before its filter ends.
*Ignores*: roles, quotas, revocable resources and reservations.
*Source*: Apache Mesos documentation, Architecture and Application Framework Development Guide (Filters.refuse_seconds 5 s,
    --allocation_interval 1 s); src/master/allocator/mesos/hierarchical.cpp.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from simvirt.placement.fairness import dominant

ALLOCATION_INTERVAL_S: Final = 1.0
"""Time between two rounds of offers [s]: --allocation_interval of the master."""
REFUSE_S: Final = 5.0
"""How long what a framework refused is not offered to it again [s]: Filters.refuse_seconds."""
TIGHT: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework: what it holds of each resource, and the tasks that it would launch, in its order."""

    name: str
    holds: Mapping[str, float]
    tasks: tuple[Mapping[str, float], ...] = ()
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Accepted:
    """Which of a framework's tasks fit into an offer, and what is left of it."""

    tasks: tuple[int, ...]
    left: Mapping[str, float]


def accept(offer: Mapping[str, float], tasks: Sequence[Mapping[str, float]]) -> Accepted:
    """The tasks that a framework launches on an offer, one after the other, each that still fits."""
    left, taken = dict(offer), []
    for place, task in enumerate(tasks):
        if all(need <= left.get(name, 0.0) + TIGHT for name, need in task.items()):
            taken.append(place)
            left = {name: room - task.get(name, 0.0) for name, room in left.items()}
    return Accepted(tuple(taken), left)


def offered_first(frameworks: Sequence[Framework], total: Mapping[str, float]) -> list[int]:
    """Frameworks in the order of their dominant shares over their weights."""
    shares = [dominant(each.holds, total)[1] / each.weight if each.holds else 0.0 for each in frameworks]
    return sorted(range(len(frameworks)), key=lambda place: (round(shares[place], 12), frameworks[place].name))

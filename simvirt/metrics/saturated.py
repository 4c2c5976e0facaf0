"""What is used up in a system that does not keep up with its load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from simvirt.scenario.graph import calls
from simvirt.scenario.spec.models import Scenario

USED_UP: Final = 0.95
"""Utilisation from which a resource is used up; short of 1 by what replicas that are not loaded alike leave idle."""
THREADS: Final = ".threads"
NO_LOAD: Final = "no requests"
NOT_REACHED: Final = "no limit within the work"
NOT_NARROWED: Final = "no more within the work"
SLOWLY: Final = "losses grow slowly"
BY_CHANCE: Final = "chance: backlogs stay"
KILLED: Final = "OOM killers end replicas"
INTERRUPTED: Final = "interrupted"
"""Why a maximum is not known, or only as a range; what each means is said in docs/models/statistics.md."""


@dataclass(frozen=True)
class Saturation:
    """The maximum throughput of a platform: a value or only a range, why no more than that, and the resource that saturates."""

    per_s: float | None = None
    low_per_s: float | None = None
    high_per_s: float | None = None
    resource: str | None = None
    reason: str = ""
    events: int = 0


def fullest(used: Mapping[str, float]) -> str:
    """The resource nearest to its limit; of those that are used up one that threads wait for, and not the pool of the threads."""
    up = [name for name, value in used.items() if value >= USED_UP and not name.endswith(THREADS)]
    return max(up or used, key=lambda name: used[name])


def saturated_resource(scenario: Scenario, used: Mapping[str, float]) -> str | None:
    """The resource that is used up: a device or CPU, else the pool of threads that no other full one is called from.

    Threads that wait for a full device or for a full pool further down are held by it, and are full because of it. Where nothing is
    used up, the resource nearest to that; None without any.
    """
    own = {name: value for name, value in used.items() if not name.endswith(THREADS)}
    fullest = max(own, key=lambda name: own[name], default=None)
    if fullest is not None and own[fullest] >= USED_UP:
        return fullest
    pools = [name.removesuffix(THREADS) for name, value in used.items() if name.endswith(THREADS) and value >= USED_UP]
    below = _called(scenario)
    last = [f"{name}{THREADS}" for name in pools if not below[name] & (set(pools) - {name})]
    return max(last or used, key=lambda name: used[name], default=None)


def _called(scenario: Scenario) -> dict[str, set[str]]:
    """The services that each service calls, itself or through others."""
    found: dict[str, set[str]] = {name: set() for name in scenario.services}
    for (service, _), callees in calls(scenario, published=False).items():
        found[service] |= {callee for callee, _ in callees}
    for middle in found:
        for reached in found.values():
            if middle in reached:
                reached |= found[middle]
    return found

"""What a platform charges: every part of every cost in ns on a host, and where a second of CPU time goes.

*Model*: costs of all layers add; a rate operation is charged its CPU work and its latency at the rate of the workload, as when simulated.
*Ignores*: operations of devices, which follow from events and steps and not from CPU time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from simvirt.catalog.entries.costs import PARTS, CostSpec
from simvirt.catalog.entries.software import ProfileEntry
from simvirt.catalog.operations import OPERATIONS, RATE_OPERATIONS
from simvirt.catalog.records import HostEntry, Layer, Platform, Row, work_ns
from simvirt.catalog.resolve.layers import platform_costs, software_costs
from simvirt.catalog.sourced import SourcedWork


@dataclass(frozen=True, slots=True)
class Charge(Row):
    """One term of a part of what one operation costs in one layer [ns on a host]; `part` is empty where the layer charges nothing."""

    layer: str
    operation: str
    part: str
    ns: float
    spread_ns: tuple[float, float] | None
    given: str
    source: str
    estimated: bool


@dataclass(frozen=True, slots=True)
class Difference(Row):
    """One part of what one operation costs on two platforms, summed over their layers [ns on a host]; what is spared is below zero."""

    operation: str
    part: str
    ns: float
    against_ns: float

    def document(self) -> dict[str, Any]:
        """The row as JSON takes it."""
        return {**asdict(self), "difference_ns": self.against_ns - self.ns}


@dataclass(frozen=True, slots=True)
class Spent(Row):
    """What becomes of CPU time: `seconds` beside each second of the application, `share` of all; no `operation` for the application."""

    platform: str
    operation: str
    rate_per_s: float
    ns: float
    seconds: float
    share: float


def charges(platform: Platform, host: HostEntry) -> list[Charge]:
    """Every cost of a platform, operation by operation, outermost layer first."""
    return [row for operation in OPERATIONS for layer in platform.layers for row in _charges(layer, operation, host, platform.pages)]


def _charges(layer: Layer, operation: str, host: HostEntry, pages: str) -> Iterator[Charge]:
    spec = layer.costs[operation]
    if spec.none is not None:
        yield Charge(layer.name, operation, "", 0.0, None, "", spec.none, False)
    for part in PARTS:
        share = layer.share(operation, part, host, pages)
        for term in getattr(spec, part) or ():
            yield _charge(layer.name, operation, part, term, share * work_ns(term, host, layer.depth, pages))


def _charge(layer: str, operation: str, part: str, work: SourcedWork, ns: float) -> Charge:
    """A term with its spread in the same unit as its value, here ns."""
    each = ns / work.value if work.value else 0.0
    spread = (work.spread[0] * each, work.spread[1] * each) if work.spread and each else None
    given = "" if work.unit == "ns" else f"{work.value:g} {work.unit}"
    return Charge(layer, operation, part, ns, spread, given, work.source, work.estimated)


def differences(platform: Platform, against: Platform, host: HostEntry) -> list[Difference]:
    """Every part of a cost that either of two platforms has."""
    one, two = (platform_costs(each, host) for each in (platform, against))
    signs = {part: -1.0 if part == "spared" else 1.0 for part in PARTS}
    rows = [
        Difference(operation, part, *(sign * getattr(costs, f"{part}_ns")[operation] for costs in (one, two)))
        for operation in OPERATIONS for part, sign in signs.items()
    ]
    return [row for row in rows if row.ns or row.against_ns]


def spending(platform: Platform, profile: ProfileEntry, host: HostEntry) -> list[Spent]:
    """Where a second of CPU time goes on a platform: the application first, then each operation that costs something."""
    costs = software_costs(platform_costs(platform, host), platform, host, profile)
    each = {name: costs.work_ns(name) for name in RATE_OPERATIONS}
    seconds = {name: profile.rates.get(name, 0.0) * each[name] / 1e9 for name in RATE_OPERATIONS}
    total = 1.0 + math.fsum(seconds.values())
    charged = [
        Spent(platform.name, name, profile.rates[name], each[name], added, added / total) for name, added in seconds.items() if added
    ]
    return [Spent(platform.name, "", 0.0, 0.0, 1.0, 1.0 / total), *sorted(charged, key=lambda row: -row.seconds)]


def sourced_share(costs: list[CostSpec]) -> tuple[int, int]:
    """How many numbers there are in some costs, and how many of them are estimates."""
    numbers = [term for cost in costs for part in PARTS for term in getattr(cost, part) or ()]
    return len(numbers), sum(work.estimated for work in numbers)

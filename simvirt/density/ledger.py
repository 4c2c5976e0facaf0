"""How much memory n instances take, and the largest n that memory and all that is counted on a host admit.

*Model*: the footprint of `simvirt.memory` at the load that n instances bring; n fits while the sum of its parts is within physical
    memory. Everything else that there is only so many of (addresses, ports of a bridge, processes ...) grows in a straight line with n.
"""

from __future__ import annotations

import math

from simvirt.catalog import Catalog
from simvirt.catalog.resolved import HostEntry, Platform
from simvirt.density.bounds import Bound
from simvirt.density.scaling import Unit, scaled
from simvirt.memory import Ledger, Limit, footprint
from simvirt.memory import limits as all_limits
from simvirt.scenario.models import Scenario

MEMORY = "memory"


def ledger(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit, n: int) -> Ledger:
    """Who holds the host's memory where there are n instances."""
    return footprint(scaled(scenario, unit, n), catalog, platform, catalog.resolve_host(scenario.host))


def limits(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit) -> list[Bound]:
    """The largest n that each countable resource of the host admits."""
    host = catalog.resolve_host(scenario.host)
    counted = all_limits(scaled(scenario, unit, 1), catalog, platform, host)
    found = [_counted(limit, scenario, unit) for limit in counted if limit.resource != MEMORY]
    return [_memory(scenario, catalog, platform, unit, host), *(bound for bound in found if bound is not None)]


def _memory(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit, host: HostEntry) -> Bound:
    """The largest n whose footprint is within the host's memory, by bisection up to the end of the search."""
    def demand(n: int) -> int:
        return ledger(scenario, catalog, platform, unit, n).demand

    low, high = 0, unit.most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if demand(middle) <= host.memory else (low, middle)
    each = demand(2) - demand(1)
    why = f"{each / 2**20:,.0f} MiB for each beyond the first, {host.memory / 2**30:,.0f} GiB in all"
    if low == unit.most and each > 0:
        low += max(0, math.floor((host.memory - demand(low)) / each))
    return Bound(MEMORY, low, True, why)


def _counted(limit: Limit, scenario: Scenario, unit: Unit) -> Bound | None:
    """The largest n for one limit; None where instances take nothing of it."""
    one, two = (limit.demand(_replicas(scenario, unit, n)) for n in (1, 2))
    each = two - one
    if each <= 0:
        return None
    most = math.floor((limit.capacity - one + each) / each + 1e-9)
    return Bound(limit.resource, max(0, most), True, f"{each:,.4g} for each instance, {limit.capacity:,.6g} in all: {limit.source}")


def _replicas(scenario: Scenario, unit: Unit, n: int) -> dict[str, int]:
    return {name: service.replicas for name, service in scaled(scenario, unit, n).services.items()}

"""How much memory n instances take, and the largest n that memory and all that is counted on a host admit.

*Model*: the footprint of `simvirt.memory` at the load that n instances bring; n fits while the sum of its parts is within physical
    memory. Where memory is followed (KSM, balloons, swap ...), n fits while a host that has reclaimed all it can kills nothing;
    whether it is still fast enough is simulated. Everything else that there is only so many of (addresses, ports of a bridge, processes
    ...) grows in a straight line with n.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from simvirt.capacity.limits import Limit
from simvirt.capacity.limits import limits as all_limits
from simvirt.catalog import Catalog
from simvirt.catalog.records import HostEntry, Platform
from simvirt.control.settled import settled
from simvirt.density.bounds import Bound
from simvirt.density.copies import Unit, scaled
from simvirt.lowering.lower import lower
from simvirt.lowering.memory import follows
from simvirt.memory import Ledger, footprint
from simvirt.memory.reclaim import HostMemory, Kill
from simvirt.scenario.spec.models import Scenario
from simvirt.units import format_size
from simvirt.workload.streams import PHASES, stream

MEMORY = "memory"


def ledger(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit, n: int) -> Ledger:
    """Who holds the host's memory where there are n instances."""
    if n > 0 and follows(scenario, platform):
        return _settled(scenario, catalog, platform, unit, n)[0].ledger()
    return footprint(scaled(scenario, unit, n), catalog, platform, catalog.resolve_host(scenario.host))


def _settled(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit, n: int) -> tuple[HostMemory, list[Kill]]:
    """The host's memory where n instances have run for long, and whom OOM killers end."""
    return settled(lower(scaled(scenario, unit, n), catalog, platform, stream(scenario.run.seed, 0, PHASES)))


def limits(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit) -> list[Bound]:
    """The largest n that each countable resource of the host admits."""
    host = catalog.resolve_host(scenario.host)
    counted = all_limits(scaled(scenario, unit, 1), catalog, platform, host)
    found = [_counted(limit, scenario, unit) for limit in counted if limit.resource != MEMORY]
    return [_memory(scenario, catalog, platform, unit, host), *(bound for bound in found if bound is not None)]


def _memory(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit, host: HostEntry) -> Bound:
    """The largest n that the host's memory holds, by bisection up to the end of the search."""
    def demand(n: int) -> int:
        return footprint(scaled(scenario, unit, n), catalog, platform, host).demand

    def fits(n: int) -> bool:
        return not _settled(scenario, catalog, platform, unit, n)[1] if followed else demand(n) <= host.memory

    followed, each, room = follows(scenario, platform), demand(2) - demand(1), host.memory + (scenario.host.swap or 0)
    most = _largest(fits, unit.most)
    why = f"{format_size(each)} for each beyond the first, {format_size(room)} in all"
    if most == unit.most and each > 0:
        most += max(0, math.floor((room - demand(most)) / each))
    kills = _settled(scenario, catalog, platform, unit, most + 1)[1] if followed and most < unit.most else []
    lacks = f": {kills[0].why.partition(';')[0]}" if kills else ""
    return Bound(MEMORY, most, True, f"{why}, reclaim included{lacks}" if followed else why)


def _largest(fits: Callable[[int], bool], most: int) -> int:
    """The largest n up to `most` that fits, 0 where none does."""
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


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

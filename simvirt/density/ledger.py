"""How much memory n instances take, and the largest n that memory and all that is counted on a host admit.

*Model*: the footprint of `simvirt.memory` at the load that n instances bring; n fits while the sum of its parts is within physical
    memory. Where memory is followed (KSM, balloons, swap ...), n fits while a host that has reclaimed all it can kills nothing;
    whether it is still fast enough is simulated. Everything else that there is only so many of (addresses, ports of a bridge, processes
    ...) grows in a straight line with n.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

from simvirt.capacity.limits import Limit
from simvirt.capacity.limits import limits as all_limits
from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.density.bounds import Bound
from simvirt.density.copies import Unit, scaled
from simvirt.density.host_limits import host_limits
from simvirt.density.hosts import MEMORY, Carrier, carriers
from simvirt.lowering.memory_needs import follows
from simvirt.memory import Ledger, Occupancy, footprint, occupancy
from simvirt.memory.at_rest import settled
from simvirt.memory.ledger import together
from simvirt.scenario.spec.models import Scenario
from simvirt.units import format_size


def ledger(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit, n: int) -> Ledger:
    """Who holds the memory of all hosts where there are n instances."""
    return together(Counter(ledgers(carriers(scenario, catalog, platform, unit, n), n > 0 and follows(scenario, platform))))


def ledgers(hosts: Sequence[Carrier], followed: bool) -> list[Ledger]:
    """Who holds the memory of each host."""
    distinct = {id(host.there): host.there for host in hosts}
    found = {key: settled(there)[0].ledger() if followed else footprint(there) for key, there in distinct.items()}
    return [found[id(host.there)] for host in hosts]


def _instances(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit, n: int) -> Occupancy:
    """A host with n instances."""
    return occupancy(scaled(scenario, unit, n), catalog, platform, catalog.resolve_host(scenario.host))


def limits(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit) -> list[Bound]:
    """The largest n that each countable resource of the host admits, or those of several hosts and placement together."""
    if scenario.several_hosts:
        return host_limits(scenario, catalog, platform, unit)
    counted = all_limits(_instances(scenario, catalog, platform, unit, 1), catalog)
    found = [_counted(limit, scenario, unit) for limit in counted if limit.resource != MEMORY]
    return [_memory(scenario, catalog, platform, unit), *(bound for bound in found if bound is not None)]


def _memory(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit) -> Bound:
    """The largest n that the host's memory holds, by bisection up to the end of the search."""
    def there(n: int) -> Occupancy:
        return _instances(scenario, catalog, platform, unit, n)

    def demand(n: int) -> int:
        return footprint(there(n)).demand

    def fits(n: int) -> bool:
        return not settled(there(n))[1] if followed else demand(n) <= memory

    followed, each, memory = follows(scenario, platform), demand(2) - demand(1), there(0).host.memory
    room = memory + (scenario.host.swap or 0)
    most = _largest(fits, unit.most)
    why = f"{format_size(each)} for each beyond the first, {format_size(room)} in all"
    if most == unit.most and each > 0:
        most += max(0, math.floor((room - demand(most)) / each))
    kills = settled(there(most + 1))[1] if followed and most < unit.most else []
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
    raised = f"; to raise it: {limit.raised}" if limit.raised else ""
    return Bound(limit.resource, max(0, most), True, f"{each:,.4g} for each instance, {limit.capacity:,.6g} in all: {limit.source}{raised}")


def _replicas(scenario: Scenario, unit: Unit, n: int) -> dict[str, int]:
    return {name: service.replicas for name, service in scaled(scenario, unit, n).services.items()}

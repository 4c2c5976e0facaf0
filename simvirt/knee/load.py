"""What a search for the knee counts: small equal parts of a load, or clients."""

from __future__ import annotations

import math
from typing import Final

from simvirt.catalog import Catalog
from simvirt.catalog.records import Platform
from simvirt.density.bounds import analytic_bounds, lowest
from simvirt.density.copies import Unit
from simvirt.errors import UsageError
from simvirt.scenario.rates import mean_rate
from simvirt.scenario.spec.models import Scenario

PARTS: Final = 100_000
"""Parts of the load up to where the host is used up, at least: so that rates are as fine as any precision."""
MOST: Final = 100 * PARTS
MOST_CLIENTS: Final = 1_000_000
COARSE: Final = 1e-4
"""Part of the written load that tells how far the host's capacity lies above it."""
FIRST: Final = 0.1
"""Part of the host's capacity at which a search begins."""
EXAMPLE: Final = "--objective 'latency_p99: 100ms'"


def check(scenario: Scenario) -> None:
    """UsageError where the scenario has no objective, or no load that can be raised."""
    if scenario.workloads:
        raise UsageError("knee raises the load of one workload; expected workload instead of workloads, the others as background load")
    if scenario.workload is None:
        raise UsageError("knee needs a load; the scenario has none: for example workload: {open: {rate: 800/s}, mix: {web.get: 1}}")
    if scenario.objective is None:
        raise UsageError(f"knee needs an objective that breaks; the scenario has none: give it one, for example {EXAMPLE}")
    if scenario.workload.trace is not None:
        raise UsageError("knee needs a load that can be raised; a trace of instants cannot, state it as rates or as an open load")


def is_of_clients(scenario: Scenario) -> bool:
    """Whether clients are counted, and not a rate."""
    return scenario.workload is not None and scenario.workload.closed is not None


def unit_of(scenario: Scenario, catalog: Catalog, platform: Platform) -> Unit:
    """What is counted on a platform: clients, or parts of a rate that is a power of ten."""
    assert scenario.workload is not None
    if scenario.workload.closed is not None:
        return Unit(None, 1 / scenario.workload.closed.clients, None, 1, MOST_CLIENTS, load_only=True)
    written = mean_rate(scenario, 0.0)
    bounds = analytic_bounds(scenario, catalog, platform, Unit(None, COARSE, None, None, MOST, load_only=True))
    most = written * COARSE * max(lowest(bounds).most, 1) if bounds else written
    part = 10.0 ** math.floor(math.log10(most / PARTS))
    return Unit(None, part / written, part, None, MOST, load_only=True)


def first_of(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit) -> int:
    """The number of parts at which a search begins: light for the host, as far as demands tell."""
    bounds = analytic_bounds(scenario, catalog, platform, unit)
    return max(1, math.floor(FIRST * min(lowest(bounds).most, 10 * unit.most))) if bounds else max(1, round(FIRST / unit.share))

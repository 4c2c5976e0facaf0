"""How much memory n instances take, and the largest n that fits."""

from __future__ import annotations

from simvirt.catalog import Catalog
from simvirt.catalog.resolved import Platform
from simvirt.density.bounds import Bound
from simvirt.density.scaling import Unit, scaled
from simvirt.lowering.arrange import arrange
from simvirt.scenario.models import Scenario


def ledger(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit, n: int) -> dict[str, int]:
    """Memory that n instances commit on the host, by what needs it [bytes]."""
    host = catalog.resolve_host(scenario.host)
    return arrange(scaled(scenario, unit, n), platform, host).memory


def limits(scenario: Scenario, catalog: Catalog, platform: Platform, unit: Unit) -> list[Bound]:
    """The largest n that each countable resource of the host admits."""
    host = catalog.resolve_host(scenario.host)
    one, two = (sum(ledger(scenario, catalog, platform, unit, n).values()) for n in (1, 2))
    each = two - one
    if each <= 0:
        return []
    most = max(0, (host.memory - (one - each)) // each)
    return [Bound("memory", most, True, f"{each / 2**20:,.0f} MiB for each instance, {host.memory / 2**30:,.0f} GiB in all")]

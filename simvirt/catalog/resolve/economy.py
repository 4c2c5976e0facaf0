"""What hosts cost and draw: prices, power curves and sites as a plan uses them.

Money is in US dollars, power in watts, energy prices in US dollars per kWh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from simvirt.catalog.entries.economy_entries import PowerSpec, PriceSpec, SiteSpec
from simvirt.catalog.entries.hardware import HostModelSpec
from simvirt.catalog.images import GENERIC
from simvirt.catalog.records import HostEntry

if TYPE_CHECKING:
    from simvirt.catalog.catalog import Catalog
    from simvirt.scenario.spec.models import HostSpec

LOADS: Final = tuple(step / 10 for step in range(11))
"""Loads at which a power curve is measured, over the largest throughput."""
GIB: Final = 2**30


@dataclass(frozen=True, slots=True)
class Price:
    """What one host costs [USD]: when bought, and each year of upkeep; or each year of rent, everything included."""

    buy: float = 0.0
    upkeep_per_year: float = 0.0
    rent_per_year: float | None = None


@dataclass(frozen=True, slots=True)
class Power:
    """What one host draws [W] at each of `LOADS`."""

    watts: tuple[float, ...]

    def at(self, load: float) -> float:
        """The power [W] at a load (throughput over the largest one), between measured loads on a straight line."""
        return float(np.interp(load, LOADS, self.watts))


@dataclass(frozen=True, slots=True)
class Site:
    """Where hosts stand; building in USD per watt of the largest draw and year, round trip in ns."""

    name: str
    energy_price: float
    pue: float
    building: float
    round_trip_ns: float


def price(catalog: Catalog, spec: HostSpec, host: HostEntry) -> Price:
    """The price of a host: that of its model, with the memory it has, and processors in proportion to cores that are given inline.

    ScenarioError where its model does not exist.
    """
    model = catalog.host_model(spec.model or GENERIC)
    entry = catalog.typed("prices", _model(catalog, spec).price, PriceSpec)
    share = host.sockets * host.cores / (model.sockets * model.cores)
    if entry.rent is not None:
        return Price(rent_per_year=entry.rent.value * share)
    assert entry.base is not None
    assert entry.socket is not None
    assert entry.gib is not None
    assert entry.upkeep is not None
    buy = entry.base.value + entry.socket.value * model.sockets * share + entry.gib.value * host.memory / GIB
    return Price(buy, buy * entry.upkeep.value)


def power(catalog: Catalog, spec: HostSpec, host: HostEntry) -> Power:
    """The power curve of a host: that of its model, in proportion to cores that are given inline.

    ScenarioError where its model does not exist.
    """
    model = catalog.host_model(spec.model or GENERIC)
    entry = catalog.typed("power", _model(catalog, spec).power, PowerSpec)
    share = host.sockets * host.cores / (model.sockets * model.cores)
    scale = share if entry.scale is None else share * entry.scale.value
    return Power(tuple(watts * scale for watts in entry.watts))


def _model(catalog: Catalog, spec: HostSpec) -> HostModelSpec:
    """The entry of a host's model."""
    return catalog.typed("hosts", spec.model or GENERIC, HostModelSpec)


def site(catalog: Catalog, name: str) -> Site:
    """A site by name; ScenarioError where it does not exist."""
    entry = catalog.typed("sites", name, SiteSpec, ("plan", "site"))
    return Site(name, entry.energy_price.value, entry.pue.value, entry.building.value, entry.round_trip.value)


def load_of(utilisation: float, host: HostEntry) -> float:
    """Throughput over the largest one where a share `utilisation` of the hardware threads is busy.

    *Model*: threads go to the cores with the fewest busy ones, as schedulers place them; busy siblings yield what `core_yield` says.
    *Ignores*: turbo clocks and frequency scaling, which the power curve holds for the benchmark that it was measured with.
    """
    if host.smt == 1:
        return utilisation
    busy = utilisation * host.smt
    each = min(int(busy), host.smt - 1)
    below = host.core_yield(each) if each else 0.0
    return min((below + (busy - each) * (host.core_yield(each + 1) - below)) / host.core_yield(host.smt), 1.0)

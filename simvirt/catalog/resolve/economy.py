"""What hosts cost and draw: prices, power curves and sites as a plan uses them.

Money is in US dollars, power in watts, energy prices in US dollars per kWh.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from simvirt.catalog.entries.economy_entries import PowerSpec, PriceSpec, SiteSpec
from simvirt.catalog.entries.hardware import HostModelSpec
from simvirt.catalog.records import HostEntry

if TYPE_CHECKING:
    from simvirt.catalog.catalog import Catalog
    from simvirt.scenario.spec.models import HostSpec

LOADS: Final = tuple(step / 10 for step in range(11))
"""Loads at which a power curve is measured, over the largest throughput."""
GIB: Final = 2**30
SIZES: Final = (
    "dell-t340-e-2224", "entry-xeon-e-2278g", "dell-r740-gold-6132", "dell-r650-gold-6338", "dell-r760-8480", "dell-r7625-epyc-9654",
)
"""Servers of 4 to 192 cores whose prices and power speak for hosts that are described inline."""


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
    name = machine_of(catalog, spec, host)
    model = catalog.host_model(name)
    entry = catalog.typed("prices", catalog.typed("hosts", name, HostModelSpec).price, PriceSpec)
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
    name = machine_of(catalog, spec, host)
    model = catalog.host_model(name)
    entry = catalog.typed("power", catalog.typed("hosts", name, HostModelSpec).power, PowerSpec)
    share = host.sockets * host.cores / (model.sockets * model.cores)
    scale = share if entry.scale is None else share * entry.scale.value
    return Power(tuple(watts * scale for watts in entry.watts))


def machine_of(catalog: Catalog, spec: HostSpec, host: HostEntry) -> str:
    """The model whose price and power a host has: its own; of a host described inline the server of `SIZES` nearest in cores."""
    if spec.model is not None:
        return spec.model
    cores = {name: catalog.host_model(name).sockets * catalog.host_model(name).cores for name in SIZES}
    return min(SIZES, key=lambda name: abs(math.log(cores[name] / (host.sockets * host.cores))))


def site(catalog: Catalog, name: str) -> Site:
    """A site by name; ScenarioError where it does not exist."""
    entry = catalog.typed("sites", name, SiteSpec, ("plan", "site"))
    return Site(name, entry.energy_price.value, entry.pue.value, entry.building.value, entry.round_trip.value)


def load_of(utilisation: float, host: HostEntry) -> float:
    """Throughput over the largest one where a share `utilisation` of the hardware threads is busy.

    *Model*: threads go to idle cores first, as schedulers place them; two busy siblings yield `smt_yield` of one.
    *Ignores*: turbo clocks and frequency scaling, which the power curve holds for the benchmark that it was measured with.
    """
    cores = host.sockets * host.cores
    busy = utilisation * host.pcpus
    paired = max(busy - cores, 0.0)
    return min((busy - paired - paired + paired * host.smt_yield) / (cores * host.smt_yield), 1.0) if host.smt > 1 else utilisation

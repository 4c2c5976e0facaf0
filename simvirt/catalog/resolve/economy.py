"""What hosts cost and draw: prices, power curves and sites as a plan uses them.

Money is in US dollars, power in watts, energy prices in US dollars per kWh.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from simvirt.catalog.entries.hardware import HostModelSpec
from simvirt.catalog.entries.prices import PowerSpec, PriceSpec, Site
from simvirt.catalog.records import HostEntry
from simvirt.catalog.resolve.hosts import SIZES, host_model
from simvirt.catalog.store import Store
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


def price(store: Store, spec: HostSpec, host: HostEntry) -> Price:
    """The price of a host: that of its model, with the memory it has, and processors in proportion to cores that are given inline.

    ScenarioError where its model does not exist.
    """
    name = machine_of(store, spec, host)
    model = host_model(store, name)
    entry = store.typed("prices", store.typed("hosts", name, HostModelSpec).price, PriceSpec)
    share = host.sockets * host.cores / (model.sockets * model.cores)
    if entry.rent is not None:
        return Price(rent_per_year=entry.rent * share)
    base, socket, gib, upkeep = (part or 0.0 for part in (entry.base, entry.socket, entry.gib, entry.upkeep))
    buy = base + socket * model.sockets * share + gib * host.memory / GIB
    return Price(buy, buy * upkeep)


def power(store: Store, spec: HostSpec, host: HostEntry) -> Power:
    """The power curve of a host: that of its model, in proportion to cores that are given inline.

    ScenarioError where its model does not exist.
    """
    name = machine_of(store, spec, host)
    model = host_model(store, name)
    entry = store.typed("power", store.typed("hosts", name, HostModelSpec).power, PowerSpec)
    share = host.sockets * host.cores / (model.sockets * model.cores)
    scale = share if entry.scale is None else share * entry.scale
    return Power(tuple(watts * scale for watts in entry.watts))


def machine_of(store: Store, spec: HostSpec, host: HostEntry) -> str:
    """The model whose price and power a host has: its own; of a host described inline the server of `SIZES` nearest in cores."""
    if spec.model is not None:
        return spec.model
    models = {name: host_model(store, name) for name in SIZES}
    return min(SIZES, key=lambda name: abs(math.log(models[name].sockets * models[name].cores / (host.sockets * host.cores))))


def site(store: Store, name: str) -> Site:
    """A site by name; ScenarioError where it does not exist."""
    return store.typed("sites", name, Site, ("plan", "site"))


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

"""Prices, power curves and sites as written in YAML."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from simvirt import units
from simvirt.catalog.entries.entry import Entry
from simvirt.catalog.sourced import SourcedEnergyPrice, SourcedMoney, SourcedRatio, SourcedTime, within


class PriceSpec(Entry):
    """What a host costs: bought (base, each processor, each GiB of memory, upkeep a year over the price), or rented by the year."""

    base: SourcedMoney | None = None
    socket: SourcedMoney | None = None
    gib: SourcedMoney | None = None
    upkeep: SourcedRatio | None = None
    rent: SourcedMoney | None = None

    @model_validator(mode="after")
    def _bought_or_rented(self) -> PriceSpec:
        parts = (self.base, self.socket, self.gib, self.upkeep)
        if self.rent is None and any(part is None for part in parts):
            raise ValueError("expected base, socket, gib and upkeep of a host that is bought, or rent of one that is not")
        if self.rent is not None and any(part is not None for part in parts):
            raise ValueError("rent: expected either rent or the parts of a price")
        return self


class PowerSpec(Entry):
    """What a host draws [W] at active idle and at 10, 20 ... 100 % of its throughput, as SPECpower_ssj2008 measures it.

    `scale` makes another host's curve of it.
    """

    watts: Annotated[tuple[Annotated[float, BeforeValidator(units.parse_power)], ...], Field(min_length=11, max_length=11)]
    scale: Annotated[SourcedRatio, within(0.001, 1000)] | None = None

    @model_validator(mode="after")
    def _rising(self) -> PowerSpec:
        if any(after < before for before, after in pairwise(self.watts)):
            raise ValueError("watts: expected numbers that rise with the load")
        return self


class Site(Entry):
    """Where hosts stand: price of energy, PUE, round trip between two hosts [ns].

    `building` is the cost of the building in USD per watt of the largest draw and year.
    """

    energy_price: SourcedEnergyPrice
    pue: Annotated[SourcedRatio, within(1, 100)]
    building: SourcedMoney
    round_trip: Annotated[SourcedTime, within(0, 1e10)]

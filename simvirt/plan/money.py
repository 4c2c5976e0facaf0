"""What a number of hosts costs and draws in a year.

*Model*: hosts that are bought are paid for in equal parts over the amortisation, with upkeep, the building for each watt of their
    largest draw, and energy: the power at the mean load, from the host's curve, times PUE and the price. Rent includes all of it.
*Ignores*: interest, residual values, staff, licences, switches and racks.
*Source*: Barroso, Clidaras and Hölzle, The Datacenter as a Computer, 2nd ed. 2013, chapter 6 (the parts of a total cost of
    ownership).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from simvirt.catalog.entries.prices import Site
from simvirt.catalog.resolve.economy import Power, Price
from simvirt.result.plan_document import Cost

HOURS: Final = 8766.0
"""Hours of a year."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which conditions hosts are paid for."""

    price: Price
    power: Power
    site: Site
    energy_price: float
    pue: float
    amortisation_years: float


@dataclass(frozen=True, slots=True)
class Bill:
    """What a year costs [USD], part by part, and what it takes of energy."""

    hosts: int
    buy_usd: float
    hardware_usd: float
    upkeep_usd: float
    building_usd: float
    energy_usd: float
    rent_usd: float
    mean_w: float
    peak_w: float
    energy_kwh: float

    @property
    def year_usd(self) -> float:
        """All parts of a year."""
        return self.hardware_usd + self.upkeep_usd + self.building_usd + self.energy_usd + self.rent_usd

    def typed(self) -> Cost:
        """The parts as they stand in a result."""
        return Cost(**asdict(self), year_usd=self.year_usd, month_usd=self.year_usd / 12)


def bill(terms: Terms, mean: Sequence[tuple[float, int]], peak: Sequence[tuple[float, int]]) -> Bill:
    """A year of hosts with such loads, each with the number of hosts that have it, at the mean and at peak."""
    hosts, price = sum(number for _, number in mean), terms.price
    mean_w, peak_w = (sum(number * terms.power.at(load) for load, number in loads) for loads in (mean, peak))
    energy = mean_w * terms.pue * HOURS / 1000
    owned = price.rent_per_year is None
    return Bill(
        hosts=hosts,
        buy_usd=hosts * price.buy,
        hardware_usd=hosts * price.buy / terms.amortisation_years,
        upkeep_usd=hosts * price.upkeep_per_year,
        building_usd=hosts * terms.power.watts[-1] * terms.site.building if owned else 0.0,
        energy_usd=energy * terms.energy_price if owned else 0.0,
        rent_usd=hosts * (price.rent_per_year or 0.0),
        mean_w=mean_w, peak_w=peak_w, energy_kwh=energy,
    )


def host_year(terms: Terms) -> float:
    """What a host costs in a year before it does anything [USD]."""
    price = terms.price
    if price.rent_per_year is not None:
        return price.rent_per_year
    return price.buy / terms.amortisation_years + price.upkeep_per_year + terms.power.watts[-1] * terms.site.building


def evenly(total: float, hosts: int) -> list[tuple[float, int]]:
    """A load spread over hosts, all alike; `total` is in hosts of full load."""
    return [(min(total / hosts, 1.0), hosts)] if hosts else []

"""What a plan is asked: which hosts may be bought, how the load grows and varies, what must be survived, where the hosts are located."""

from __future__ import annotations

import math
import re
from typing import Annotated, ClassVar, Final, Literal, Mapping

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from simvirt import units
from simvirt.scenario.fields import WRITTEN_ENERGY_PRICE, Number, Ratio, Whole, Word
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.host import HostSpec, Reference

MOST_GROWTH: Final = 100.0
MOST_TIMES: Final = 1e6
"""What a load may grow to, as a multiple of the stated one."""
_HOSTS: Final = re.compile(r"\s*([0-9]{1,6})\s*hosts?\s*")


def _growth(value: object) -> float:
    """A growth a year: `30%`, or 0.3."""
    text, given = str(value).strip(), value
    if text.endswith("%") and not isinstance(value, bool):
        try:
            value = float(text[:-1]) / 100
        except ValueError:
            value = text
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= MOST_GROWTH:
        raise units.UnitError(f"expected a growth a year from 0 to {MOST_GROWTH * 100:g}%, for example 30%; got {units.shown(given)}")
    return float(value)


def _hosts(value: object) -> object:
    """`1 host` and `2 hosts` as numbers."""
    match = _HOSTS.fullmatch(value) if isinstance(value, str) else None
    return int(match[1]) if match else value


def _words(value: object) -> object:
    """One name as a list of one."""
    return [value] if isinstance(value, str) else value


Growth = Annotated[float, BeforeValidator(_growth), WithJsonSchema({
    "anyOf": [{"type": "number", "minimum": 0, "maximum": MOST_GROWTH}, {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"}],
})]
Survivable = Annotated[int, Whole(0, 1000, 1), BeforeValidator(_hosts), WithJsonSchema({
    "anyOf": [{"type": "integer", "minimum": 0, "maximum": 1000}, {"type": "string", "pattern": r"^\s*[0-9]+\s*hosts?\s*$"}],
})]
EnergyPrice = Annotated[float, BeforeValidator(lambda value: units.parse_energy_price(value)), WithJsonSchema({
    "type": "string", "pattern": r"^\s*[0-9.]+([eE][-+]?[0-9]+)?\s*USD/[kM]Wh\s*$", "examples": ["0.12USD/kWh"],
}), WRITTEN_ENERGY_PRICE]


class DemandSpec(Spec):
    """How far the load may deviate from what is stated, as factors of it."""

    example = "{low: 0.8, high: 1.4}"
    low: Annotated[float, Number(0, 1000, 0.8, above=True)] = Field(description="the least load, over the stated one", examples=["0.8"])
    high: Annotated[float, Number(0, 1000, 1.4, above=True)] = Field(description="the largest load, over the stated one", examples=["1.4"])

    @model_validator(mode="after")
    def _interval(self) -> DemandSpec:
        if self.high <= self.low:
            refuse(f"expected more than low, for example {self.example}; got {self.high:g}", "high")
        return self


class PlanSpec(Spec):
    """What a plan has to answer; every key is optional."""

    example = "{hosts: [dell-r650-gold-6338], growth: 30%, years: 3, survive: 1 host}"
    hints: ClassVar[Mapping[str, str]] = {
        "host": 'did you mean "hosts"?', "peak": 'did you mean "peak_to_mean"?', "n-1": 'did you mean "survive: 1 host"?',
        "utilisation": 'did you mean "headroom"? A headroom of 20% is a utilisation of 80%.',
        "utilization": 'did you mean "headroom"? A headroom of 20% is a utilisation of 80%.',
        "year": 'did you mean "years"?', "price": "prices are entries of the catalogue: `catalog: {prices: {...}}`",
    }
    hosts: tuple[HostSpec, ...] = Field(default=(), max_length=100, description="hosts to choose from; the scenario's own by default",
                                        examples=["[dell-r650-gold-6338, dell-r7525-epyc-7543]"])
    growth: Growth = Field(default=0.0, description="growth of the load per year", examples=["30%"])
    years: Annotated[float, Number(0, 50, 3)] = Field(default=3.0, description="years for which the load is to be carried", examples=["3"])
    peak_to_mean: Annotated[float, Number(1, 1000, 2.5)] = Field(
        default=1.0, description="load at peak over the stated one, which is then the mean", examples=["2.5"])
    demand: DemandSpec | None = Field(default=None, description="how far the load may deviate from what is stated",
                                      examples=[DemandSpec.example])
    survive: Survivable = Field(default=1, description="hosts that may be lost at peak with the objective still met", examples=["1 host"])
    headroom: Annotated[Ratio, Field(lt=1)] = Field(
        default=0.2, description="ratio of CPU, disk, NIC and of each replica's limit that stays free at peak", examples=["20%"])
    memory_ratio: Annotated[float, Number(0, 100, 1.2, above=True)] | None = Field(
        default=None, description="memory promised to instances over that of the host; the host's own, or 1, by default", examples=["1.2"])
    replicas: Literal["scaled", "fit", "stated"] = Field(
        default="scaled", description="scaled: in proportion to the load; fit: as few as carry it; stated: as many as the services state",
        examples=["fit"])
    keep: Annotated[tuple[Word, ...], BeforeValidator(_words)] = Field(
        default=(), max_length=10_000, description="services that keep their number of replicas, such as a primary database",
        examples=["[db]"])
    scale: Annotated[tuple[Word, ...], BeforeValidator(_words)] = Field(
        default=(), max_length=10_000, description="services that may get more replicas although they keep data: one replica of a database "
        "stays one otherwise", examples=["[db]"])
    site: Reference = Field(default="average", description="location of the hosts: a site of the catalogue", examples=["average"])
    energy_price: EnergyPrice | None = Field(default=None, description="price of energy, instead of the site's", examples=["0.12USD/kWh"])
    pue: Annotated[float, Number(1, 10, 1.4)] | None = Field(
        default=None, description="energy of the building over that of its hosts, instead of the site's", examples=["1.4"])
    amortisation_years: Annotated[float, Number(0, 50, 4, above=True)] = Field(
        default=4.0, description="years over which the price of a host is spread", examples=["4"])
    premium: Annotated[float, Number(0, 100, 0.5)] = Field(
        default=0.5, description="extra cost of a missing host that is bought late, over its price; weighs the regret",
        examples=["0.5"])
    max_hosts: Annotated[int, Whole(1, 10_000, 100)] = Field(default=200, description="most hosts to consider", examples=["100"])

    @model_validator(mode="after")
    def _bounded(self) -> PlanSpec:
        times = self.years * math.log1p(self.growth) + math.log(self.peak_to_mean)
        if times > math.log(MOST_TIMES):
            found = f"10^{times / math.log(10):.0f}" if times > 30 else f"{math.exp(times):,.0f}"
            refuse(f"expected growth, years and peak_to_mean that make the load at most {MOST_TIMES:,.0f} times as large, for example "
                   f"growth: 30%, years: 3; got {found} times", "growth" if self.growth else "peak_to_mean")
        if both := sorted({*self.keep} & {*self.scale}):
            refuse(f"expected services that keep does not name; got {both[0]}", "scale")
        return self

    @model_validator(mode="after")
    def _possible(self) -> PlanSpec:
        if self.survive >= self.max_hosts:
            refuse(f"expected fewer than max_hosts ({self.max_hosts}); got {self.survive}", "survive")
        return self

    @property
    def growth_factor(self) -> float:
        """Load at the end of the years over that of today."""
        return float((1 + self.growth) ** self.years)


DEFAULT: Final = PlanSpec.model_validate({})
"""The plan of a scenario that states none."""

"""Sourced numbers: a value with unit, spread, source and a mark where it is derived rather than measured.

In YAML: `{value: 1.2us, spread: [1us, 2us], source: "author, title, year, table", estimated: true}`; `fitted: [table/row/column]` names the
cells of `simvirt validate` on which the value was calibrated.
Each kind of quantity is a subclass of `Sourced`; all hold canonical units (ns, bytes, Hz, per second, bits per second, ratio),
except `SourcedWork`, which may be given in processor terms (cycles, exits, nested_walks, entries) and is resolved against a host.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simvirt import units

Parsed = tuple[float, str]
_WORK = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)\s*(cycles?|exits?|nested_walks?|entries|entry)\s*")


class Sourced(BaseModel):
    """A number of the catalogue: canonical value and unit, spread, source."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    example: ClassVar[str] = "1.5"

    value: float
    unit: str
    spread: tuple[float, float] | None = None
    source: str = Field(min_length=8)
    estimated: bool = False
    fitted: tuple[str, ...] = ()
    """Cells of published tables, as table/row/column, on which the value was calibrated: they cannot be predicted with it."""

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        """The canonical value and unit of a raw quantity; ValueError with an example where it has no sense."""
        return _number(raw, cls.example), "ratio"

    @model_validator(mode="before")
    @classmethod
    def _canonical(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "value" not in data:
            example = f'{{value: {cls.example}, source: "author, title, year"}}'
            raise ValueError(f"expected a sourced number, for example {example}; got {units.shown(data)}")
        if "unit" in data:
            raise ValueError(f"the unit belongs to the value, for example {{value: {cls.example}, ...}}")
        value, unit = cls.parse(data["value"])
        return {**data, "value": value, "unit": unit, "spread": cls._spread(data.get("spread"), unit)}

    @classmethod
    def _spread(cls, raw: Any, unit: str) -> tuple[float, float] | None:
        if raw is None:
            return None
        if not isinstance(raw, (list, tuple)) or len(raw) != 2:
            raise ValueError(f"spread: expected [low, high], for example [{cls.example}, {cls.example}]; got {units.shown(raw)}")
        (low, low_unit), (high, high_unit) = cls.parse(raw[0]), cls.parse(raw[1])
        if {low_unit, high_unit} != {unit}:
            raise ValueError(f"spread: expected the unit of the value ({unit}); got {units.shown(raw)}")
        return low, high

    @model_validator(mode="after")
    def _inside(self) -> Sourced:
        if self.spread is not None and not self.spread[0] <= self.value <= self.spread[1]:
            raise ValueError(f"value {self.value:g} {self.unit} lies outside its spread {self.spread[0]:g}..{self.spread[1]:g}")
        return self


def _number(raw: Any, example: str) -> float:
    """A plain non-negative number."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not 0 <= raw < float("inf"):
        raise ValueError(f"expected a number, for example {example}; got {units.shown(raw)}")
    return float(raw)


class SourcedRatio(Sourced):
    """A ratio: 0..1 where it is a share, above 1 where it is a yield."""


class SourcedCount(Sourced):
    """A plain count."""

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        return _number(raw, "8"), "count"


class SourcedCycles(Sourced):
    """Processor cycles."""

    example: ClassVar[str] = "1500 cycles"

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        value, unit = parse_work(raw)
        if unit != "cycles":
            raise ValueError(f"expected cycles, for example {cls.example}; got {units.shown(raw)}")
        return value, unit


class SourcedTime(Sourced):
    """A duration [ns]."""

    example: ClassVar[str] = "1.2us"

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        return units.parse_time(raw), "ns"


class SourcedSize(Sourced):
    """A size [bytes]."""

    example: ClassVar[str] = "4KiB"

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        return float(units.parse_size(raw)), "bytes"


class SourcedRate(Sourced):
    """A rate [per second]."""

    example: ClassVar[str] = "800/s"

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        return units.parse_rate(raw), "per s"


class SourcedThroughput(Sourced):
    """A throughput of a device [bytes per second]; a size per second in YAML."""

    example: ClassVar[str] = "500MB/s"

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        size, separator, second = str(raw).partition("/")
        if not separator or second.strip() != "s":
            raise ValueError(f"expected a size per second, for example {cls.example}; got {units.shown(raw)}")
        return float(units.parse_size(size.strip())), "bytes/s"


class SourcedMoney(Sourced):
    """An amount of money [USD]; what it is paid for, and how often, its field says."""

    example: ClassVar[str] = "2000USD"

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        return units.parse_money(raw), "USD"


class SourcedEnergyPrice(Sourced):
    """A price of energy [USD/kWh]."""

    example: ClassVar[str] = "0.12USD/kWh"

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        return units.parse_energy_price(raw), "USD/kWh"


class SourcedWork(Sourced):
    """A cost: time [ns], or cycles, exits, nested_walks or entries (of the host's kernel) of the machine at hand."""

    example: ClassVar[str] = "2 exits"

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        return parse_work(raw)


def parse_work(raw: Any) -> Parsed:
    """A cost as (value, unit): unit is ns, cycles, exits, nested_walks or entries."""
    match = _WORK.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        return units.parse_time(raw), "ns"
    return float(match.group(1)), "entries" if match.group(2) == "entry" else match.group(2).rstrip("s") + "s"

"""Sourced numbers: a value with unit, spread, source and a mark where it is derived rather than measured.

In YAML: `{value: 1.2us, spread: [1us, 2us], source: "author, title, year, table", estimated: true}`; `fitted: [table/row/column]` names the
cells of `simvirt validate` on which the value was calibrated, `otherwise: {value: 2us, why: ...}` what it would be taken as without them.
Each kind of quantity is a float (sizes and whole numbers: an int) that is `Sourced`, in canonical units (ns, bytes, Hz,
per second, bits per second, ratio), except `SourcedWork`, which may be given in processor terms (cycles, exits,
nested_walks, entries) and is resolved against a host.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from simvirt import units
from simvirt.catalog.entries.entry import Source, Text

Parsed = tuple[float, str]
_WORK = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?)\s*(cycles?|exits?|nested_walks?|entries|entry)\s*")


class Otherwise(BaseModel):
    """What a fitted number would be taken as without the cells that it was fitted to (canonical, in the number's unit), and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    why: Source


class Written(BaseModel):
    """A number as the catalogue writes it: canonical value and unit, spread, source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float
    unit: str
    spread: tuple[float, float] | None = None
    source: Source
    estimated: bool = False
    fitted: tuple[Text, ...] = ()
    otherwise: Otherwise | None = None

    @model_validator(mode="after")
    def _inside(self) -> Written:
        if self.spread is not None and not self.spread[0] <= self.value <= self.spread[1]:
            raise ValueError(f"value {self.value:g} {self.unit} lies outside its spread {self.spread[0]:g}..{self.spread[1]:g}")
        if self.otherwise is not None and not self.fitted:
            raise ValueError("otherwise: expected fitted beside it, for example fitted: [table/row/column]")
        return self

    def __float__(self) -> float:
        return self.value

    def __int__(self) -> int:
        return int(self.value)


def _number(raw: Any, example: str = "1.5") -> float:
    """A plain non-negative number."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not 0 <= raw < float("inf"):
        raise ValueError(f"expected a number, for example {example}; got {units.shown(raw)}")
    return float(raw)


def _throughput(raw: Any) -> float:
    """A size per second."""
    size, separator, second = str(raw).partition("/")
    if not separator or second.strip() != "s":
        raise ValueError(f"expected a size per second, for example 500MB/s; got {units.shown(raw)}")
    return units.parse_size(size.strip())


def parse_work(raw: Any) -> Parsed:
    """A cost as (value, unit): unit is ns, cycles, exits, nested_walks or entries."""
    match = _WORK.fullmatch(raw) if isinstance(raw, str) else None
    if match is None:
        return units.parse_time(raw), "ns"
    return float(match.group(1)), "entries" if match.group(2) == "entry" else match.group(2).rstrip("s") + "s"


def number(value: float, unit: str) -> str:
    """A canonical value as a reader likes it, with its unit: 1.2 us, 512 MiB, 250/s, 12/h."""
    if unit == "ns":
        return units.format_time(value / 1e9)
    if unit == "bytes":
        return units.format_size(value) if value >= 10_000 else f"{value:g} B"
    if unit == "bytes/s":
        return f"{value / 1e6:g} MB/s"
    if unit == "per s":
        return units.format_rate(value)
    return f"{value:g}" if unit in ("ratio", "count") else f"{value:g} {unit}"


def check_within(value: float, unit: str, low: float, high: float) -> None:
    """ValueError where a canonical value lies outside its bounds."""
    if not low <= value <= high:
        raise ValueError(f"expected {number(low, unit)} to {number(high, unit)}; got {number(value, unit)}")


class Sourced:
    """Makes a float or int one of the catalogue: it computes as its canonical value and knows unit, spread and source.

    A kind says how it is read, its canonical unit, an example, and bounds beyond which no number of the kind has a sense;
    a field may have narrower ones, by `within`. `fitted` are cells of published tables, as table/row/column, on which the
    value was calibrated: they cannot be predicted with it; `otherwise` is what it would be taken as without them.
    """

    read: ClassVar[Callable[[Any], float]]
    example: ClassVar[str]
    bounds: ClassVar[tuple[float, float]]
    value: float
    unit: str
    spread: tuple[float, float] | None
    source: str
    estimated: bool
    fitted: tuple[str, ...]
    otherwise: Otherwise | None

    def __init_subclass__(
        cls, *, read: Callable[[Any], float] = _number, unit: str = "ratio", example: str = "1.5",
        bounds: tuple[float, float] = (0.0, 1e6),
    ) -> None:
        cls.read, cls.unit, cls.example, cls.bounds = read, unit, example, bounds

    def __init__(self, written: Written) -> None:
        vars(self).update(written)

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.no_info_before_validator_function(cls._canonical, handler.generate_schema(Written))
        return core_schema.no_info_after_validator_function(cls, written)

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        """The canonical value and unit of a raw quantity; ValueError with an example where it has no sense."""
        return float(cls.read(raw)), cls.unit

    def scaled(self, factor: float) -> Self:
        """This number times a factor, with its source; what its spread was no longer bounds it."""
        return type(self)(Written(**{**vars(self), "value": self.value * factor, "spread": None, "otherwise": None}))

    @classmethod
    def _canonical(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "value" not in data:
            example = f'{{value: {cls.example}, source: "author, title, year"}}'
            raise ValueError(f"expected a sourced number, for example {example}; got {units.shown(data)}")
        if "unit" in data:
            raise ValueError(f"the unit belongs to the value, for example {{value: {cls.example}, ...}}")
        value, unit = cls.parse(data["value"])
        check_within(value, unit, *cls.bounds)
        found = {**data, "value": value, "unit": unit, "spread": cls._spread(data.get("spread"), unit)}
        return found | ({"otherwise": cls._otherwise(data["otherwise"], unit)} if "otherwise" in data else {})

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

    @classmethod
    def _otherwise(cls, raw: Any, unit: str) -> Any:
        """What is written as `otherwise`, its value in the unit of the number."""
        if not isinstance(raw, Mapping) or "value" not in raw:
            raise ValueError(f"otherwise: expected {{value: {cls.example}, why: ...}}; got {units.shown(raw)}")
        value, own = cls.parse(raw["value"])
        if own != unit:
            raise ValueError(f"otherwise: expected the unit of the value ({unit}); got {units.shown(raw['value'])}")
        return {**raw, "value": value}


class SourcedRatio(Sourced, float):
    """A ratio: 0..1 where it is a share, above 1 where it is a yield."""


class SourcedCount(Sourced, float, read=partial(_number, example="8"), unit="count", example="8", bounds=(0.0, 1e19)):
    """A plain count."""


class SourcedWhole(Sourced, int, read=partial(_number, example="8"), unit="count", example="8", bounds=(0.0, 1e9)):
    """A number of things of which there are no parts; measured ones, and so the spread, may lie between."""

    @classmethod
    def _canonical(cls, data: Any) -> Any:
        found = super()._canonical(data)
        if not found["value"].is_integer():
            raise ValueError(f"expected a whole number, for example 8; got {found['value']:g}")
        return found


class SourcedCycles(Sourced, float, unit="cycles", example="1500 cycles", bounds=(0.0, 1e9)):
    """Processor cycles."""

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        value, unit = parse_work(raw)
        if unit != cls.unit:
            raise ValueError(f"expected cycles, for example {cls.example}; got {units.shown(raw)}")
        return value, unit


class SourcedTime(Sourced, float, read=units.parse_time, unit="ns", example="1.2us", bounds=(0.0, 8.64e13)):
    """A duration [ns]; at most a day."""


class SourcedSize(Sourced, int, read=units.parse_size, unit="bytes", example="4KiB", bounds=(0.0, 2.0**60)):
    """A size [bytes]."""


class SourcedRate(Sourced, float, read=units.parse_rate, unit="per s", example="800/s", bounds=(0.0, 1e12)):
    """A rate [per second]."""


class SourcedThroughput(Sourced, float, read=_throughput, unit="bytes/s", example="500MB/s", bounds=(1.0, 1e15)):
    """A throughput of a device [bytes per second]; a size per second in YAML."""


class SourcedMoney(Sourced, float, read=units.parse_money, unit="USD", example="2000USD", bounds=(0.0, 1e12)):
    """An amount of money [USD]; what it is paid for, and how often, its field says."""


class SourcedEnergyPrice(Sourced, float, read=units.parse_energy_price, unit="USD/kWh", example="0.12USD/kWh"):
    """A price of energy [USD/kWh]."""


class SourcedWork(Sourced, float, example="2 exits", bounds=(0.0, 1e9)):
    """A cost: time [ns], or cycles, exits, nested_walks or entries (of the host's kernel) of the machine at hand."""

    @classmethod
    def parse(cls, raw: Any) -> Parsed:
        return parse_work(raw)


def within(low: float, high: float) -> AfterValidator:
    """Bounds of a field in canonical units, as annotation of its type."""
    def checked(found: Sourced) -> Sourced:
        check_within(found.value, found.unit, low, high)
        return found

    return AfterValidator(checked)


Share = Annotated[SourcedRatio, within(0, 1)]
Period = Annotated[SourcedTime, within(1e3, 3.6e12)]
"""A time after which something happens again."""

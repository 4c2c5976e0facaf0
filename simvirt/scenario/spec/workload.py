"""The workload: where requests come from, and what they call."""

from __future__ import annotations

import math
from typing import Annotated, Final, Literal, Mapping

from pydantic import BeforeValidator, Field, PrivateAttr, WithJsonSchema, model_validator

from simvirt.scenario.fields import Nanoseconds, Number, PerSecond, PositiveNanoseconds, PositivePerSecond, Ratio, Whole
from simvirt.scenario.reading.csv_heads import RATE_SUFFIXES, TIME_SUFFIXES, suffix_of
from simvirt.scenario.spec.base import Spec, refuse
from simvirt.scenario.spec.distributions import Constant, Distribution, Empirical
from simvirt.scenario.spec.resilience import GUARDS, Guarded
from simvirt.scenario.spec.steps import OperationName
from simvirt.units import UnitError, shown

Arrivals = Literal["poisson", "deterministic"]
DAY_NS: Final = 86_400_000_000_000


def _time_column(value: object) -> str:
    """The name of a column of times."""
    if not isinstance(value, str) or suffix_of(value, TIME_SUFFIXES) is None or suffix_of(value, RATE_SUFFIXES) is not None:
        raise UnitError(f"expected a column that ends in its unit (_s, _ms, _us or _ns), for example arrives_s; got {shown(value)}")
    return value


def _rate_column(value: object) -> str:
    """The name of a column of rates."""
    if not isinstance(value, str) or suffix_of(value, RATE_SUFFIXES) is None:
        raise UnitError(f"expected a column that ends in its unit (_per_s, _per_min, _per_h), for example rate_per_s; got {shown(value)}")
    return value


def _numbered(value: object) -> int | None:
    """The number of a column of a file without a header, None where it is a name."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    if not 0 <= value <= 10_000:
        raise UnitError(f"expected the number of a column, counted from 0, for example 0; got {shown(value)}")
    return value


def _time_column_or_number(value: object) -> str | int:
    number = _numbered(value)
    return _time_column(value) if number is None else number


def _rate_column_or_number(value: object) -> str | int:
    number = _numbered(value)
    return _rate_column(value) if number is None else number


_COLUMN = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]})
TimeColumn = Annotated[str, BeforeValidator(_time_column)]
Column = Annotated[str, Field(min_length=1, max_length=200)]


class PieceSpec(Spec):
    """A constant rate for some time."""

    example = "{for: 10min, rate: 800/s}"
    for_: PositiveNanoseconds = Field(alias="for", description="how long", examples=["10min"])
    rate: PerSecond = Field(description="arrivals per second", examples=["800/s"])


class DiurnalSpec(Spec):
    """A rate that follows a sine: mean (1 + amplitude cos(2 pi (t - peak) / period))."""

    example = "{mean: 500/s, amplitude: 0.6}"
    mean: PositivePerSecond = Field(description="mean rate", examples=["500/s"])
    amplitude: Ratio = Field(description="swing over mean", examples=["0.6"])
    period: PositiveNanoseconds = Field(default=DAY_NS, description="length of a cycle", examples=["24h"])
    peak: Nanoseconds | None = Field(default=None, description="instant of the highest rate; half a period by default", examples=["14h"])

    @property
    def peak_ns(self) -> int:
        """Instant of the highest rate [ns]."""
        return self.period // 2 if self.peak is None else self.peak


class MmppSpec(Spec):
    """A Markov-modulated Poisson process: states in a ring, each with a rate and a mean sojourn (exponential)."""

    example = "{rates: [100/s, 1500/s], sojourn: [9s, 1s]}"
    rates: tuple[PerSecond, ...] = Field(min_length=2, max_length=1000, description="rate in each state", examples=["[100/s, 1500/s]"])
    sojourn: tuple[PositiveNanoseconds, ...] = Field(min_length=2, max_length=1000, description="mean time in each state",
                                                     examples=["[9s, 1s]"])

    @model_validator(mode="after")
    def _alike(self) -> MmppSpec:
        if len(self.rates) != len(self.sojourn):
            refuse(f"expected one for each rate, for example {self.example}; got {len(self.sojourn)} for {len(self.rates)}", "sojourn")
        return self


class OpenSpec(Spec):
    """Arrivals that do not wait for answers."""

    example = "{rate: 800/s}"
    rate: PositivePerSecond | None = Field(default=None, description="constant rate of arrivals", examples=["800/s"])
    piecewise: tuple[PieceSpec, ...] | None = Field(default=None, min_length=1, max_length=100_000, examples=[f"[{PieceSpec.example}]"],
                                                    description="rates in turn, repeated from the first after the last")
    diurnal: DiurnalSpec | None = Field(default=None, description="a rate that follows the day", examples=[DiurnalSpec.example])
    mmpp: MmppSpec | None = Field(default=None, description="rates that switch at random", examples=[MmppSpec.example])
    arrivals: Arrivals = Field(default="poisson", description="at random or equally spaced", examples=["poisson"])

    @model_validator(mode="after")
    def _exactly_one(self) -> OpenSpec:
        one_of(self, ("rate", "piecewise", "diurnal", "mmpp"), self.example)
        if self.piecewise is not None and not any(piece.rate for piece in self.piecewise):
            refuse("expected a rate above 0 in one of the pieces", "piecewise")
        if self.mmpp is not None and not any(self.mmpp.rates):
            refuse("expected a rate above 0 in one of the states", "mmpp", "rates")
        return self

    @property
    def mean_rate(self) -> float:
        """Mean rate of arrivals in the long run [per second]."""
        if self.piecewise is not None:
            return math.fsum(piece.rate * piece.for_ for piece in self.piecewise) / sum(piece.for_ for piece in self.piecewise)
        if self.mmpp is not None:
            return math.fsum(map(math.prod, zip(self.mmpp.rates, self.mmpp.sojourn, strict=True))) / sum(self.mmpp.sojourn)
        return self.diurnal.mean if self.diurnal is not None else self.rate or 0.0


class ClosedSpec(Spec):
    """Clients that think, send a request, wait for the answer, and think again."""

    example = "{clients: 300, think: {exponential: 1s}}"
    clients: Annotated[int, Whole(1, 10_000_000, 300)] = Field(description="how many there are", examples=["300"])
    think: Distribution = Field(default=Constant.model_construct(mean=0.0), description="time between an answer and the next request",
                                examples=["{exponential: 1s}"])


class TraceSpec(Spec):
    """Arrivals replayed from a CSV file with a header; the unit of a column is the suffix of its name."""

    example = "{file: arrivals.csv, at: arrives_s}"
    file: str = Field(min_length=1, description="a CSV file with a header", examples=["arrivals.csv"])
    at: TimeColumn = Field(description="column of the instants", examples=["arrives_s"])
    cpu: TimeColumn | None = Field(default=None, description="column of the demands for the operation's cpu step", examples=["demand_ms"])
    operation: Column | None = Field(default=None, description="column of the operations", examples=["op"])

    _factors: Mapping[str, float] = PrivateAttr(default={})

    @property
    def factors(self) -> Mapping[str, float]:
        """What the demands of each operation are multiplied by, where they were measured on another machine; 1 where nothing is said."""
        return self._factors

    def paced(self, factors: Mapping[str, float]) -> TraceSpec:
        """The same with demands that are multiplied by a factor for each operation."""
        found = self.model_copy()
        found._factors = factors
        return found


class RatesSpec(Spec):
    """Arrivals at a piecewise-constant rate from a CSV file; of a file without a header the columns are numbers from 0."""

    example = "{file: profile.csv, at: time_s, rate: rate_per_s}"
    file: str = Field(min_length=1, description="a CSV file", examples=["profile.csv"])
    at: Annotated[str | int, BeforeValidator(_time_column_or_number), _COLUMN] = Field(
        description="column of the instants", examples=["time_s"])
    rate: Annotated[str | int, BeforeValidator(_rate_column_or_number), _COLUMN] = Field(
        description="column of the rates", examples=["rate_per_s"])
    unit: Literal["s", "ms", "us", "ns", "min", "h"] | None = Field(
        default=None, description="unit of numbered columns: at in it, rate per it; s by default", examples=["s"])
    arrivals: Arrivals = Field(default="poisson", description="at random or equally spaced", examples=["poisson"])

    @model_validator(mode="after")
    def _named_or_numbered(self) -> RatesSpec:
        if isinstance(self.at, int) != isinstance(self.rate, int):
            refuse("expected both columns as names (a file with a header), or both as numbers (one without)", "rate")
        if self.unit is not None and isinstance(self.at, str):
            refuse("has no effect on named columns, whose unit is their suffix", "unit")
        return self

    @property
    def has_header(self) -> bool:
        """Whether the first line of the file holds names."""
        return isinstance(self.at, str)


CONNECTING: Final = 3
"""Packets each way that open and close a TCP connection, beyond a request and its answer. Source: RFC 9293, figures 6 and 12."""


SHORT_ANSWER_NS: Final = 1_000_000


class WorkloadSpec(Guarded):
    """Where requests come from, and the operations that they call."""

    example = "{open: {rate: 800/s}, mix: {web.GET /: 1}}"
    later = (*GUARDS, "priority")
    open: OpenSpec | None = Field(default=None, description="arrivals at a rate", examples=[OpenSpec.example])
    closed: ClosedSpec | None = Field(default=None, description="clients that wait for answers", examples=[ClosedSpec.example])
    trace: TraceSpec | None = Field(default=None, description="arrivals from a file", examples=[TraceSpec.example])
    rates: RatesSpec | None = Field(default=None, description="arrivals at rates given in a file", examples=[RatesSpec.example])
    mix: Mapping[OperationName, Annotated[float, Number(0, 1e12, 9)]] = Field(
        default={}, description="weight of each operation, as service.operation", examples=["{web.GET /: 9, web.POST /order: 1}"])
    local: bool = Field(default=False, strict=True, examples=["true"],
                        description="whether requests begin and end inside the instance (a batch job, a benchmark): no message in or out")

    connection: Literal["kept", "new"] = Field(
        default="kept", examples=["new"],
        description="whether requests come over connections that stay open, or each opens and closes one of its own")

    priority: Annotated[int, Whole(-1000, 1000, 10)] | Mapping[OperationName, Annotated[int, Whole(-1000, 1000, 10)]] | None = Field(
        default=None, examples=["{web.GET /: 10, web.report: 0}"],
        description="what lets requests come before others in line for threads, the higher the sooner: of all, or of operations of the mix")

    def priority_of(self, operation: str) -> int:
        """What requests that enter at an operation come before others by; 0 where nothing is said."""
        said = self.priority if isinstance(self.priority, int) else (self.priority or {}).get(operation)
        return said or 0

    @property
    def clients(self) -> int:
        """How many clients there are; 0 where requests come by themselves."""
        return self.closed.clients if self.closed is not None else 0

    @property
    def about_per_s(self) -> float:
        """Requests per second about, to weigh workloads against each other: of clients as if answers took `SHORT_ANSWER_NS`.

        1 where only a file tells.
        """
        if self.closed is not None:
            think = self.closed.think
            return self.closed.clients / (SHORT_ANSWER_NS + (0.0 if isinstance(think, Empirical) else think.mean)) * 1e9
        return self.open.mean_rate if self.open is not None else 1.0

    @model_validator(mode="after")
    def _one_source(self) -> WorkloadSpec:
        one_of(self, ("open", "closed", "trace", "rates"), self.example)
        return self

    @model_validator(mode="after")
    def _priorities_of_the_mix(self) -> WorkloadSpec:
        for name in self.priority if isinstance(self.priority, Mapping) and self.mix else ():
            if name not in self.mix:
                refuse(f"no request enters there; expected an operation of the mix, for example {next(iter(self.mix))}", "priority", name)
        return self

    @model_validator(mode="after")
    def _connects(self) -> WorkloadSpec:
        if self.local and self.connection == "new":
            refuse("has no effect on requests that begin and end inside the instance; expected local: false beside it", "connection")
        if self.local and self.guard is not None:
            key = next(key for key in GUARDS if key in self.model_fields_set)
            refuse("no client waits for requests that begin and end inside the instance; expected local: false beside it", key)
        return self

    @model_validator(mode="after")
    def _weights(self) -> WorkloadSpec:
        if "mix" in self.model_fields_set and not any(self.mix.values()):
            refuse("expected at least one operation with a weight above 0, for example {web.GET /: 9, web.POST /order: 1}", "mix")
        return self


def one_of(spec: Spec, keys: tuple[str, ...], example: str) -> None:
    """A ValidationError where not exactly one of the keys is given."""
    given = [key for key in keys if getattr(spec, key) is not None]
    if not given:
        refuse(f"expected one of {', '.join(keys)}, for example {example}")
    if len(given) > 1:
        refuse(f"expected only one of {', '.join(keys)}; got {' and '.join(given)}", given[-1])

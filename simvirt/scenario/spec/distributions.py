"""Distributions of demands and delays: a scalar is the constant, everything else a one-key mapping.

`{exponential: 4ms}`, `{lognormal: {mean: 4ms, cv: 1}}`, `{uniform: {low: 1ms, high: 3ms}}`, `{empirical: file.csv}`. Times in ns.
Means and coefficients of variation (`cv`, standard deviation over mean) are those of the values drawn, not of their logarithms.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Mapping

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator, model_validator

from simvirt import units
from simvirt.scenario.fields import Number, PositiveWorkNanoseconds, WorkNanoseconds
from simvirt.scenario.spec.base import Spec, below, refuse, unknown_key
from simvirt.units import UnitError, shown

if TYPE_CHECKING:
    from simvirt.scenario.reading.csv_columns import Floats

Cv = Annotated[float, Number(0.001, 1000, 1)]
Mean = Annotated[PositiveWorkNanoseconds, Field(description="the mean of the values", examples=["4ms"])]


class Constant(Spec):
    """Always the same value."""

    kind: Literal["constant"] = "constant"
    mean: WorkNanoseconds = Field(description="the value")


class Exponential(Spec):
    """The memoryless distribution."""

    kind: Literal["exponential"] = "exponential"
    mean: Mean


class Lognormal(Spec):
    """The exponential of a normal variable."""

    example = "{mean: 4ms, cv: 1}"
    kind: Literal["lognormal"] = "lognormal"
    mean: Mean
    cv: Cv = Field(description="standard deviation over mean", examples=["1"])


class Gamma(Spec):
    """The gamma distribution; of shape 1 / cv^2."""

    example = "{mean: 4ms, cv: 0.5}"
    kind: Literal["gamma"] = "gamma"
    mean: Mean
    cv: Cv = Field(description="standard deviation over mean", examples=["0.5"])


class Pareto(Spec):
    """The Pareto distribution of type I: P(X > x) = (low / x)^shape, low = mean (shape - 1) / shape."""

    example = "{mean: 4ms, shape: 2.5}"
    kind: Literal["pareto"] = "pareto"
    mean: Mean
    shape: Annotated[float, Number(1, 1000, 2.5, above=True)] = Field(description="tail exponent, above 1", examples=["2.5"])


class Hyperexponential(Spec):
    """A mixture of two exponentials with balanced means, of a cv of at least 1."""

    example = "{mean: 4ms, cv: 2}"
    kind: Literal["hyperexponential"] = "hyperexponential"
    mean: Mean
    cv: Annotated[float, Number(1, 1000, 2)] = Field(description="standard deviation over mean, at least 1", examples=["2"])


class Uniform(Spec):
    """All values between two bounds alike."""

    example = "{low: 1ms, high: 3ms}"
    kind: Literal["uniform"] = "uniform"
    low: WorkNanoseconds = Field(description="the smallest value", examples=["1ms"])
    high: PositiveWorkNanoseconds = Field(description="the largest value", examples=["3ms"])

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if self.low > self.high:
            refuse("expected high to be at least low, for example {low: 1ms, high: 3ms}")
        return self

    @property
    def mean(self) -> float:
        """Mean of the values [ns]."""
        return (self.low + self.high) / 2


class Empirical(Spec):
    """The values of a column of a CSV file, each as likely as the others; the unit is the suffix of the column's name."""

    example = "{file: demands.csv, column: demand_ms}"
    shorthand = "file"
    kind: Literal["empirical"] = "empirical"
    file: str = Field(min_length=1, description="a CSV file with a header", examples=["demands.csv"])
    column: str | None = Field(default=None, min_length=1, description="name of the column; the only one with a unit by default")
    scale: Annotated[float, Number(0, 1e9, 2, above=True)] = Field(default=1.0, description="factor on every value")

    @cached_property
    def mean(self) -> float:
        """Mean of the values [ns]; reads the file; ScenarioError where it cannot be read."""
        return float(self.values().mean())

    def values(self) -> Floats:
        """The values [ns]; reads the file, which takes numpy; ScenarioError where it cannot be read."""
        from simvirt.scenario.reading.csv_columns import read_values

        return read_values(self.file, self.column, self.scale)


AnyDistribution = Constant | Exponential | Lognormal | Gamma | Pareto | Hyperexponential | Uniform | Empirical
KINDS: Final[Mapping[str, type[Spec]]] = {
    "exponential": Exponential, "lognormal": Lognormal, "gamma": Gamma, "pareto": Pareto,
    "hyperexponential": Hyperexponential, "uniform": Uniform, "empirical": Empirical,
}
_EXAMPLE: Final = "4ms, {exponential: 4ms} or {lognormal: {mean: 4ms, cv: 1}}"


def _read(data: Any, handler: ValidatorFunctionWrapHandler) -> AnyDistribution:
    """A distribution from the form in which a scenario gives it."""
    if isinstance(data, AnyDistribution):
        return data
    if isinstance(data, Mapping):
        return _of_kind(*_single(data))
    if not isinstance(data, (str, int, float)):
        refuse(f"expected a time or a distribution, for example {_EXAMPLE}; got {shown(data)}")
    return Constant.model_construct(kind="constant", mean=units.parse_time(data))


def _single(data: Mapping[str, Any]) -> tuple[str, Any]:
    """The one key of a distribution with its value."""
    for key in data:
        if key not in KINDS:
            refuse(_unknown(str(key)), str(key))
    if len(data) != 1:
        refuse(f"expected one distribution, for example {_EXAMPLE}; got {shown(data)}")
    return next(iter(data.items()))


def _unknown(key: str) -> str:
    if key == "constant":
        return "a constant is written as the bare value, for example 4ms"
    if key in ("mean", "cv", "low", "high", "shape"):
        return "expected the kind of the distribution first, for example {lognormal: {mean: 4ms, cv: 1}}"
    return unknown_key(key, KINDS).replace("unknown key", "unknown distribution", 1)


def _of_kind(kind: str, body: Any) -> AnyDistribution:
    """The distribution of a kind from its parameters; for the exponential a bare mean."""
    spec = KINDS[kind]
    try:
        if kind == "exponential" and not isinstance(body, Mapping):
            return Exponential.model_construct(kind="exponential", mean=units.parse_time(body, zero=False))
        if isinstance(body, Mapping) and "kind" in body:
            refuse(unknown_key("kind", [key for key in spec.model_fields if key != "kind"]), "kind")
        result = spec.model_validate(body)
    except ValidationError as error:
        raise below(error, kind) from None
    except UnitError as error:
        refuse(str(error), kind)
    assert isinstance(result, AnyDistribution)
    return result


def _schema() -> dict[str, Any]:
    """JSON Schema of the form in which a scenario gives a distribution."""
    time = {"type": "string", "examples": ["4ms"]}
    number = {"type": "number"}

    def one(kind: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"type": "object", "properties": {kind: body}, "required": [kind], "additionalProperties": False}

    def parameters(**keys: dict[str, Any]) -> dict[str, Any]:
        return {"type": "object", "properties": keys, "required": list(keys), "additionalProperties": False}

    text = {"type": "string"}
    column = {"type": "object", "properties": {"file": text, "column": text, "scale": number}, "required": ["file"]}
    return {"anyOf": [
        time,
        one("exponential", {"anyOf": [time, parameters(mean=time)]}),
        *(one(kind, parameters(mean=time, cv=number)) for kind in ("lognormal", "gamma", "hyperexponential")),
        one("pareto", parameters(mean=time, shape=number)),
        one("uniform", parameters(low=time, high=time)),
        one("empirical", {"anyOf": [{"type": "string"}, column]}),
    ]}


Distribution = Annotated[AnyDistribution, WrapValidator(_read), WithJsonSchema(_schema())]
"""A distribution as a field of a scenario."""

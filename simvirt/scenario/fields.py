"""Types of the quantities in a scenario: a text with a unit in YAML, an internal number (ns, bytes, Hz, per second, ratio) in the model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Callable, Final, Literal

from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer, SerializationInfo, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from simvirt import units
from simvirt.units import UnitError, shown

MOST_REPLICAS: Final = 100_000
MOST_STEPS: Final = 20_000
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+-]*")
_DOTTED_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]*")


def _text_schema(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


_TIME = _text_schema(r"^\s*[0-9.]+([eE][-+]?[0-9]+)?\s*(ns|us|µs|μs|ms|s|min|h|d)\s*$", "1.5ms", "10min")
_SIZE = _text_schema(r"^\s*[0-9.]+([eE][-+]?[0-9]+)?\s*([kKMGTP]?B|[KMGTP]iB)\s*$", "512MiB", "8KiB")
_RATE = _text_schema(r"^\s*[0-9.]+([eE][-+]?[0-9]+)?\s*/(ms|s|min|h|d)\s*$", "800/s")
_FREQUENCY = _text_schema(r"^\s*[0-9.]+([eE][-+]?[0-9]+)?\s*[kMG]?Hz\s*$", "2.6GHz")
_RATIO = WithJsonSchema({
    "anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string", "pattern": r"^\s*[0-9.]+\s*%\s*$"}],
    "examples": [0.3, "30%"],
})

def _written(steps: units.Steps, factor: float) -> PlainSerializer:
    """Writes a quantity with its unit, exactly, where a dump's context asks for that; `factor` is the internal unit over the base unit."""

    def write(value: Any, info: SerializationInfo) -> Any:
        if not info.context or isinstance(value, bool) or not isinstance(value, int | float):
            return value
        base = value * factor
        step, name = units.unit_of(base, steps) if base else (1.0, steps[-1][1])
        return f"{base / step:.12g}{name}"

    return PlainSerializer(write)


_WRITTEN_TIME = _written(units.TIME_STEPS, 1e-9)
WRITTEN_SIZE: Final = _written(units.SIZE_STEPS, 1.0)
_WRITTEN_RATE = _written(units.RATE_STEPS, 1.0)
_WRITTEN_FREQUENCY = _written(((1e9, "GHz"), (1e6, "MHz"), (1e3, "kHz"), (1.0, "Hz")), 1.0)
WRITTEN_BANDWIDTH: Final = _written(((1e12, "Tbps"), (1e9, "Gbps"), (1e6, "Mbps"), (1e3, "kbps"), (1.0, "bps")), 1.0)
WRITTEN_ENERGY_PRICE: Final = _written(((1.0, "USD/kWh"),), 1.0)

Nanoseconds = Annotated[int, BeforeValidator(lambda value: round(units.parse_time(value))), _TIME, _WRITTEN_TIME]
"""A time [ns], possibly 0."""
PositiveNanoseconds = Annotated[int, BeforeValidator(lambda value: _at_least_1ns(value)), _TIME, _WRITTEN_TIME]
"""A time of at least 1 ns [ns]."""
EntryNanoseconds = Annotated[int, BeforeValidator(lambda value: _entry_ns(value)), _TIME, _WRITTEN_TIME]
"""A time of an entry into a kernel, from 1 ns to 1 ms [ns]."""
WorkNanoseconds = Annotated[float, BeforeValidator(lambda value: units.parse_time(value)), _TIME, _WRITTEN_TIME]
"""A demand [ns], possibly a fraction of one."""
PositiveWorkNanoseconds = Annotated[float, BeforeValidator(lambda value: units.parse_time(value, zero=False)), _TIME, _WRITTEN_TIME]
"""A demand above 0 [ns]."""
Bytes = Annotated[int, BeforeValidator(lambda value: units.parse_size(value)), _SIZE, WRITTEN_SIZE]
"""A size [bytes], possibly 0."""
PositiveBytes = Annotated[int, BeforeValidator(lambda value: size_from(1, "1B", "512MiB")(value)), _SIZE, WRITTEN_SIZE]
"""A size of at least one byte [bytes]."""
LimitBytes = Annotated[int, BeforeValidator(lambda value: size_from(6 * 2**20, "6MiB", "512MiB")(value)), _SIZE, WRITTEN_SIZE]
"""A limit of memory, or what is kept of it; Docker Engine accepts none below 6 MiB (moby, daemon_unix.go, linuxMinMemory) [bytes]."""
GuestBytes = Annotated[int, BeforeValidator(lambda value: size_from(16 * 2**20, "16MiB", "16GiB")(value)), _SIZE, WRITTEN_SIZE]
"""Memory of a VM; a kernel with its page tables takes as much (estimated) [bytes]."""
HostBytes = Annotated[int, BeforeValidator(lambda value: size_from(64 * 2**20, "64MiB", "192GiB")(value)), _SIZE, WRITTEN_SIZE]
"""Memory of a host; a kernel with what runs guests takes as much (estimated) [bytes]."""
PerSecond = Annotated[float, BeforeValidator(lambda value: units.parse_rate(value)), _RATE, _WRITTEN_RATE]
"""A rate [per second], possibly 0."""
PositivePerSecond = Annotated[float, BeforeValidator(lambda value: units.parse_rate(value, zero=False)), _RATE, _WRITTEN_RATE]
"""A rate above 0 [per second]."""
Hertz = Annotated[float, BeforeValidator(lambda value: units.parse_frequency(value)), _FREQUENCY, _WRITTEN_FREQUENCY]
"""A frequency above 0 [Hz]."""
Ratio = Annotated[float, BeforeValidator(lambda value: units.parse_ratio(value)), _RATIO]
"""A ratio, 0 to 1."""
PositiveRatio = Annotated[float, BeforeValidator(lambda value: units.parse_ratio(value, zero=False)), _RATIO]
"""A ratio above 0, up to 1."""
InnerRatio = Annotated[float, BeforeValidator(lambda value: units.parse_ratio(value, zero=False, one=False)), _RATIO]
"""A ratio above 0 and below 1."""


def _at_least_1ns(value: object) -> int:
    time = round(units.parse_time(value))
    if time < 1:
        raise UnitError(f"expected a time of at least 1ns, for example 1.5ms; got {shown(value)}")
    return time


def _entry_ns(value: object) -> int:
    time = _at_least_1ns(value)
    if time > 1_000_000:
        raise UnitError(f"expected a time of at most 1ms, for example 300ns; got {shown(value)}")
    return time


def size_from(low: int, least: str, example: str) -> Callable[[object], int]:
    """A reader of sizes from `low` bytes on; it raises UnitError below, where the bound is written as `least`."""
    def read(value: object) -> int:
        size = units.parse_size(value)
        if size < low:
            raise UnitError(f"expected a size of at least {least}, for example {example}; got {shown(value)}")
        return size
    return read


def whole(low: int, high: int, example: int | None = None) -> Callable[[object], int]:
    """A reader of whole numbers from `low` to `high`; it raises UnitError with an example elsewhere."""
    def read(value: object) -> int:
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= high:
            shape = f", for example {low if example is None else example}"
            raise UnitError(f"expected a whole number from {low} to {high}{shape}; got {shown(value)}")
        return number
    return read


def number(low: float, high: float, example: float, *, above: bool = False) -> Callable[[object], float]:
    """A reader of plain numbers from `low` (or above it) to `high`, also in quotes; it raises UnitError elsewhere."""
    def read(value: object) -> float:
        result = _float(value)
        if result is None or not low <= result <= high or (above and result == low):
            span = f"{'above' if above else 'from'} {low:g} {'and at most' if above else 'to'} {high:g}"
            raise UnitError(f"expected a number {span}, for example {example:g}; got {shown(value)}")
        return result
    return read


def _float(value: object) -> float | None:
    """A number, or a text that is one; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value if not isinstance(value, str) else value[:64])
    except (ValueError, OverflowError):
        return None


def whole_or(low: int, *words: str, most: int = 10_000_000) -> Callable[[object], int | str]:
    """A reader of whole numbers from `low` to `most`, or of some words."""
    def read(value: object) -> int | str:
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        if isinstance(number, str) and number in words:
            return number
        if isinstance(number, bool) or not isinstance(number, int) or not low <= number <= most:
            raise UnitError(f"expected a whole number from {low} to {most} or {' or '.join(words)}, for example 64; got {shown(value)}")
        return number
    return read


def word(value: object) -> str:
    """A name without dots and spaces: letters, digits, `-`, `_` and `+`."""
    return _name(value, _WORD, "letters, digits, - and _", "web-1")


def dotted_word(value: object) -> str:
    """A name without spaces: letters, digits, `-`, `_`, `+` and dots."""
    return _name(value, _DOTTED_WORD, "letters, digits, -, _ and dots", "docker-on-kvm")


def title(value: object) -> str:
    """A name in free text: one printable line of up to 200 characters; a number is taken as text."""
    text = str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not text.strip() or not text.isprintable() or len(text) > 200:
        raise UnitError(f"expected a name, one line of up to 200 characters, for example web-shop; got {shown(value)}")
    return text


def _name(value: object, pattern: re.Pattern[str], letters: str, example: str) -> str:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or len(text) > 200 or pattern.fullmatch(text) is None:
        raise UnitError(f"expected a name of {letters}, for example {example}; got {shown(value)}")
    return text


@dataclass(frozen=True, slots=True)
class Whole:
    """Marks an `int` as a whole number from `low` to `high`: `Annotated[int, Whole(1, 64)]`."""

    low: int
    high: int
    example: int | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(whole(self.low, self.high, self.example), handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Number:
    """Marks a `float` as a plain number from `low` (or above it) to `high`: `Annotated[float, Number(0, 100, 1)]`."""

    low: float
    high: float
    example: float
    above: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        read = number(self.low, self.high, self.example, above=self.above)
        return core_schema.no_info_before_validator_function(read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "number", "exclusiveMinimum" if self.above else "minimum": self.low, "maximum": self.high}


def version(value: object) -> tuple[int, int]:
    """The version of a kernel as two numbers: 5.10 is later than 5.4, which is why it is text."""
    match = re.fullmatch(r"v?(\d{1,3})\.(\d{1,3})([.-].{0,80})?", value.strip()[:120]) if isinstance(value, str) else None
    if match is None:
        raise UnitError(f'expected a version in quotes, for example "4.19"; got {shown(value)}')
    return int(match[1]), int(match[2])


Version = Annotated[
    tuple[int, int], BeforeValidator(lambda value: value if isinstance(value, tuple) else version(value)),
    WithJsonSchema({"type": "string", "pattern": r"^v?[0-9]{1,3}\.[0-9]{1,3}([.-].*)?$", "examples": ["4.19"]}),
]
"""A version of Linux, as its first two numbers."""
Word = Annotated[str, BeforeValidator(word), WithJsonSchema({"type": "string", "pattern": f"^{_WORD.pattern}$"})]
DottedWord = Annotated[str, BeforeValidator(dotted_word), WithJsonSchema({"type": "string", "pattern": f"^{_DOTTED_WORD.pattern}$"})]
Title = Annotated[str, BeforeValidator(title), Field(max_length=200)]
Threads = Annotated[
    int | Literal["unlimited", "cores"], BeforeValidator(whole_or(1, "unlimited", "cores")),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"enum": ["unlimited", "cores"]}]}),
]
EventLoops = Annotated[
    int | Literal["cores"], BeforeValidator(whole_or(1, "cores")),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"const": "cores"}]}),
]
Queue = Annotated[
    int | Literal["unlimited"], BeforeValidator(whole_or(0, "unlimited")),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0}, {"const": "unlimited"}]}),
]

"""Quantities: texts with a unit into numbers, and numbers back into texts.

Inside simvirt a time is in nanoseconds, a size in bytes, a frequency in Hz, a bandwidth in bits per second and a rate per second.
A bare number has no unit and is refused, except where a caller deals with plain counts. Every refusal is a `UnitError` whose message
says what was expected, gives an example, and guesses what was meant.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Mapping

from simvirt.errors import UnitError

__all__ = [
    "UnitError", "parse_time", "parse_size", "parse_rate", "parse_frequency", "parse_bandwidth", "parse_ratio",
    "parse_money", "parse_power", "parse_energy_price", "format_time", "format_size", "format_rate", "shown",
    "COUNT_STEPS", "RATE_STEPS", "SIZE_STEPS", "TIME_STEPS", "unit_of",
]

_NUMBER: Final = re.compile(r"([-+]?(?:[0-9][0-9_]*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)\s*(.*)", re.DOTALL)
_NOT_FINITE: Final = re.compile(r"[-+]?\.?(nan|inf(inity)?)\b.*", re.IGNORECASE | re.DOTALL)
_LONGEST: Final = 64
"""Characters of the longest text that is looked at."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of quantity: what a message calls it, an example, units with their factors, the largest value and how to write it.

    `floor` is the least value that makes sense, beside 0 where that is allowed, and `least` how to write it.
    """

    word: str
    example: str
    units: Mapping[str, float]
    ceiling: float
    most: str
    synonyms: Mapping[str, str]
    floor: float = 0.0
    least: str = ""


TIME: Final = Kind(
    "a time", "1.5ms", {"ns": 1.0, "us": 1e3, "µs": 1e3, "μs": 1e3, "ms": 1e6, "s": 1e9, "min": 60e9, "h": 3600e9, "d": 86400e9},
    36500 * 86400e9, "36500d",
    {"sec": "s", "secs": "s", "second": "s", "seconds": "s", "m": "min", "mins": "min", "minute": "min", "minutes": "min",
     "hr": "h", "hour": "h", "hours": "h", "day": "d", "days": "d", "msec": "ms", "millis": "ms", "milliseconds": "ms",
     "usec": "us", "micros": "us", "microseconds": "us", "nsec": "ns", "nanoseconds": "ns"},
)
SIZE: Final = Kind(
    "a size", "512MiB",
    {"B": 1.0, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "PB": 1e15,
     "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40, "PiB": 2.0**50},
    2.0**60, "1024PiB",
    {"byte": "B", "bytes": "B", "k": "KiB", "m": "MiB", "g": "GiB", "t": "TiB", "ki": "KiB", "mi": "MiB", "gi": "GiB", "ti": "TiB"},
)
RATE: Final = Kind(
    "a rate", "800/s", {"/ms": 1e3, "/s": 1.0, "/min": 1 / 60, "/h": 1 / 3600, "/d": 1 / 86400}, 1e12, "1e12/s",
    {"rps": "/s", "qps": "/s", "req/s": "/s", "requests/s": "/s", "per s": "/s", "/sec": "/s", "/second": "/s", "/m": "/min",
     "/minute": "/min", "/hour": "/h", "/day": "/d", "hz": "/s", "s": "/s", "rpm": "/min", "tps": "/s"},
)
FREQUENCY: Final = Kind(
    "a frequency", "2.6GHz", {"Hz": 1.0, "kHz": 1e3, "MHz": 1e6, "GHz": 1e9}, 1e12, "1000GHz", {"g": "GHz", "m": "MHz"}, 1e8, "100MHz",
)
BANDWIDTH: Final = Kind(
    "a bandwidth", "25Gbps",
    {"bps": 1.0, "kbps": 1e3, "Kbps": 1e3, "Mbps": 1e6, "Gbps": 1e9, "Tbps": 1e12,
     "bit/s": 1.0, "kbit/s": 1e3, "Mbit/s": 1e6, "Gbit/s": 1e9, "Tbit/s": 1e12},
    1e15, "1000Tbps", {"g": "Gbps", "gbe": "Gbps", "gb/s": "Gbps", "gbit": "Gbps", "mbit": "Mbps", "gb": "Gbps"}, 1e6, "1Mbps",
)

MONEY: Final = Kind("an amount of money", "2000USD", {"USD": 1.0, "kUSD": 1e3}, 1e12, "1e12USD", {"$": "USD", "dollars": "USD"})
POWER: Final = Kind("a power", "250W", {"W": 1.0, "kW": 1e3}, 1e9, "1e9W", {"watt": "W", "watts": "W", "k": "kW"})
ENERGY_PRICE: Final = Kind(
    "a price of energy", "0.12USD/kWh", {"USD/kWh": 1.0, "USD/MWh": 1e-3}, 100.0, "100USD/kWh",
    {"usd": "USD/kWh", "$/kwh": "USD/kWh", "/kwh": "USD/kWh", "usd/kw": "USD/kWh"},
)


def parse_time(value: object, *, zero: bool = True) -> float:
    """`1.5ms` in nanoseconds; UnitError where it is no time, or is 0 and `zero` is false."""
    return _parse(TIME, value, zero)


def parse_size(value: object, *, zero: bool = True) -> int:
    """`512MiB` (1024) or `512MB` (1000) in bytes, rounded to a whole one; UnitError where it is no size."""
    return round(_parse(SIZE, value, zero))


def parse_rate(value: object, *, zero: bool = True) -> float:
    """`800/s` per second; UnitError where it is no rate."""
    return _parse(RATE, value, zero)


def parse_frequency(value: object, *, zero: bool = False) -> float:
    """`2.6GHz` in Hz; UnitError where it is no frequency."""
    return _parse(FREQUENCY, value, zero)


def parse_bandwidth(value: object, *, zero: bool = False) -> float:
    """`25Gbps` in bits per second; UnitError where it is no bandwidth."""
    return _parse(BANDWIDTH, value, zero)


def parse_money(value: object, *, zero: bool = True) -> float:
    """`2000USD` in US dollars; UnitError where it is none."""
    return _parse(MONEY, value, zero)


def parse_power(value: object, *, zero: bool = True) -> float:
    """`250W` in watts; UnitError where it is none."""
    return _parse(POWER, value, zero)


def parse_energy_price(value: object, *, zero: bool = True) -> float:
    """`0.12USD/kWh` in US dollars per kWh; UnitError where it is none."""
    return _parse(ENERGY_PRICE, value, zero)


def parse_ratio(value: object, *, zero: bool = True, one: bool = True) -> float:
    """`0.3` or `30%` as a ratio of 0 to 1; UnitError outside, and for the ends where `zero` or `one` is false."""
    number = _plain_ratio(value)
    if number is None or not 0 <= number <= 1 or (number == 0 and not zero) or (number == 1 and not one):
        low, high = ("0" if zero else "more than 0"), ("1" if one else "less than 1")
        raise UnitError(f"expected a ratio from {low} to {high}, for example 0.3 or 30%; got {shown(value)}")
    return number


def _plain_ratio(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if abs(value) < 1e300 else math.inf
    match = _NUMBER.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= _LONGEST else None
    if match is None or match[2] not in ("", "%"):
        return None
    number = float(match[1].replace("_", ""))
    return number / 100 if match[2] else number


def _parse(kind: Kind, value: object, zero: bool) -> float:
    """The number that `value` means, in the kind's base unit."""
    number, unit = _split(kind, value)
    if unit not in kind.units:
        raise UnitError(_unknown_unit(kind, number, unit))
    result = float(number.replace("_", "")) * kind.units[unit]
    if result < 0 or (result == 0 and not zero):
        bound = "that is not negative" if zero else "above 0"
        raise UnitError(f"expected {kind.word} {bound}, for example {kind.example}; got {shown(value)}")
    if 0 < result < kind.floor:
        raise UnitError(f"expected {kind.word} of at least {kind.least}, for example {kind.example}; got {shown(value)}")
    if result > kind.ceiling:
        raise UnitError(f"expected {kind.word} of at most {kind.most}, for example {kind.example}; got {shown(value)}")
    return result


def _split(kind: Kind, value: object) -> tuple[str, str]:
    """A text as number and unit."""
    text = value.strip() if isinstance(value, str) else ""
    if _NOT_FINITE.fullmatch(text) or (isinstance(value, float) and not math.isfinite(value)):
        raise UnitError(f"expected {kind.word} that is a finite number, for example {kind.example}; got {shown(value)}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise UnitError(_bare(kind, value))
    match = _NUMBER.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise UnitError(f"expected {kind.word}, a number with a unit, for example {kind.example}; got {shown(value)}")
    if not match[2]:
        raise UnitError(_bare(kind, text))
    return match[1], match[2]


def _bare(kind: Kind, value: object) -> str:
    return f"expected {kind.word} with a unit, for example {kind.example}; got the bare number {shown(value, quote=False)}"


def _unknown_unit(kind: Kind, number: str, unit: str) -> str:
    """The message for a unit that the kind does not have."""
    guess = _guess(kind, unit)
    hint = f'; did you mean "{number}{guess}"?' if guess else ""
    return f"expected {kind.word}, for example {kind.example} (units: {', '.join(_ascii(kind))}); got {shown(number + unit)}{hint}"


def _ascii(kind: Kind) -> list[str]:
    return [unit for unit in kind.units if unit.isascii()]


def _guess(kind: Kind, unit: str) -> str | None:
    """The unit that was probably meant."""
    lowered = unit.lower().strip()
    if lowered in kind.synonyms:
        return kind.synonyms[lowered]
    same = [known for known in kind.units if known.lower() == lowered]
    close = same or get_close_matches(unit, _ascii(kind), n=1, cutoff=0.5)
    return close[0] if close else None


def shown(value: object, *, quote: bool = True) -> str:
    """A value as a message shows it: as written in YAML, cut where it is long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = value if len(value) <= 40 else f"{value[:37]}..."
        printable = "".join(letter if letter.isprintable() else "?" for letter in text)
        return f'"{printable}"' if quote else printable
    if isinstance(value, int):
        return str(value) if value.bit_length() < 128 else "a number of more than 38 digits"
    if isinstance(value, float):
        return f"{value:.12g}"
    return _shown_container(value)


def _shown_container(value: object) -> str:
    if isinstance(value, Mapping):
        keys = ", ".join(str(key)[:20] for key in list(value)[:4])
        return f"a mapping ({keys}{', ...' if len(value) > 4 else ''})" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}" if value else "an empty list"
    return f"a {type(value).__name__}"


Steps = tuple[tuple[float, str], ...]
"""Factors of units and their names, the largest first."""
TIME_STEPS: Final[Steps] = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
SIZE_STEPS: Final[Steps] = ((2.0**50, "PiB"), (2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
RATE_STEPS: Final[Steps] = ((1.0, "/s"), (1 / 60, "/min"), (1 / 3600, "/h"), (1 / 86400, "/d"))
COUNT_STEPS: Final[Steps] = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_ALMOST: Final = 0.9995
"""So much of a unit rounds to one of it."""


def format_time(seconds: float, digits: int = 3) -> str:
    """A time in seconds as people read it: `1.5 ms`."""
    return _format(seconds, TIME_STEPS, digits, "s")


def format_size(size: float, digits: int = 3) -> str:
    """A size in bytes as people read it: `1.5 GiB`."""
    return _format(size, SIZE_STEPS, digits, "B")


def format_rate(per_s: float, digits: int = 3) -> str:
    """A rate per second as people read it: `800/s`, `1.2 M/s`, `60/h`."""
    if 0 < abs(per_s) < 1000:
        factor, unit = unit_of(per_s, RATE_STEPS)
        return f"{_digits(per_s / factor, digits)}{unit}"
    return f"{_digits(per_s, digits)}/s" if not math.isfinite(per_s) else f"{_format(per_s, COUNT_STEPS, digits, '')}/s"


def unit_of(value: float, steps: Steps, many: float = _ALMOST) -> tuple[float, str]:
    """The largest unit of which `value` is at least one; of those above the base unit at least `many`."""
    return next((step for step in steps if abs(value) >= step[0] * (many if step[0] > 1 else _ALMOST)), steps[-1])


def _format(value: float, steps: Steps, digits: int, base: str) -> str:
    """`value` in the largest unit in which it is at least 1."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {base}".strip()
    factor, unit = unit_of(value, steps)
    return f"{_digits(value / factor, digits)} {unit}".strip()


def _digits(value: float, digits: int) -> str:
    """A number with so many significant digits, without an exponent where it is of everyday size."""
    rounded = float(f"{value:.{digits}g}") if value else 0.0
    if math.isfinite(value) and 1e-4 <= abs(rounded) < 1e15:
        places = max(0, digits - 1 - math.floor(math.log10(abs(rounded))))
        return f"{rounded:.{places}f}".rstrip("0").rstrip(".") if places else f"{rounded:.0f}"
    return f"{value:.{digits}g}"

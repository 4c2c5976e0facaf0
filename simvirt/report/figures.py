"""Numbers as a reader likes them: three significant digits, one unit, the interval in the same unit.

Every function takes seconds, ratios and rates as they stand in a result, and gives `–` for what is not known.
"""

import math
from collections.abc import Mapping
from typing import Any

Value = float | Mapping[str, Any] | None

UNKNOWN = "–"
TIME_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
SIZE_UNITS = ((2.0**40, "TiB"), (2.0**30, "GiB"), (2.0**20, "MiB"), (2.0**10, "KiB"), (1.0, "B"))
COUNT_UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def middle(value: Value) -> float | None:
    """The point value of an estimate or a plain number; None where it is not known."""
    number = value.get("value") if isinstance(value, Mapping) else value
    return None if number is None or not math.isfinite(number) else float(number)


def half_width(value: Value) -> float | None:
    """Half of an estimate's interval; None where it has none."""
    if not isinstance(value, Mapping) or value.get("low") is None or value.get("high") is None:
        return None
    return float(value["high"] - value["low"]) / 2


def decimals(number: float, digits: int = 3) -> int:
    """How many decimals show `digits` significant digits of a number, none above 100."""
    if number == 0:
        return 0
    rounded = float(f"{number:.{digits}g}")
    return min(max(digits - 1 - math.floor(math.log10(abs(rounded))), 0), 6)


def scaled(value: Value, unit: str = "", factor: float = 1.0, digits: int = 3, interval: bool = True, most: int = 6) -> str:
    """`4.10 ± 0.08 ms`: a value and its half width over `factor`, with as many decimals as the value deserves, `most` at most."""
    number, half = middle(value), half_width(value)
    if number is None:
        return UNKNOWN
    places = min(decimals(number / factor, digits), most)
    text = f"{number / factor:,.{places}f}"
    if interval and half is not None and number != 0:
        text += f" ± {half / factor:,.{places}f}"
    return f"{text} {unit}" if unit else text


def time(value: Value, interval: bool = True) -> str:
    """A duration in the unit that fits it: `4.10 ± 0.08 ms`."""
    number = middle(value)
    if number is None:
        return UNKNOWN
    if number == 0:
        return "0"
    factor, unit = next((u for u in TIME_UNITS if abs(number) >= u[0] * _limit(u[0])), TIME_UNITS[-1])
    return scaled(value, unit, factor, interval=interval)


def _limit(factor: float) -> float:
    """From how many of a unit on it is used: minutes and above only for two of them, the others just before 1 for 999.6 to round."""
    return 2.0 if factor > 1 else 0.9995


def rate(value: Value, interval: bool = True) -> str:
    """A rate: `799.6 ± 1.6/s`."""
    return UNKNOWN if middle(value) is None else f"{scaled(value, digits=4, interval=interval)}/s"


def percent(value: Value, interval: bool = True) -> str:
    """A ratio 0 to 1 as per cent: `41.0 ± 0.2 %`."""
    number = middle(value)
    if number is None:
        return UNKNOWN
    if abs(number) < 5e-5:
        return "0" if abs(number) < 5e-7 else "< 0.01 %"
    return scaled(value, "%", 0.01, interval=interval, most=2)


def count(value: Value) -> str:
    """A count in full: `480,000`."""
    number = middle(value)
    return UNKNOWN if number is None else f"{number:,.0f}"


def short_count(value: Value) -> str:
    """A large count in short: `533 k`."""
    number = middle(value)
    if number is None:
        return UNKNOWN
    factor, unit = next((u for u in COUNT_UNITS if abs(number) >= u[0] * 0.9995), COUNT_UNITS[-1])
    return f"{number / factor:,.{decimals(number / factor)}f} {unit}".rstrip()


def size(value: Value) -> str:
    """A number of bytes: `3.2 GiB`."""
    number = middle(value)
    if number is None:
        return UNKNOWN
    if number == 0:
        return "0"
    factor, unit = next((u for u in SIZE_UNITS if abs(number) >= u[0] * 0.9995), SIZE_UNITS[-1])
    return scaled(number, unit, factor)


def ratio(value: Mapping[str, Any]) -> str:
    """A comparison: `1.013 ± 0.011`; its exact interval, which need not be symmetric, is in the JSON."""
    number = value.get("ratio", value.get("value"))
    return scaled({**value, "value": number}, digits=4, most=3)

"""Numbers as a reader likes them: three significant digits, one unit, the interval in the same unit.

Every function takes seconds, ratios and rates as they stand in a result, and gives `–` for what is not known.
"""

import math
from typing import Final, Protocol

from simvirt import units
from simvirt.result.document import Estimate
from simvirt.result.run_document import Ratio


class Interval(Protocol):
    """A value with the ends of its interval."""

    @property
    def value(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


Value = float | Interval | None
UNKNOWN: Final = "–"
FAR: Final = 10.0
"""A rate that is so many times another has a unit of its own."""
MANY: Final = 2.0  # of minutes and longer units, before seconds give way to them


def middle(value: Value) -> float | None:
    """The point value of an estimate or a plain number; None where it is not known."""
    number = value if value is None or isinstance(value, int | float) else value.value
    return None if number is None or not math.isfinite(number) else float(number)


def half_width(value: Value) -> float | None:
    """Half of an estimate's interval; None where it has none."""
    if value is None or isinstance(value, int | float) or value.low is None or value.high is None:
        return None
    return float(value.high - value.low) / 2


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
    factor, unit = units.unit_of(number, units.TIME_STEPS, MANY)
    return scaled(value, unit, factor, interval=interval)


def rate(value: Value, interval: bool = True, beside: Value = None) -> str:
    """A rate in the unit that fits it, or the one `beside` it where they are not far from each other: `799.6 ± 1.6/s`, `59.47 ± 0.31/h`."""
    number, other = middle(value), middle(beside)
    if number is None:
        return UNKNOWN
    alike = other is not None and 0 < other < number < FAR * other
    factor, unit = units.unit_of(other if alike and other is not None else number, units.RATE_STEPS) if number else units.RATE_STEPS[0]
    return f"{scaled(value, '', factor, digits=4, interval=interval)}{unit}"


def percent(value: Value, interval: bool = True) -> str:
    """A ratio 0 to 1 as per cent: `41.0 ± 0.2 %`."""
    number = middle(value)
    if number is None:
        return UNKNOWN
    if abs(number) < 5e-5:
        return "0" if abs(number) < 5e-7 else "< 0.01 %"
    return scaled(value, "%", 0.01, interval=interval, most=2)


def change(ratio: Value) -> str:
    """A ratio as the change that it is, with its sign: `+8.1 ± 0.4 %`."""
    number, half = middle(ratio), half_width(ratio)
    if number is None:
        return UNKNOWN
    off, aside = number - 1, half or 0.0
    return signed(Estimate(off, off - aside, off + aside) if half is not None else Estimate(off), "%")


def points(difference: Value) -> str:
    """A difference of ratios in percentage points, with its sign: `+0.4 ± 0.1 pp`."""
    return signed(difference, "pp")


def signed(hundredths: Value, unit: str) -> str:
    """A change of a hundredth each with its sign; 0 where nothing changed."""
    text = scaled(hundredths, unit, 0.01, most=2)
    return "0" if middle(hundredths) == 0 and not half_width(hundredths) else text if text.startswith(("-", UNKNOWN)) else f"+{text}"


def count(value: Value) -> str:
    """A count in full: `480,000`."""
    number = middle(value)
    return UNKNOWN if number is None else f"{number:,.0f}"


def short_count(value: Value) -> str:
    """A large count in short: `533 k`."""
    number = middle(value)
    if number is None:
        return UNKNOWN
    factor, unit = units.unit_of(number, units.COUNT_STEPS)
    return f"{number / factor:,.{decimals(number / factor)}f} {unit}".rstrip()


def size(value: Value) -> str:
    """A number of bytes: `3.2 GiB`."""
    number = middle(value)
    if number is None:
        return UNKNOWN
    if number == 0:
        return "0"
    factor, unit = units.unit_of(number, units.SIZE_STEPS)
    return scaled(number, unit, factor)


def ratio(value: Ratio) -> str:
    """A comparison: `1.013 ± 0.011`; its exact interval, which need not be symmetric, is in the JSON."""
    return scaled(Estimate(value.ratio, value.low, value.high), digits=4, most=3)

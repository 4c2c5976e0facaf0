"""Limits of an objective in words."""

from simvirt import units
from simvirt.result import figures
from simvirt.result.objective import AT_LEAST
from simvirt.scenario.spec.experiment import parts_of


def title_of(key: str) -> str:
    """A key as words: `latency_p99` is `latency p99`."""
    return key.replace("_", " ")


def label(key: str) -> str:
    """An objective's name, short: `p99`, `p95 of web.checkout`."""
    measure, operation = parts_of(key)
    return title_of(measure).removeprefix("latency ") + (f" of {operation}" if operation is not None else "")


def quantity(key: str, value: figures.Value, interval: bool = False) -> str:
    """An objective's figure in the unit of its kind."""
    if key.startswith("latency"):
        return figures.time(value, interval=interval)
    return figures.rate(value, interval=interval) if key in AT_LEAST else figures.percent(value, interval=interval)


def enough(longer: float | None, setting: str | None) -> str:
    """What would decide a limit: `about 4 times as long would (--set run.duration=240s)`."""
    option = f" (--set {setting})" if setting else ""
    if longer is None:
        return f"several replications would tell{option}" if setting else "more replications, or a longer run, may tell"
    much = "as many replications" if setting is not None and setting.startswith("run.replications") else "as long" if setting else "as much"
    return f"about {longer:g} times {much} would tell{option}"


def stated(key: str, limit: float) -> str:
    """`p99 ≤ 100 ms`."""
    return f"{label(key)} {'≥' if key in AT_LEAST else '≤'} {_as_written(key, limit)}"


def _as_written(key: str, limit: float) -> str:
    """A limit without the zeros that a measured value has."""
    if key.startswith("latency"):
        return units.format_time(limit)
    return units.format_rate(limit) if key in AT_LEAST else f"{100 * limit:.6g} %"

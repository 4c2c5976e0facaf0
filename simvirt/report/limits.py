"""Limits of an objective, and what came of them, in words."""

from simvirt.report import figures
from simvirt.report.blocks import Cell
from simvirt.result.document import Verdict
from simvirt.result.objective import AT_LEAST


def title_of(key: str) -> str:
    """A key as words: `latency_p99` is `latency p99`."""
    return key.replace("_", " ")


def label(key: str) -> str:
    """An objective's name, short: `p99`."""
    return title_of(key).removeprefix("latency ")


def quantity(key: str, value: figures.Value, interval: bool = False) -> str:
    """An objective's figure in the unit of its kind."""
    if key.startswith("latency"):
        return figures.time(value, interval=interval)
    return figures.rate(value, interval=interval) if key in AT_LEAST else figures.percent(value, interval=interval)


def stated(key: str, limit: float) -> str:
    """`p99 ≤ 100 ms`."""
    return f"{label(key)} {'≥' if key in AT_LEAST else '≤'} {quantity(key, limit)}"


def verdict(key: str, found: Verdict, words: tuple[str, str] = ("", "")) -> Cell:
    """What came of a limit; with what is said where it is not met and where it is."""
    return Cell(f"{quantity(key, found.value)} {words[found.met]}".rstrip(), "good" if found.met else "bad")

"""Loads in words: rates, or clients."""

from __future__ import annotations

from typing import Literal

from simvirt.result import figures

Counts = Literal["per_s", "clients"]
"""The unit of a load."""


def load(counts: Counts, value: float | None) -> str:
    """A load in its unit."""
    if counts == "clients" and value is not None:
        return f"{figures.count(value)} clients"
    return figures.rate(value)


def between(counts: Counts, low: float, high: float) -> str:
    """`83.0 to 90.0/s`: a range, the unit once where both ends have it."""
    first, last = load(counts, low), load(counts, high)
    unit = next((unit for unit in (" clients", "/s", "/min", "/h") if first.endswith(unit) and last.endswith(unit)), "")
    return f"{first.removesuffix(unit) if unit else first} to {last}"

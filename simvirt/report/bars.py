"""Bars of letters: as long as a value over its limit, which is marked."""

from typing import Final

LENGTH: Final = 18  # columns of the longest bar
EIGHTHS: Final = " ▏▎▍▌▋▊▉"
BEYOND: Final = 1.5  # bars end at so many times the limit


def bar(ratio: float) -> str:
    """A bar as long as a value over its limit, which is marked; one that ends beyond `BEYOND` says so."""
    eighths = round(min(ratio, BEYOND) / BEYOND * LENGTH * 8)
    full = "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
    place = round(LENGTH / BEYOND)
    padded = full.ljust(LENGTH)
    return padded if len(full) > place else padded[:place] + "│" + padded[place + 1 :]

"""Scores as text."""


def percent(error: float | None) -> str:
    """A relative error with its sign."""
    return "-" if error is None else f"{error * 100:+.1f} %"


def share(part: float | None) -> str:
    """A ratio in percent."""
    return "-" if part is None else f"{part * 100:.1f} %"


def order(right: int, pairs: int) -> str:
    """How many pairs stand in the right order."""
    return f"{right} of {pairs}" if pairs else "-"

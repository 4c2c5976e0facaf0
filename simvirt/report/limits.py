"""What came of the limits of an objective, as cells."""

from simvirt.report.blocks import Cell
from simvirt.result.document import Verdict
from simvirt.result.limit_words import quantity


def verdict(key: str, found: Verdict, words: tuple[str, str] = ("", "")) -> Cell:
    """What came of a limit; with what is said where it is not met and where it is."""
    return Cell(f"{quantity(key, found.value)} {words[found.met]}".rstrip(), "good" if found.met else "bad")

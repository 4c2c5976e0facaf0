"""What came of the limits of an objective, as cells."""

from collections.abc import Iterator, Mapping

from simvirt.report.blocks import Cell
from simvirt.result.document import Verdict
from simvirt.result.limit_words import enough, quantity, stated
from simvirt.result.run_document import RunDocument


def verdict(key: str, found: Verdict, words: tuple[str, str, str] = ("", "", "?")) -> Cell:
    """What came of a limit; with what is said where it is missed, met, and undecided."""
    word = words[2 if found.met is None else int(found.met)]
    return Cell(f"{quantity(key, found.value)} {word}".rstrip(), "quiet" if found.met is None else "good" if found.met else "bad")


def not_met(document: RunDocument) -> list[str]:
    """Each limit that is missed or undecided, on which platform, and what would decide it."""
    return [sentence for found, sentence in _sentences(document) if not found.met]


def undecided(document: RunDocument) -> list[str]:
    """Each limit that is undecided, on which platform, and what would decide it."""
    return [sentence for found, sentence in _sentences(document) if found.met is None]


def doubts(objective: Mapping[str, Verdict]) -> list[str]:
    """Each limit that is missed or undecided, and what would decide it."""
    return [f"{stated(key, found.limit)} is {_what(found)}" for key, found in objective.items() if not found.met]


def _sentences(document: RunDocument) -> Iterator[tuple[Verdict, str]]:
    """What is said of each limit on each platform."""
    for workload in dict.fromkeys(("", *document.workloads)):
        for name, platform in document.of(workload).platforms.items():
            for key, found in platform.objective.items():
                yield found, f"{name}: {workload and f'{workload}: '}{stated(key, found.limit)} is {_what(found)}"


def _what(found: Verdict) -> str:
    """A verdict, and of one that is undecided how much more has to be simulated."""
    if found.met is not None:
        return found.verdict
    return f"undecided: {enough(found.longer, found.setting)}"

"""Mistakes in what a user adds or names: collected, told all at once, with a guess at what was meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from simvirt.errors import Issue, ScenarioError
from simvirt.scenario.bounds import first_of

Path = tuple[str | int, ...]
Locate = Callable[[Path], tuple[str | None, int | None, int | None]]
"""Path of a value -> file, line and column where it was written, as far as known."""

SINGULAR: Mapping[str, str] = {
    "families": "processor family", "cpus": "CPU", "nics": "NIC", "entries": "entry", "burstable": "burstable instance",
    "registries": "registry",
    "priorities": "class of priority",
}
"""Kinds whose name in a message is not the kind without its last letter."""


def nowhere(_: Path) -> tuple[str | None, int | None, int | None]:
    """The `Locate` of things that were not written in a file."""
    return None, None, None


def issue(locate: Locate, path: Path, message: str) -> Issue:
    """A mistake at `path`, such as `catalog.disks.fast.read_latency`; letters that would do something to a terminal are left out."""
    file, line, column = locate(path)
    dotted, said = ("".join(letter for letter in text if letter.isprintable()) for text in (".".join(map(str, path)), message))
    return Issue(file=file, line=line, column=column, path=dotted, message=said)


MOST_NAMES = 24
"""How many names a message may list."""
MOST_GUESSES = 4
"""How many names a message may guess."""
ALIKE = 0.75
"""How much a word must be like one of a name to guess that."""


def unknown(kind: str, name: object, known: Iterable[str]) -> str:
    """The message for a name that does not exist: what was given, a guess, what there is."""
    names = list(dict.fromkeys(known))
    word = SINGULAR.get(kind, kind[:-1])
    meant = " or ".join(f'"{one}"' for one in guesses(str(name), names))
    guess = f"; did you mean {meant}?" if meant else ""
    names.sort()
    command = "simvirt list" if kind == "entries" else f"simvirt list {kind}"
    there = f"there are {', '.join(names)}" if len(names) <= MOST_NAMES else f"there are {len(names)}: {command}"
    return f'unknown {word} "{name}"{guess} ({there})'


def guesses(name: str, known: Sequence[str]) -> list[str]:
    """What a name may have meant: those of which it is a word, as xen is of xen-pv, or else what is spelled like it or has such a word."""
    plain = name.casefold()
    same = [one for one in known if one.casefold() == plain]
    kin = [one for one in known if plain in one.casefold().split("-")]
    alike = (one for one in known if get_close_matches(plain, one.split("-"), n=1, cutoff=ALIKE))
    return same or kin[:MOST_GUESSES] or get_close_matches(plain, known, n=1) or list(alike)[:MOST_GUESSES]


class Problems:
    """A list of issues to be reported all at once."""

    def __init__(self, locate: Locate = nowhere) -> None:
        self._locate = locate
        self._issues: list[Issue] = []

    def add(self, path: Path, message: str) -> None:
        """Notes a mistake at `path`."""
        self._issues.append(issue(self._locate, path, message))

    def add_invalid(self, path: Path, error: ValidationError) -> None:
        """Notes every mistake that pydantic found in the entry at `path`."""
        for detail in error.errors(include_url=False):
            where = (*path, *detail["loc"])
            self.add(where, _sentence(detail))

    def attempt(self, path: Path, action: Callable[[], Any]) -> None:
        """Runs `action` and notes what it finds wrong at `path`."""
        try:
            action()
        except ScenarioError as error:
            self._issues.extend(error.issues)
        except ValidationError as error:
            self.add_invalid(path, error)
        except ValueError as error:
            self.add(path, str(error))

    def settle(self) -> None:
        """ScenarioError with everything noted so far; nothing where nothing was."""
        if self._issues:
            raise ScenarioError(first_of(self._issues))

    @property
    def issues(self) -> Sequence[Issue]:
        """Everything noted so far."""
        return tuple(self._issues)


def _sentence(detail: Mapping[str, Any]) -> str:
    """One pydantic complaint in the words of the other messages."""
    if detail["type"] == "extra_forbidden":
        return "unknown key"
    if detail["type"] == "missing":
        return "missing; expected a value here"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, got {detail['input']!r}"

"""From files to a scenario's text, whatever kind they are; which kind that is can be seen from their first level."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simvirt.importers import compose
from simvirt.importers.application import Application
from simvirt.importers.guesses import Guesses, guessed
from simvirt.importers.projects import Options
from simvirt.importers.sensitivity import first
from simvirt.importers.writing import text
from simvirt.scenario.reading.files import NoText, read_text

READERS: Final[dict[str, Callable[[Sequence[str], Options], Application]]] = {"compose": compose.load}
"""Kind of files -> what reads them."""
SCENARIO: Final = re.compile(r"^[\"']?simvirt[\"']?\s*:", re.MULTILINE)
SIGNS: Final = {"compose": re.compile(r"^services\s*:", re.MULTILINE)}
"""Kind -> a key on the first level that files of the kind have and scenarios have not, or that stands in no scenario without `simvirt:`."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A scenario's text, with what it was made of."""

    text: str
    application: Application
    guesses: Guesses


def imported(kind: str, files: Sequence[str], options: Options = Options(), ordered: bool = True) -> Imported:
    """Files of a kind as a scenario; where it is `ordered`, short runs say which assumed demands matter most. ScenarioError with mistakes."""
    application = READERS[kind](files, options)
    found = guessed(application)
    written = text(application, found)
    if ordered:
        written = text(application, found, first(written, application, found))
    return Imported(written, application, found)


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """The kind of a file that is no scenario; None of a scenario, and of what cannot be read, which others say."""
    if not Path(path).is_file():
        return None
    try:
        written = read_text(os.fspath(path))
    except NoText:
        return None
    if SCENARIO.search(written):
        return None
    return next((kind for kind, sign in SIGNS.items() if sign.search(written)), None)

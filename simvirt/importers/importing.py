"""From files to a scenario's text, whatever kind they are; which kind that is can be seen from their first level."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simvirt.errors import Issue, ScenarioError
from simvirt.importers import compose, kubernetes
from simvirt.importers.application import Application
from simvirt.importers.guesses import Guesses, guessed
from simvirt.importers.projects import Options
from simvirt.importers.sensitivity import first
from simvirt.importers.writing import text
from simvirt.scenario import loads
from simvirt.scenario.reading.files import NoText, read_text

READERS: Final[dict[str, Callable[[Sequence[str], Options], Application]]] = {"compose": compose.load, "kubernetes": kubernetes.load}
"""Kind of files -> what reads them."""
SCENARIO: Final = re.compile(r"^[\"']?simvirt[\"']?\s*:", re.MULTILINE)
SIGNS: Final = {
    "kubernetes": re.compile(r"^(?:- |\{?\s*)?[\"']?(?:apiVersion|kind)[\"']?\s*:", re.MULTILINE), "compose": re.compile(r"^[\"']?services[\"']?\s*:", re.MULTILINE)}
"""Kind -> a key on the first level of its files, which stands in no scenario without `simvirt:`."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A scenario's text, with what it was made of."""

    text: str
    application: Application
    guesses: Guesses


def imported(kind: str, files: Sequence[str], options: Options = Options(), ordered: bool = True) -> Imported:
    """Files of a kind as a scenario; where it is `ordered`, short runs say which assumed demands matter most. ScenarioError with mistakes."""
    application = renamed(READERS[kind](files, options))
    found = guessed(application)
    written = text(application, found)
    _check(written, application)
    if ordered:
        written = text(application, found, first(written, application, found))
    return Imported(written, application, found)


def _check(written: str, application: Application) -> None:
    """A mistake of the files, at the service that it is in, where what they say is none that a scenario may say."""
    try:
        loads(written)
    except ScenarioError as error:
        raise ScenarioError([_placed(issue, application) for issue in error.issues]) from None


def _placed(issue: Issue, application: Application) -> Issue:
    """A mistake in the scenario where it comes from."""
    service = application.services.get(issue.path.split(".")[1]) if issue.path.startswith("services.") else None
    if service is None:
        return Issue(application.files[0], None, None, issue.path, issue.message)
    return Issue(service.place.file, service.place.line, service.place.column, issue.path, issue.message)


def renamed(application: Application) -> Application:
    """An application whose services have names that a scenario may have: without dots. Others still call them by the names that they had."""
    names: dict[str, str] = {}
    for name in application.services:
        plain = name.replace(".", "-")
        names[name] = plain if plain not in names.values() else f"{plain}-{len(names)}"
    for old, service in application.services.items():
        service.name, service.after = names[old], tuple(names.get(other, other) for other in service.after)
        if "depends_on" in service.keys:
            service.keys["depends_on"] = {names[other]: wish for other, wish in service.keys["depends_on"].items()}
    application.services = {service.name: service for service in application.services.values()}
    return application


def kind_of(path: str | os.PathLike[str]) -> str | None:
    """The kind of a file that is no scenario; None of a scenario, and of what cannot be read, which others say."""
    if Path(path).is_dir():
        return "kubernetes"
    if not Path(path).is_file():
        return None
    try:
        written = read_text(os.fspath(path))
    except NoText:
        return None
    if SCENARIO.search(written):
        return None
    return next((kind for kind, sign in SIGNS.items() if sign.search(written)), None)

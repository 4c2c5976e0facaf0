"""From files to a scenario's text, whatever kind they are; which kind that is can be seen from their first level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from simvirt.errors import Issue, ScenarioError
from simvirt.importers import compose, kubernetes
from simvirt.importers.application import Application
from simvirt.importers.assumed import Guesses
from simvirt.importers.checking import check
from simvirt.importers.guesses import guessed
from simvirt.importers.projects import NO_OPTIONS, Options
from simvirt.importers.sensitivity import first
from simvirt.importers.writing import text

READERS: Final[dict[str, Callable[[Sequence[str], Options], Application]]] = {"compose": compose.load, "kubernetes": kubernetes.load}
"""Kind of files -> what reads them."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A scenario's text, with what it was made of."""

    text: str
    application: Application
    guesses: Guesses


def imported(kind: str, files: Sequence[str], options: Options = NO_OPTIONS, ordered: bool = True) -> Imported:
    """Files of a kind as a scenario; where it is `ordered`, short runs say which demands matter most. ScenarioError with mistakes."""
    application = renamed(READERS[kind](files, options))
    _check_stay(application)
    found = guessed(application)
    written = text(application, found)
    check(written, application.files[0], {name: service.place for name, service in application.services.items()})
    if ordered:
        written = text(application, found, first(written, found))
    return Imported(written, application, found)


def _check_stay(application: Application) -> None:
    """A mistake where nothing is there when requests come."""
    if not any(True for _ in application.lasting()):
        service = next(iter(application.services.values()))
        said = "expected a service that stays; all of them end, or have no replicas"
        raise ScenarioError([Issue(service.place.file, service.place.line, service.place.column, service.name, said)])


def renamed(application: Application) -> Application:
    """An application whose services have names that a scenario may have: without dots. Addresses have the names that they had."""
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

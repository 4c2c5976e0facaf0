"""Whether a scenario that an import made is one: what a file says and no scenario may say is a mistake of the file."""

from __future__ import annotations

from collections.abc import Mapping

from simvirt.errors import Issue, ScenarioError
from simvirt.runs.admission import catalog_of
from simvirt.scenario import loads
from simvirt.scenario.reading.tree import Place


def check(written: str, file: str, places: Mapping[str, Place]) -> None:
    """ScenarioError with mistakes at the services that they are in, else in the file."""
    try:
        catalog_of(loads(written))
    except ScenarioError as error:
        raise ScenarioError([_placed(issue, file, places) for issue in error.issues]) from None


def _placed(issue: Issue, file: str, places: Mapping[str, Place]) -> Issue:
    """A mistake in the scenario where it comes from."""
    parts = issue.path.split(".")
    place = places.get(parts[1]) if parts[0] == "services" and len(parts) > 1 else None
    place = place or Place(file)
    return Issue(place.file, place.line, place.column, issue.path, issue.message)

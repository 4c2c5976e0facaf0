"""A scenario with all its defaults as plain data that a reader understands: quantities with their units, nothing that is not set."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from simvirt.scenario.spec.models import Scenario


def written(scenario: Scenario) -> dict[str, Any]:
    """The whole scenario; files by their names without folders."""
    found = scenario.model_dump(mode="json", by_alias=True, exclude_none=True, context={"units": True})
    return {key: _plain(value) for key, value in found.items() if not _empty(value)}


def _plain(value: Any) -> Any:
    """A value without what is empty in it."""
    if isinstance(value, dict):
        return {key: PurePath(item).name if key == "file" else _plain(item) for key, item in value.items() if not _empty(item)}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, dict | list) and not value)

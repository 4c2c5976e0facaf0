"""A scenario from its file, with the names in it checked against the catalogue."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simvirt.scenario import Scenario


def load(path: Path, sets: Sequence[str] | None, seed: int | None) -> "Scenario":
    """The scenario; ScenarioError with all mistakes at once."""
    from simvirt.catalog.plain_names import unknown_names
    from simvirt.runs.admission import catalog_of
    from simvirt.scenario import load as load_scenario

    scenario = load_scenario(path, sets=tuple(sets or ()), seed=seed, names=unknown_names)
    catalog_of(scenario)
    return scenario

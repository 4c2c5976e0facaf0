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


def only(spec: "Scenario", names: Sequence[str] | None) -> "Scenario":
    """The scenario with the platforms that are wanted, all where none is named; UsageError where there is none of a name."""
    from simvirt.errors import UsageError

    there = {platform.name: platform for platform in spec.platforms}
    for name in names or ():
        if name not in there:
            raise UsageError(f"--platform {name}: expected one of the scenario's: {', '.join(there)}")
    return spec.model_copy(update={"platforms": tuple(there[name] for name in dict.fromkeys(names))}) if names else spec

"""A scenario from its file, with the names in it checked against the catalogue."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simvirt.cli import output

if TYPE_CHECKING:
    from simvirt.scenario import Scenario


def load(path: Path, sets: Sequence[str] | None, seed: int | None) -> "Scenario":
    """The scenario; ScenarioError with all mistakes at once."""
    from simvirt.catalog.plain_names import unknown_names
    from simvirt.runs.admission import catalog_of
    from simvirt.scenario import load as load_scenario

    text = _imported(path)
    if text is None:
        scenario = load_scenario(path, sets=tuple(sets or ()), seed=seed, names=unknown_names)
    else:
        from simvirt.scenario import loads

        scenario = loads(text, f"{path} (imported)", tuple(sets or ()), seed)
    catalog_of(scenario)
    return scenario


def text_of(path: Path) -> tuple[str, str]:
    """What a scenario's file says, and the name under which it is read; of a file of another kind what it becomes."""
    from simvirt.importers.kinds import kind_of

    if kind_of(path) is not None:
        return _imported(path) or "", f"{path} (imported)"
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except (OSError, UnicodeDecodeError):
        return "", str(path)  # reading it as a scenario says what is wrong


def _imported(path: Path) -> str | None:
    """The text of the scenario that a file of another kind becomes on the way; None of a scenario."""
    from simvirt.importers.kinds import kind_of

    kind = kind_of(path)
    if kind is None:
        return None
    from simvirt.importers.importing import imported
    from simvirt.importers.projects import Options

    found = imported(kind, [str(path)], Options(environment=dict(os.environ)), ordered=False)
    output.note(
        f"{path} is no scenario and was imported ({kind}): {len(found.guesses.assumed)} values are assumed, the rate and what requests "
        f"cost among them; simvirt import {kind} {path} -o scenario.yaml writes them down")
    if found.application.unvalidated is not None:
        output.note(f"{path} was {found.application.unvalidated}")
    return found.text


def only(spec: "Scenario", names: Sequence[str] | None) -> "Scenario":
    """The scenario with the platforms that are wanted, all where none is named; UsageError where there is none of a name."""
    from simvirt.errors import UsageError

    there = {platform.name: platform for platform in spec.platforms}
    for name in names or ():
        if name not in there:
            raise UsageError(f"--platform {name}: expected one of the scenario's: {', '.join(there)}")
    return spec.model_copy(update={"platforms": tuple(there[name] for name in dict.fromkeys(names))}) if names else spec

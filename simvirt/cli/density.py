"""`simvirt density`: the largest number of instances that a host holds, on each platform."""

from typing import TYPE_CHECKING, Annotated

import typer

from simvirt.cli import loading
from simvirt.cli.command import INTERRUPTED, Question, Settings, carried_out
from simvirt.cli.options import ScenarioFile, Seed, Sets

if TYPE_CHECKING:
    from simvirt.result.density_document import DensityDocument
    from simvirt.scenario import Scenario

AtLeast = Annotated[
    int | None,
    typer.Option("--at-least", min=0, metavar="N", help="Exit with status 1 if a platform holds fewer.", show_default=False),
]


def density(settings: Settings, scenario: ScenarioFile, sets: Sets = None, seed: Seed = None, at_least: AtLeast = None) -> int:
    """Find the largest number of instances that holds the objective on each platform, and what binds it."""
    from simvirt.report import store
    from simvirt.report.density_report import report

    spec = loading.load(scenario, sets, seed)
    folder = store.folder_of(settings.out, spec.name, spec.digest)
    question = Question(folder, lambda: _found(spec, settings), report, ("density.json", "density.txt"), cut=_kept)
    document = carried_out(question, settings)
    if document.interrupted:
        return INTERRUPTED
    few = at_least is not None and any(answer.n < at_least for answer in document.density.values())
    return int(few or (at_least is not None and bool(document.failed)))


def _found(spec: "Scenario", settings: Settings) -> "DensityDocument":
    """The result, with progress on a terminal."""
    from simvirt.density import density as search
    from simvirt.report.searching import shown

    with shown(settings.console, wanted=not settings.quiet) as progress:
        return search(spec, jobs=settings.jobs, progress=progress).typed()


def _kept(document: "DensityDocument") -> str | None:
    """What an interrupted result holds."""
    return ", ".join(document.density) if document.interrupted else None

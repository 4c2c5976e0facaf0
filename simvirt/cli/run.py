"""`simvirt run`: simulate every platform, print them side by side, keep the result."""

from typing import TYPE_CHECKING, Annotated

import typer

from simvirt.cli import loading, output
from simvirt.cli.command import INTERRUPTED, Question, Settings, carried_out
from simvirt.cli.options import ScenarioFile, Seed, Sets

if TYPE_CHECKING:
    from simvirt.result.run_document import RunDocument
    from simvirt.scenario import Scenario

Assert = Annotated[bool, typer.Option("--assert", help="Exit with status 1 unless every objective is surely met.")]
NoMaximum = Annotated[bool, typer.Option("--no-maximum", help="Do not look for the maximum throughput of each platform.")]


def run(
    settings: Settings, scenario: ScenarioFile, sets: Sets = None, seed: Seed = None, assert_: Assert = False, no_maximum: NoMaximum = False
) -> int:
    """Simulate every platform; print them side by side; keep the result under results/."""
    from simvirt.report import store
    from simvirt.report.run_report import report

    spec = loading.load(scenario, sets, seed)
    _require_objective(spec, assert_)
    folder = store.folder_of(settings.out, spec.name, spec.digest)
    question = Question(
        folder, lambda: _simulated(spec, settings, not no_maximum), report, cut=_kept, expected=lambda: _seconds(spec, not no_maximum))
    document = carried_out(question, settings)
    return INTERRUPTED if document.interrupted else int(assert_ and _fails(document))


def _require_objective(spec: "Scenario", assert_: bool) -> None:
    """--assert needs something to assert."""
    from simvirt.errors import UsageError

    if assert_ and all(view.objective is None for view in (spec, *spec.alone.values())):
        raise UsageError("--assert: the scenario has no objective; give it one, such as `objective: {latency_p99: 100ms}`")


def _simulated(spec: "Scenario", settings: Settings, maximum: bool) -> "RunDocument":
    """The result, with progress on a terminal; with a `maximum` throughput of each platform where that is wanted."""
    from simvirt.report.progress import shown
    from simvirt.runs.run import run as simulate

    with shown(settings.console, wanted=not settings.quiet) as progress:
        return simulate(spec, jobs=settings.workers, progress=progress, maximum=maximum).typed()


def _seconds(spec: "Scenario", maximum: bool) -> float:
    """How long the run is expected to take."""
    from simvirt.runs.forecast import seconds

    return seconds(spec, maximum)


def _kept(document: "RunDocument") -> str | None:
    """What an interrupted result holds."""
    if not document.interrupted:
        return None
    kept = [f"{found.replications} of {document.replications} of {name}" for name, found in document.platforms.items()]
    return f"replications: {', '.join(kept) or 'none'}"


def _fails(document: "RunDocument") -> bool:
    """Whether an objective is missed or undecided on a platform, or nothing is known of one; says which."""
    from simvirt.report.limits import not_met

    found = [*(f"{name}: it could not be simulated" for name in document.failed), *not_met(document)]
    for line in found:
        output.note(f"--assert: {line}")
    return bool(found)

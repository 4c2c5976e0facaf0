"""`simvirt fit`: demands of a scenario from measurements."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simvirt.cli import loading, output
from simvirt.cli.command import Question, Settings, carried_out
from simvirt.cli.options import ScenarioFile, Seed

if TYPE_CHECKING:
    from simvirt.result.fit_document import FitDocument
    from simvirt.scenario import Scenario

From = Annotated[
    list[str],
    typer.Option(
        "--from", metavar="FILE|DIR", show_default=False,
        help="Measurements: a table of points, or the outputs of k6, wrk, hey, locust, docker stats, sar, vmstat, Prometheus; "
             "a folder is one run. May be repeated.",
    ),
]
On = Annotated[
    str | None, typer.Option("--platform", metavar="NAME", help="The platform on which it was measured.", show_default=False)
]
To = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write the scenario with fitted demands.", show_default=False)
]
Check = Annotated[bool, typer.Option("--check", help="Fit nothing: predict what was measured, beside it.")]
FITTED = "fitted.yaml"


def fit(
    settings: Settings, scenario: ScenarioFile, from_: From, platform: On = None, to: To = None, check: Check = False, seed: Seed = None,
) -> int:
    """Fit CPU demands to measurements, without what the platform adds; or hold predictions against them."""
    from simvirt.errors import UsageError
    from simvirt.report import store
    from simvirt.report.fit_report import report

    if check and to is not None:
        raise UsageError("--check fits nothing, so that there is no scenario to write; expected --check or --output")
    if to is not None:
        output.not_there(to)
    text, name = loading.text_of(scenario)
    whole = loading.load(scenario, None, seed)
    spec = loading.only(whole, [platform] if platform is not None else None)
    folder = store.folder_of(settings.out, f"{spec.name}-fit", spec.digest)

    def made(document: "FitDocument") -> str:
        from simvirt.fit.writing import fitted_text

        return fitted_text(text, name, whole, document, from_)

    files = {} if check else {FITTED: made}
    question = Question(folder, lambda: _found(spec, from_, check, settings), report, ("fit.json", "fit.txt"), files)
    document = carried_out(question, settings)
    if to is not None:
        output.new_file(to, made(document))
        output.note(f"{to}; next: simvirt run {to}", settings.quiet)
    return 0


def _found(spec: "Scenario", sources: list[str], check: bool, settings: Settings) -> "FitDocument":
    """The result, with progress on a terminal."""
    from simvirt.fit.fitting import fit as carry_out
    from simvirt.measurements.reading import points

    measured = points(sources)
    if settings.quiet or not settings.console.is_terminal:
        return carry_out(spec, measured, check, settings.jobs).typed()
    with settings.console.status(f"{len(measured)} points") as status:
        return carry_out(spec, measured, check, settings.jobs, lambda number: status.update(f"{number} simulations")).typed()

"""`simvirt density`: the largest number of instances that a host holds, on each platform."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from simvirt.cli import loading, output, slowness
from simvirt.cli.options import As, Format, Jobs, Out, Quiet, ScenarioFile, Seed, Sets
from simvirt.cli.run import INTERRUPTED, REPORT_WIDTH, cpus

AtLeast = Annotated[
    int | None,
    typer.Option("--at-least", min=0, metavar="N", help="Exit with status 1 if a platform holds fewer.", show_default=False),
]


def density(
    scenario: ScenarioFile,
    sets: Sets = None,
    seed: Seed = None,
    jobs: Jobs = 0,
    out: Out = Path("results"),
    format_: As = Format.text,
    quiet: Quiet = False,
    at_least: AtLeast = None,
) -> int:
    """Find the largest number of instances that holds the objective on each platform, and what binds it."""
    from simvirt.report import store

    spec = loading.load(scenario, sets, seed)
    with store.prepared(store.folder_of(out, spec.name, spec.digest)) as folder:
        try:
            result = _search(spec, jobs, quiet)
        except KeyboardInterrupt:
            output.note("interrupted: nothing was kept")
            return INTERRUPTED
        document = result.document()
        _save(folder, document)
        _print(document, format_)
    _say_kept(folder, document, quiet)
    if result.interrupted:
        return INTERRUPTED
    few = at_least is not None and any(answer["n"] < at_least for answer in document["density"].values())
    return int(few or (at_least is not None and bool(result.failed)))


def _search(spec: Any, jobs: int, quiet: bool) -> Any:
    """The result, with progress on a terminal."""
    from simvirt.density import density as search
    from simvirt.report.searching import shown

    if (why := slowness.reason()) is not None:
        output.note(why, quiet)
    with shown(output.console(sys.stderr), wanted=not quiet) as progress:
        return search(spec, jobs=jobs or cpus(), progress=progress)


def _save(folder: Path, document: Mapping[str, Any]) -> None:
    """The result as JSON and as text."""
    from simvirt.report import density as report
    from simvirt.report import jsondoc, store

    store.save(folder, {"density.json": jsondoc.dumps(document), "density.txt": report.text(document, REPORT_WIDTH)})


def _print(document: Mapping[str, Any], format_: Format) -> None:
    """The result in the wanted form."""
    from simvirt.report import density as report
    from simvirt.report.jsondoc import dumps

    out = output.console(sys.stdout)
    if format_ is Format.text and out.is_terminal:
        return out.print(report.report(document, out.width))
    forms = {Format.text: lambda d: report.text(d, out.width), Format.json: dumps, Format.csv: report.csv, Format.markdown: report.markdown}
    output.write(forms[format_](document))


def _say_kept(folder: Path, document: Mapping[str, Any], quiet: bool) -> None:
    """Where the result is; of an interrupted search also what is in it, even when quiet."""
    if not document.get("interrupted"):
        return output.note(f"{folder}/density.json", quiet)
    output.note(f"interrupted: kept {', '.join(document['density'])} in {folder}/density.json")

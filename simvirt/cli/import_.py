"""`simvirt import`: a scenario from files that people have."""

import os
from pathlib import Path
from typing import Annotated

import typer

from simvirt.cli import import_measurements, output
from simvirt.cli.options import Quiet

Files = Annotated[
    list[Path] | None, typer.Argument(metavar="FILE...", help="Files of the project; later ones go over earlier ones.", show_default=False)
]
More = Annotated[
    list[Path] | None, typer.Option("-f", "--file", metavar="FILE", help="The same, as Compose writes it.", show_default=False)
]
Profiles = Annotated[
    list[str] | None, typer.Option("--profile", metavar="NAME", help="Services of this profile too. May be repeated.", show_default=False)
]
EnvFiles = Annotated[
    list[Path] | None, typer.Option("--env-file", metavar="FILE", help="Variables, in place of .env. May be repeated.", show_default=False)
]
Folder = Annotated[
    Path | None,
    typer.Option("--project-directory", metavar="DIR", help="The project's folder; nothing outside it is read.", show_default=False),
]
To = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Where to write the scenario, instead of printing it.", show_default=False),
]
Fast = Annotated[bool, typer.Option("--no-runs", help="Do not order assumed demands by short runs.")]

app = typer.Typer(
    name="import", help="Make a scenario of files that you have: what they cannot say is assumed, and marked.", no_args_is_help=True
)
import_measurements.register(app)


@app.command("compose")
def compose(
    files: Files = None,
    file: More = None,
    profile: Profiles = None,
    env_file: EnvFiles = None,
    project_directory: Folder = None,
    to: To = None,
    no_runs: Fast = False,
    quiet: Quiet = False,
) -> int:
    """Make a scenario of a Compose project: docker-compose.yml and files over it."""
    from simvirt.errors import UsageError
    from simvirt.importers.importing import imported
    from simvirt.importers.projects import Options

    named = [*(files or ()), *(file or ())]
    if not named:
        raise UsageError("expected a Compose file, for example simvirt import compose docker-compose.yml")
    options = Options(
        tuple(profile or ()),
        tuple(map(str, env_file or ())),
        None if project_directory is None else str(project_directory),
        dict(os.environ),
    )
    found = imported("compose", [str(name) for name in named], options, ordered=not no_runs)
    if found.application.unvalidated is not None:
        output.note(f"{named[0]} was {found.application.unvalidated}", quiet)
    return _written(found.text, len(found.guesses.assumed), to, quiet)


Manifests = Annotated[
    list[Path], typer.Argument(metavar="FILE|DIR...", help="Manifests, folders of them, kustomizations.", show_default=False)
]


@app.command("kubernetes")
def kubernetes(files: Manifests, to: To = None, no_runs: Fast = False, quiet: Quiet = False) -> int:
    """Make a scenario of Kubernetes manifests: workloads, Services, autoscalers, budgets, kustomizations."""
    from simvirt.importers.importing import imported

    found = imported("kubernetes", [str(name) for name in files], ordered=not no_runs)
    return _written(found.text, len(found.guesses.assumed), to, quiet)


Domains = Annotated[
    list[Path], typer.Argument(metavar="FILE|DIR...", help="What virsh dumpxml prints, and virsh capabilities.", show_default=False)
]
Exports = Annotated[
    list[Path], typer.Argument(metavar="FILE|DIR...", help="A workbook of RVTools, or its tabs as CSV files.", show_default=False)
]


@app.command("libvirt")
def libvirt(files: Domains, to: To = None, quiet: Quiet = False) -> int:
    """Make a scenario of libvirt's domains: as they are, and as containers; `simvirt plan` says on how many new hosts."""
    from simvirt.importers.estates import estate
    from simvirt.importers.libvirt import load

    found = estate(load([str(name) for name in files]))
    return _written(found.text, found.assumed, to, quiet)


@app.command("rvtools")
def rvtools(files: Exports, to: To = None, quiet: Quiet = False) -> int:
    """Make a scenario of an export of RVTools: as it is, and as containers; `simvirt plan` says on how many new hosts."""
    from simvirt.importers.estates import estate
    from simvirt.importers.rvtools import load

    found = estate(load([str(name) for name in files]))
    return _written(found.text, found.assumed, to, quiet)


Traces = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of traces, in JSON.", show_default=False)]


@app.command("otel")
def otel(files: Traces, to: To = None, quiet: Quiet = False) -> int:
    """Make a scenario of traces in OTLP's JSON, as the OpenTelemetry Collector writes them."""
    return _traced("otel", files, to, quiet)


@app.command("jaeger")
def jaeger(files: Traces, to: To = None, quiet: Quiet = False) -> int:
    """Make a scenario of traces in Jaeger's JSON, as its API gives them."""
    return _traced("jaeger", files, to, quiet)


def _traced(kind: str, files: list[Path], to: Path | None, quiet: bool) -> int:
    """Traces as a scenario; where that is a file, the times that were seen are a table beside it."""
    from simvirt.importers.traced import traced

    table = None if to is None else to.with_suffix(".csv")
    found = traced(kind, [str(name) for name in files], None if table is None else table.name)
    if table is not None and found.table:
        output.new_file(table, found.table)
    return _written(found.text, found.assumed, to, quiet)


def _written(text: str, assumed: int, to: Path | None, quiet: bool) -> int:
    """The scenario, printed or as a file that is not there yet."""
    if to is None:
        output.write(text)
        return 0
    output.new_file(to, text)
    output.note(f"{to}: {assumed} values are assumed, each marked with its reason; next: simvirt run {to}", quiet)
    return 0

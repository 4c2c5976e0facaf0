"""`simvirt calibrate`: entries of the catalogue from this machine's own Linux."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from simvirt.cli import output
from simvirt.cli.options import As, Format, Quiet

Name = Annotated[str, typer.Option("--name", help="Name of the entries.")]
Folder = Annotated[
    Path | None,
    typer.Option("--folder", metavar="DIR", help="A folder on the disk to measure; by default the present one.", show_default=False),
]
To = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write the entries.", show_default=False)]


def calibrate(name: Name = "this-machine", folder: Folder = None, to: To = None, format_: As = Format.text, quiet: Quiet = False) -> int:
    """Measure this machine's own Linux as a host of the catalogue: a minute or two, a temporary file of 128 MiB, no rights needed."""
    from simvirt.calibrate.calibrating import calibrate as carry_out
    from simvirt.errors import UsageError
    from simvirt.report.calibration_report import report

    if not sys.platform.startswith("linux"):
        raise UsageError("calibrate measures Linux; expected to be run there")
    place = folder or Path()
    if not place.is_dir():
        raise UsageError(f"{place}: expected a folder on the disk that is to be measured, for example /var/lib")
    if to is not None:
        output.not_there(to)
    document, text = carry_out(name, place, lambda what: output.note(f"measuring {what}", quiet))
    output.report(report(document), format_)
    if to is not None:
        output.new_file(to, text)
        output.note(f"{to}; in a scenario: include: {to}, and host: {{model: {name}}}", quiet)
    return 0

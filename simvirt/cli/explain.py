"""`simvirt explain`: every constant behind a platform, host or other entry."""

from typing import Annotated

import typer

from simvirt.cli import output
from simvirt.cli.options import As, Format

Name = Annotated[str, typer.Argument(help="A platform, hypervisor, runtime, host, image ... of the catalogue.", show_default=False)]


def explain(name: Name, format_: As = Format.text) -> int:
    """Show every constant behind an entry, with unit, spread and source."""
    from simvirt.catalog import Catalog
    from simvirt.report import catalogue

    rows = Catalog.load().explain(name)
    if format_ is Format.text:
        output.show(catalogue.constants(name, rows))
    else:
        output.rows(catalogue.documents(rows), format_)
    return 0

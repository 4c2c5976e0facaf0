"""`simvirt list`: the catalogue's entries."""

from collections.abc import Callable
from typing import Annotated

import typer

from simvirt.cli import output
from simvirt.cli.options import As, Format

Kind = Annotated[str | None, typer.Argument(help="hosts, hypervisors, images ...; all kinds by default.", show_default=False)]


def list_(kind: Kind = None, format_: As = Format.text) -> int:
    """List the catalogue: its kinds, or the entries of one kind with figures and source."""
    from simvirt.catalog import Catalog
    from simvirt.report import catalogue

    catalog = Catalog.load()
    if kind is None:
        _kinds(catalog.names, format_)
    elif format_ is Format.text and kind == "platforms":
        output.show(catalogue.platforms(catalog.listing(kind), output.width()))
    elif format_ is Format.text:
        output.show(catalogue.listing(catalog.listing(kind)))
    else:
        output.rows(catalogue.documents(catalog.listing(kind), lists=format_ is Format.json), format_)
    return 0


def _kinds(names: Callable[[str], list[str]], format_: Format) -> None:
    """All kinds with the names of their entries."""
    from simvirt.catalog.entries.software import KINDS
    from simvirt.report import catalogue

    found = [(kind, names(kind)) for kind in KINDS]
    if format_ is Format.text:
        output.show(catalogue.kinds(found))
    else:
        output.rows([{"kind": kind, "name": name} for kind, entries in found for name in entries], format_)

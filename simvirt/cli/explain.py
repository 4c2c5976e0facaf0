"""`simvirt explain`: every constant behind a platform, host or other entry, and where CPU time goes."""

from typing import TYPE_CHECKING, Annotated

import typer

from simvirt.cli import output
from simvirt.cli.options import As, Format

if TYPE_CHECKING:
    from simvirt.catalog import Catalog, HostEntry

Name = Annotated[str, typer.Argument(help="A platform, hypervisor, runtime, host, profile ... of the catalogue.", show_default=False)]
Against = Annotated[str | None, typer.Option(metavar="PLATFORM", help="A second platform to compare with the first.", show_default=False)]
Workload = Annotated[
    str | None, typer.Option(metavar="PROFILE", help="Show where a CPU-second of this profile or image goes.", show_default=False)
]
Host = Annotated[str, typer.Option(metavar="MODEL", help="The host model for which costs are shown.")]


def explain(name: Name, against: Against = None, workload: Workload = None, host: Host = "generic", format_: As = Format.text) -> int:
    """Show every constant behind an entry, with unit, spread and source; of platforms what each operation costs."""
    from simvirt.catalog import Catalog

    catalog = Catalog.load()
    machine = catalog.host_model(host)
    if workload is not None:
        _spending(catalog, [name, *([against] if against else [])], workload, machine, format_)
    elif against is not None:
        _against(catalog, (name, against), machine, format_)
    else:
        _entry(catalog, name, machine, format_)
    return 0


def _entry(catalog: "Catalog", name: str, host: "HostEntry", format_: Format) -> None:
    """One entry: a platform by its costs, any other by its constants."""
    from simvirt.catalog.cost_breakdown import charges
    from simvirt.report import catalogue
    from simvirt.report import charges as report

    rows = catalog.explain(name, host=host.name)
    if format_ is not Format.text:
        output.rows(catalogue.documents(rows), format_)
    elif name in catalog.names("platforms"):
        listed, = (row for row in catalog.listing("platforms") if row.name == name)
        sizes = [row for row in rows if row.ns is None and row.value is not None and row.kind != "filesystems"]
        costs = charges(catalog.named_platform(name), host)
        output.show(report.platform(name, listed.title, listed.facts, costs, sizes, _on(host), output.width()))
    else:
        output.show(catalogue.constants(name, rows))


def _against(catalog: "Catalog", names: tuple[str, str], host: "HostEntry", format_: Format) -> None:
    """Two platforms beside each other."""
    from simvirt.catalog.cost_breakdown import differences
    from simvirt.report import catalogue
    from simvirt.report import charges as report

    one, two = (catalog.named_platform(name) for name in names)
    rows = differences(one, two, host)
    if format_ is Format.text:
        output.show(report.against(names, rows, _on(host), output.width()))
    else:
        output.rows(catalogue.documents(rows), format_)


def _spending(catalog: "Catalog", names: list[str], workload: str, host: "HostEntry", format_: Format) -> None:
    """Where a CPU-second of a workload goes on one platform or two."""
    from simvirt.catalog.cost_breakdown import spending
    from simvirt.report import catalogue
    from simvirt.report import charges as report

    profile = catalog.named_profile(workload)
    found = [spending(catalog.named_platform(name), profile, host) for name in names]
    if format_ is Format.text:
        output.show(report.spending(profile.name, found, _on(host)))
    else:
        output.rows(catalogue.documents(row for rows in found for row in rows), format_)


def _on(host: "HostEntry") -> str:
    """The host that costs are stated for."""
    return f"on {host.name} ({host.family.name}, {host.clock_hz / 1e9:g} GHz)"

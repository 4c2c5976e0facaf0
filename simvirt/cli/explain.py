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
Start = Annotated[bool, typer.Option("--start", help="Show the phases in which a replica starts on the platform.")]
Image = Annotated[str | None, typer.Option(metavar="IMAGE", help="With --start: the software that starts on it.", show_default=False)]
Host = Annotated[str, typer.Option(metavar="MODEL", help="The host model for which costs are shown.")]


def explain(
    name: Name, against: Against = None, workload: Workload = None, host: Host = "generic", start: Start = False, image: Image = None,
    format_: As = Format.text,
) -> int:
    """Show every constant behind an entry, with unit, spread and source; of platforms what each operation costs, or how they start."""
    from simvirt.catalog import Catalog

    catalog = Catalog.load()
    machine = catalog.host_model(host)
    if start or image is not None:
        _start(catalog, name, image, machine, format_)
    elif workload is not None:
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


def _start(catalog: "Catalog", name: str, image: str | None, host: "HostEntry", format_: Format) -> None:
    """The phases in which a replica starts, with the software of an image or without."""
    from simvirt.catalog.resolve.startups import alone_ns, software_name
    from simvirt.errors import UsageError
    from simvirt.report import starts

    platform = catalog.named_platform(name)
    if image is not None and software_name(catalog, image) is None:
        raise UsageError(f"--image {image}: the catalogue does not know how its software starts; it knows nginx:1.27 or postgres:16")
    phases = catalog.phases_of(platform, host, image)
    if format_ is Format.text:
        output.show(starts.start(name, catalog.entry("platforms", name).title, phases, host, _on(host), output.width()))
    else:
        output.rows([{**phase.document(), "alone_ns": alone_ns(phase, host)} for phase in phases], format_)


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

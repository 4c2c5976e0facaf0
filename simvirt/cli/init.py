"""`simvirt init`: a first scenario from a few answers."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simvirt.cli import output

if TYPE_CHECKING:
    from simvirt.scenario.starting import Wanted

To = Annotated[Path, typer.Argument(metavar="[FILE]", help="Where to write it; a file that is there is left as it is.")]
Kind = Annotated[str | None, typer.Option("--kind", help="web, database, event-loop or batch.", show_default=False)]
Rate = Annotated[str | None, typer.Option("--rate", help="Requests that come whatever happens: 300/s, 20/min.", show_default=False)]
Clients = Annotated[int | None, typer.Option("--clients", min=1, help="Clients that wait, instead of a rate.", show_default=False)]
Think = Annotated[str, typer.Option("--think", metavar="TIME", help="How long a client waits before it asks again.")]
Host = Annotated[str | None, typer.Option("--host", metavar="MODEL", help="A host that `simvirt list hosts` has.", show_default=False)]
Cores = Annotated[int, typer.Option("--cores", min=1, help="Cores of a host that is no model of the catalogue.")]
Memory = Annotated[str, typer.Option("--memory", help="Its memory.")]
Platform = Annotated[list[str] | None, typer.Option("--platform", help="May be repeated; bare-metal, docker and kvm.", show_default=False)]
Limit = Annotated[str | None, typer.Option("--p99", metavar="TIME", help="What the 99th percentile has to stay below.", show_default=False)]


def init(
    file: To = Path("scenario.yaml"), kind: Kind = None, rate: Rate = None, clients: Clients = None, think: Think = "1s",
    host: Host = None, cores: Cores = 8, memory: Memory = "32GiB", platform: Platform = None, p99: Limit = None,
) -> int:
    """Write a first scenario with comments, from a few answers: asked for on a terminal, else given as options."""
    from simvirt.errors import UsageError
    from simvirt.scenario.starting import PLATFORMS, Wanted, text

    if file.exists():
        raise UsageError(f"{file}: is there already; name another file, for example simvirt init {file.stem}-2.yaml")
    wanted = Wanted(kind or "web", file.stem, rate, clients, think, host, cores, memory, tuple(platform or PLATFORMS), p99)
    if kind is None and rate is None and clients is None and sys.stdin.isatty():
        wanted = _asked(wanted)
    _write(file, text(wanted))
    output.note(f"{file}; next: simvirt run {file}")
    return 0


def _asked(wanted: "Wanted") -> "Wanted":
    """What the user answers, with what is likely beside each question."""
    from simvirt.scenario.starting import KINDS, LIMITS, RATES

    kind = typer.prompt(f"What is the load like ({', '.join(KINDS)})?", default=wanted.kind)
    rate = typer.prompt("How many requests come?", default=RATES.get(kind, "100/s"))
    platforms = typer.prompt("On which platforms?", default=", ".join(wanted.platforms))
    limit = typer.prompt("What has the 99th percentile to stay below?", default=wanted.p99 or LIMITS.get(kind, "100ms"))
    names = tuple(name.strip() for name in platforms.split(",") if name.strip())
    return replace(wanted, kind=kind, rate=rate, platforms=names, p99=limit)


def _write(file: Path, text: str) -> None:
    """The scenario as a file, if it is one; mistakes are those of the answers."""
    from simvirt.runs.admission import catalog_of
    from simvirt.scenario import loads

    catalog_of(loads(text, str(file)))
    output.new_file(file, text)

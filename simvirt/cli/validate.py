"""`simvirt validate`: predictions beside published measurements, theory and, if given, a measured Linux kernel."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from simvirt.cli import output, slowness
from simvirt.cli.options import As, Format, Jobs, Out, Quiet, Seed
from simvirt.cli.run import cpus

Topics = Annotated[
    list[int] | None, typer.Option("--topic", metavar="NUMBER", help="Only the tables of a topic. May be repeated.", show_default=False)
]
Tables = Annotated[
    list[str] | None, typer.Option("--table", metavar="ID", help="Only one table. May be repeated.", show_default=False)
]
Replications = Annotated[int, typer.Option("--replications", min=1, help="Replications of each prediction.")]
Linux = Annotated[
    Path | None,
    typer.Option("--linux", metavar="FILE", help="Also replay the measured rows of a Linux kernel in this file.", show_default=False),
]
WIDTH = 120


def validate(
    topic: Topics = None,
    table: Tables = None,
    linux: Linux = None,
    replications: Replications = 1,
    seed: Seed = None,
    jobs: Jobs = 0,
    out: Out = Path("results"),
    format_: As = Format.text,
    quiet: Quiet = False,
) -> int:
    """Score predictions against published measurements and theory; keep the result under results/validate/."""
    from simvirt.report import store
    from simvirt.validation.facts import chosen

    if (why := slowness.reason()) is not None:
        output.note(why, quiet)
    tables = chosen(tuple(topic or ()), tuple(table or ()))
    with store.prepared(out / "validate") as folder:
        document = _document(tables, linux, replications, seed or 1, jobs or cpus(), everything=not (topic or table), quiet=quiet)
        _save(folder, document)
        _print(document, format_)
    output.note(f"{out / 'validate'}/result.json", quiet)
    return 0


def _document(tables: Any, linux: Path | None, replications: int, seed: int, jobs: int, everything: bool, quiet: bool) -> dict[str, Any]:
    """All predictions, with a line on a terminal that says how far they are."""
    from simvirt.report.progress import counted
    from simvirt.validation.predict import Conditions
    from simvirt.validation.suite import validate as score

    with counted(output.console(sys.stderr), len(tables), wanted=not quiet) as progress:
        conditions = Conditions(seed, replications)
        return score(tables, conditions, jobs, with_theory=everything, reference=linux, progress=progress).document()


def _save(folder: Path, document: dict[str, Any]) -> None:
    """The result as JSON, as text and as a plot."""
    from simvirt.report import accuracyplot, jsondoc, store, validation

    files = {store.RESULT: jsondoc.dumps(document), store.REPORT: validation.text(document, WIDTH)}
    store.save(folder, files | {"accuracy.svg": accuracyplot.svg(document)})


def _print(document: dict[str, Any], format_: Format) -> None:
    """The result in the wanted form."""
    from simvirt.report import jsondoc, validation

    if format_ is Format.json:
        output.write(jsondoc.dumps(document))
    elif format_ is Format.markdown:
        output.write(validation.as_markdown(document))
    elif format_ is Format.csv:
        output.rows(validation.flat_rows(document), format_)
    else:
        _text(document)


def _text(document: dict[str, Any]) -> None:
    """Text, in colour on a terminal."""
    from simvirt.report import validation

    console = output.console(sys.stdout)
    if console.is_terminal:
        console.print(validation.report(document, console.width))
    else:
        output.write(validation.text(document, output.width(WIDTH)))

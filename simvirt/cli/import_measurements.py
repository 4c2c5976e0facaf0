"""`simvirt import k6`, `wrk`, `docker-stats` ...: measurements as a table of points, which `simvirt fit --from` takes."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer

from simvirt.cli import output
from simvirt.cli.options import Quiet

TOOLS: Final = {
    "k6": "summaries of k6: k6 run --summary-export FILE",
    "wrk": "what wrk or wrk2 print",
    "hey": "what hey prints, or hey -o csv",
    "locust": "the _stats.csv of locust --csv",
    "docker-stats": "docker stats, its table or --format json",
    "sar": "sar -u 1 60, or sadf -j",
    "vmstat": "vmstat 1 60",
    "prometheus": "answers of query_range; cpu=FILE, memory=, rate= and latency= say what an expression is",
}
"""Form -> what files of it are."""
Sources = Annotated[list[str], typer.Argument(metavar="FILE...", help="Outputs of the tool, a run each.", show_default=False)]
To = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write the table, instead of printing it.",
                                         show_default=False)]


def register(app: typer.Typer) -> None:
    """Adds a command for each tool."""
    for form, what in TOOLS.items():
        app.command(form, help=f"Make a table of points of {what}.")(_command(form))


def _command(form: str) -> Callable[..., int]:
    """The command of a form."""

    def read(files: Sources, to: To = None, quiet: Quiet = False) -> int:
        from simvirt.measurements.reading import each
        from simvirt.measurements.table import text

        found = each(files, form)
        if to is None:
            output.write(text(found))
            return 0
        output.new_file(to, text(found))
        output.note(f"{to}: {len(found)} points; next: simvirt fit SCENARIO --from {to}", quiet)
        return 0

    return read

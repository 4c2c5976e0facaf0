"""`simvirt sweep`: a scenario over many values of its leaves; every cell is kept as it ends."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simvirt.cli.command import INTERRUPTED, Question, Settings, carried_out
from simvirt.cli.options import Seed, Sets

if TYPE_CHECKING:
    from simvirt.result.sweep_document import SweepDocument
    from simvirt.sweep import Sweep

SweepFile = Annotated[Path, typer.Argument(metavar="FILE", help="A sweep in YAML, or a scenario with --vary.", show_default=False)]
Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary", metavar="PATH=VALUES", show_default=False,
        help="An axis: services.web.deploy.replicas=1..16, workload.open.rate=200/s..1600/s..200/s (in steps) or 100/s..10000/s:7:log "
        "(points), platforms=docker,kvm. May be repeated.",
    ),
]
Limit = Annotated[str | None, typer.Option("--limit", metavar="TIME", help="Longest time that a cell may take.", show_default=False)]
Precision = Annotated[
    str | None,
    typer.Option(
        "--precision", metavar="RATIO", help="Replicate each cell until its intervals are so narrow: 2%.", show_default=False
    ),
]
DesignOf = Annotated[
    str | None,
    typer.Option(
        "--design", metavar="KIND:CELLS", show_default=False,
        help="grid, or random, latin-hypercube, sobol with a number of cells, sobol-indices with one of pairs.",
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with what was begun; failed cells are tried once more.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Begin anew: what was begun is deleted.")]
Pareto = Annotated[
    str | None,
    typer.Option(
        "--pareto", metavar="NAMES", show_default=False,
        help="The front of cells that nothing beats: services.web.deploy.replicas,p99, each with :min or :max where that is not plain.",
    ),
]
ClusterAt = Annotated[
    str | None,
    typer.Option(
        "--cluster", metavar="ADDRESS", show_default=False,
        help="Workers of a Dask scheduler at an address or in a scheduler file (needs simvirt[cluster]).",
    ),
]
Parquet = Annotated[bool, typer.Option("--parquet", help="Keep the rows as cells.parquet too (needs simvirt[parquet]).")]
Maximum = Annotated[bool, typer.Option("--maximum", help="Look for the maximum throughput in every cell too.")]


def sweep(
    settings: Settings, file: SweepFile, vary: Vary = None, sets: Sets = None, seed: Seed = None, design: DesignOf = None,
    precision: Precision = None, limit: Limit = None, resume: Resume = False, fresh: Fresh = False, maximum: Maximum = False,
    pareto: Pareto = None, parquet: Parquet = False, cluster: ClusterAt = None,
) -> int:
    """Simulate a scenario over many values; keep every cell as it ends, so that nothing is lost; say what the results depend on."""
    from simvirt.report import store
    from simvirt.report.sweep_report import report
    from simvirt.result import arrow
    from simvirt.sweep import load
    from simvirt.units import parse_time

    sets = [*(sets or ()), *([f"run.seed={seed}"] if seed is not None else [])]
    limit_s = None if limit is None else parse_time(limit, zero=False) / 1e9
    asked = load(file, vary or (), sets, _design(design), limit_s, maximum, precision, pareto)
    folder = store.folder_of(settings.out, f"sweep-{asked.name}", asked.digest)
    files: dict[str, Callable[[SweepDocument], str | bytes]] = {"cells.csv": _csv}
    if parquet and arrow.library():  # a mistake before anything is simulated where there is none
        files["cells.parquet"] = _parquet
    names = ("sweep.json", "sweep.txt")
    question = Question(folder, lambda: _swept(asked, settings, folder, resume, fresh, cluster), report, names, files, cut=_kept)
    document = carried_out(question, settings)
    return INTERRUPTED if document.interrupted else 0


def _design(text: str | None) -> dict[str, int] | str | None:
    """A design as a file has it, from `sobol:128`."""
    kind, colon, number = (text or "").partition(":")
    return {kind: int(number)} if colon and number.isdigit() else text


def _swept(asked: "Sweep", settings: Settings, folder: Path, resume: bool, fresh: bool, address: str | None) -> "SweepDocument":
    """The result, with progress."""
    from simvirt.report.cells_progress import following
    from simvirt.sweep import sweep as carry_out
    from simvirt.sweep.cluster import cluster

    with ExitStack() as stack:
        executor = None if address is None else stack.enter_context(cluster(address))
        jobs = settings.jobs if executor is None else executor.workers
        progress = stack.enter_context(following(settings.console, asked.cells, wanted=not settings.quiet))
        return carry_out(asked, folder, jobs, resume, fresh, executor, progress).typed()


def _csv(document: "SweepDocument") -> str:
    """The rows of all cells."""
    from simvirt.report.formats import rendered
    from simvirt.report.sweep_report import report

    return rendered(report(document), "csv")


def _parquet(document: "SweepDocument") -> bytes:
    """The rows of all cells."""
    from simvirt.result import arrow, frames

    return arrow.parquet(frames.of_rows(document.rows))


def _kept(document: "SweepDocument") -> str | None:
    """What an interrupted result holds."""
    return f"{document.done} of {document.cells} cells; go on with --resume" if document.interrupted else None

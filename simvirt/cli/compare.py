"""`simvirt compare`: what changed from one result to another, how surely, and what differs between the two."""

import hashlib
from typing import TYPE_CHECKING, Annotated

import typer

from simvirt.cli import loading, output
from simvirt.cli.command import Question, Settings, carried_out
from simvirt.cli.options import Seed, Sets

if TYPE_CHECKING:
    from pathlib import Path

    from simvirt.result.compare_document import CompareDocument
    from simvirt.result.run_document import RunDocument

Before = Annotated[str, typer.Argument(metavar="A", help="A result file or its folder, or a scenario, which is run.", show_default=False)]
After = Annotated[str, typer.Argument(metavar="B", help="What it is compared with, of the same kind.", show_default=False)]
Assert = Annotated[
    list[str] | None,
    typer.Option(
        "--assert", metavar="CHANGE", show_default=False,
        help="Exit with status 1 unless the change surely is within this: 'p99 +5%', 'throughput -2%', 'kvm: cpu +3%'. May be repeated.",
    ),
]
Margin = Annotated[str, typer.Option("--margin", metavar="RATIO", help="A change that is no larger counts as none.")]


def compare(
    settings: Settings, before: Before, after: After, sets: Sets = None, seed: Seed = None, assert_: Assert = None, margin: Margin = "5%",
) -> int:
    """Compare two results: paired differences with intervals, on each platform; scenarios are run first, --set and --seed for both."""
    from simvirt.compare import Allowed
    from simvirt.report import store
    from simvirt.report.compare_report import failures, report
    from simvirt.units import parse_ratio

    width = parse_ratio(margin)
    for text in assert_ or ():
        Allowed.of(text)
    digest = hashlib.sha256("\0".join((before, after, *(sets or ()), str(seed))).encode()).hexdigest()
    folder = store.folder_of(settings.out, "compare", digest)
    names, files = ("compare.json", "compare.txt"), {"compare.csv": _csv}
    question = Question(folder, lambda: _compared(before, after, settings, width, assert_ or [], sets, seed), report, names, files)
    broken = list(failures(carried_out(question, settings)))
    for line in broken:
        output.note(f"--assert: {line}")
    return int(bool(broken))


def _compared(
    before: str, after: str, settings: Settings, margin: float, asserts: list[str], sets: list[str] | None, seed: int | None,
) -> "CompareDocument":
    """The comparison, with progress on a terminal where scenarios are run."""
    from simvirt.compare import compare as carry_out
    from simvirt.compare.sides import is_scenario
    from simvirt.errors import UsageError

    if (sets or seed is not None) and not (is_scenario(before) or is_scenario(after)):
        raise UsageError("--set and --seed are for scenarios, which are run; results are what they are")

    def simulate(path: "Path") -> "RunDocument":
        from simvirt.report.progress import shown
        from simvirt.runs.run import run

        with shown(settings.console, wanted=not settings.quiet) as progress:
            return run(loading.load(path, sets, seed), jobs=settings.jobs, progress=progress).typed()

    return carry_out(before, after, margin, asserts, simulate).typed()


def _csv(document: "CompareDocument") -> str:
    """The rows of all measures."""
    from simvirt.report.compare_report import report
    from simvirt.report.formats import rendered

    return rendered(report(document), "csv")

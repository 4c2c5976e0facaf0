"""`simvirt run`: simulate every platform, print them side by side, keep the result."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from simvirt.cli import loading, output, slowness
from simvirt.cli.options import As, Format, Jobs, Out, Quiet, ScenarioFile, Seed, Sets

REPORT_WIDTH = 100
INTERRUPTED = 130  # as shells say of a command that Ctrl-C ended

Assert = Annotated[bool, typer.Option("--assert", help="Exit with status 1 unless every objective is surely met.")]


def run(
    scenario: ScenarioFile,
    sets: Sets = None,
    seed: Seed = None,
    jobs: Jobs = 0,
    out: Out = Path("results"),
    format_: As = Format.text,
    quiet: Quiet = False,
    assert_: Assert = False,
) -> int:
    """Simulate every platform; print them side by side; keep the result under results/."""
    from simvirt.report import store

    spec = loading.load(scenario, sets, seed)
    _require_objective(spec, assert_)
    with store.prepared(store.folder_of(out, spec.name, spec.digest)) as folder:
        try:
            result = _simulate(spec, jobs, quiet)
        except KeyboardInterrupt:
            output.note("interrupted: nothing was kept")
            return INTERRUPTED
        document = result.document()
        if document["platforms"]:
            _save(folder, document)
            output.result(document, format_)
    _say_kept(folder, document, result.interrupted, quiet)
    return INTERRUPTED if result.interrupted else int(assert_ and _fails(document))


def _require_objective(spec: Any, assert_: bool) -> None:
    """--assert needs something to assert."""
    from simvirt.errors import UsageError

    if assert_ and spec.objective is None:
        raise UsageError("--assert: the scenario has no objective; give it one, such as `objective: {latency_p99: 100ms}`")


def _simulate(spec: Any, jobs: int, quiet: bool) -> Any:
    """The result, with progress on a terminal."""
    from simvirt.report.progress import shown
    from simvirt.runs.run import run as simulate

    if (why := slowness.reason()) is not None:
        output.note(why, quiet)
    with shown(output.console(sys.stderr), wanted=not quiet) as progress:
        return simulate(spec, jobs=jobs or cpus(), progress=progress)


def cpus() -> int:
    """CPUs that this process may use."""
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _save(folder: Path, document: Mapping[str, Any]) -> None:
    """The result as JSON and as text."""
    from simvirt.report import jsondoc, store, text

    store.save(folder, {store.RESULT: jsondoc.dumps(document), store.REPORT: text.text(document, REPORT_WIDTH)})


def _say_kept(folder: Path, document: Mapping[str, Any], interrupted: bool, quiet: bool) -> None:
    """Where the result is; of an interrupted run also what is in it, even when quiet."""
    if not interrupted:
        return output.note(f"{folder}/result.json", quiet)
    kept = [f"{p.get('replications', '?')} of {document['replications']} of {name}" for name, p in document["platforms"].items()]
    where = f" in {folder}/result.json" if kept else ""
    output.note(f"interrupted: kept replications: {', '.join(kept) or 'none'}{where}")


def _fails(document: Mapping[str, Any]) -> bool:
    """Whether an objective is missed or undecided on a platform, or nothing is known of one; says which."""
    from simvirt.report.sections import missed, undecided

    failed = [f"{name}: not simulated" for name in document.get("failed", {})]
    found = [*failed, *missed(document), *undecided(document)]
    for line in found:
        output.note(f"--assert: {line}")
    return bool(found)

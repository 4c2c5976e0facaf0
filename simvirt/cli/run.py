"""`simvirt run`: simulate every platform, print them side by side, keep the result."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from simvirt.cli import loading, output
from simvirt.cli.command import FAILED, INTERRUPTED, Question, Settings, carried_out
from simvirt.cli.options import ScenarioFile, Seed, Sets

if TYPE_CHECKING:
    from simvirt.result.run_document import RunDocument
    from simvirt.runs.run import Result
    from simvirt.scenario import Scenario
    from simvirt.trace.window import Window

Assert = Annotated[bool, typer.Option("--assert", help="Exit with status 1 unless every objective is surely met.")]
NoMaximum = Annotated[bool, typer.Option("--no-maximum", help="Do not look for the maximum throughput of each platform.")]
TraceFile = Annotated[
    str | None,
    typer.Option("--trace", metavar="FILE", show_default=False, help="Write a timeline of a part of the run for Perfetto: trace.json.gz."),
]
TraceFrom = Annotated[
    str | None, typer.Option("--trace-from", metavar="TIME", show_default=False, help="Where it begins: 10s; by default after the warm-up.")
]
TraceFor = Annotated[
    str | None, typer.Option("--trace-for", metavar="TIME", show_default=False, help="How long it is: 500ms; by default a second.")
]
TracePlatform = Annotated[
    str | None, typer.Option("--trace-platform", metavar="NAME", show_default=False, help="Whose run it is of; by default the first one's.")
]
TraceOf = Annotated[
    str, typer.Option("--trace-of", metavar="PART", help="What it shows: all, or control (events, replicas, instances) of the whole run.")
]
TRACE_OPTIONS: Final[Mapping[str, str]] = {
    "file": "--trace", "start": "--trace-from", "length": "--trace-for", "platform": "--trace-platform", "of": "--trace-of",
}
"""Field of a trace -> its option."""


def run(
    settings: Settings, scenario: ScenarioFile, sets: Sets = None, seed: Seed = None, assert_: Assert = False,
    no_maximum: NoMaximum = False, trace: TraceFile = None, trace_from: TraceFrom = None, trace_for: TraceFor = None,
    trace_platform: TracePlatform = None, trace_of: TraceOf = "all",
) -> int:
    """Simulate every platform; print them side by side; keep the result under results/."""
    from simvirt.report import store
    from simvirt.report.run_report import report

    spec = loading.load(scenario, sets, seed)
    _require_objective(spec, assert_)
    window = _window(spec, trace, trace_from, trace_for, trace_platform, trace_of)
    folder, said = store.folder_of(settings.out, spec.name, spec.digest), Said(settings.quiet)
    question = Question(
        folder, lambda: _simulated(spec, settings, not no_maximum, window, said), report, cut=_kept,
        expected=lambda: _seconds(spec, not no_maximum),
    )
    document = carried_out(question, settings)
    return INTERRUPTED if document.interrupted else said.status or int(assert_ and _fails(document))


class Said:
    """What is said of a trace; `status` is what the command ends with where there is none."""

    def __init__(self, quiet: bool) -> None:
        self.quiet, self.status = quiet, 0

    def ahead(self, spec: "Scenario", window: "Window") -> None:
        """How large it will be."""
        from simvirt.runs.trace_size import expected_size
        from simvirt.trace.recorder import amount

        if not self.quiet and window.detail:
            output.note(f"{window.file}: expected: about {amount(*expected_size(spec, window))}")

    def afterwards(self, result: "Result", window: "Window") -> None:
        """What became of it."""
        traced = result.traced
        if traced is None:
            self.status = FAILED
            return output.note(f"no trace: {window.platform} was not simulated")
        if not traced.written:
            self.status = 2 if traced.too_late else FAILED
        output.note(traced.sentence(), self.quiet and traced.written and not traced.lacks)


def _window(
    spec: "Scenario", file: str | None, start: str | None, length: str | None, platform: str | None, of: str,
) -> "Window | None":
    """What is to be traced; None where no file is named."""
    from simvirt.errors import UsageError
    from simvirt.trace.window import Trace, window_of

    if file is not None:
        return window_of(Trace(file, start, length, platform, of), spec, TRACE_OPTIONS)
    for name, value in (("--trace-from", start), ("--trace-for", length), ("--trace-platform", platform), ("--trace-of", of)):
        if value not in (None, "all"):
            raise UsageError(f"{name}: expected --trace and a file beside it, for example --trace trace.json.gz {name} {value}")
    return None


def _require_objective(spec: "Scenario", assert_: bool) -> None:
    """--assert needs something to assert."""
    from simvirt.errors import UsageError

    if assert_ and all(view.objective is None for view in (spec, *spec.alone.values())):
        raise UsageError("--assert: the scenario has no objective; give it one, such as `objective: {latency_p99: 100ms}`")


def _simulated(spec: "Scenario", settings: Settings, maximum: bool, window: "Window | None", said: Said) -> "RunDocument":
    """The result, with progress on a terminal; with a `maximum` throughput of each platform where that is wanted."""
    from simvirt.report.progress import shown
    from simvirt.runs.run import run as simulate

    if window is not None:
        said.ahead(spec, window)
    with shown(settings.console, wanted=not settings.quiet) as progress:
        result = simulate(spec, jobs=settings.jobs, progress=progress, maximum=maximum, trace=window)
    if window is not None:
        said.afterwards(result, window)
    return result.typed()


def _seconds(spec: "Scenario", maximum: bool) -> float:
    """How long the run is expected to take."""
    from simvirt.runs.forecast import seconds

    return seconds(spec, maximum)


def _kept(document: "RunDocument") -> str | None:
    """What an interrupted result holds."""
    if not document.interrupted:
        return None
    kept = [f"{found.replications} of {document.replications} of {name}" for name, found in document.platforms.items()]
    return f"replications: {', '.join(kept) or 'none'}"


def _fails(document: "RunDocument") -> bool:
    """Whether an objective is missed or undecided on a platform, or nothing is known of one; says which."""
    from simvirt.report.limits import not_met

    found = [*(f"{name}: it could not be simulated" for name in document.failed), *not_met(document)]
    for line in found:
        output.note(f"--assert: {line}")
    return bool(found)

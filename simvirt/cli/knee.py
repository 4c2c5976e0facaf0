"""`simvirt knee`: the rate at which an objective breaks, on each platform."""

from typing import TYPE_CHECKING, Annotated

import typer

from simvirt.cli import loading
from simvirt.cli.command import INTERRUPTED, Question, Settings, carried_out
from simvirt.cli.options import OnlyPlatform, ScenarioFile, Seed, Sets

if TYPE_CHECKING:
    from simvirt.result.knee_document import KneeDocument
    from simvirt.scenario import Scenario

Objective = Annotated[
    list[str] | None,
    typer.Option(
        "--objective", metavar="LIMIT=VALUE", show_default=False,
        help="What must hold, instead of the scenario's objective: latency_p99=100ms. May be repeated.",
    ),
]
Precision = Annotated[str, typer.Option("--precision", metavar="RATIO", help="How wide the range of rates may be, over its upper end.")]


def knee(
    settings: Settings, scenario: ScenarioFile, sets: Sets = None, seed: Seed = None, objective: Objective = None,
    platform: OnlyPlatform = None, precision: Precision = "5%",
) -> int:
    """Find the rate at which the objective breaks on each platform, and what breaks it."""
    from simvirt.report import store
    from simvirt.report.knee_report import report
    from simvirt.units import parse_ratio

    width = parse_ratio(precision, zero=False)
    spec = loading.only(loading.load(scenario, [*(sets or ()), *_objective(objective)], seed), platform)
    folder = store.folder_of(settings.out, f"{spec.name}-knee", spec.digest)
    question = Question(folder, lambda: _found(spec, width, settings), report, ("knee.json", "knee.txt"), cut=_kept)
    return INTERRUPTED if carried_out(question, settings).interrupted else 0


def _objective(limits: list[str] | None) -> list[str]:
    """What `--set` has instead of limits that are given one by one."""
    from simvirt.errors import UsageError

    if not limits:
        return []
    pairs = [limit.partition("=") for limit in limits]
    wrong = next((limit for limit, (name, _, value) in zip(limits, pairs, strict=True) if not name.strip() or not value.strip()), None)
    if wrong is not None:
        raise UsageError(f"--objective {wrong}: expected a limit and its value, for example --objective latency_p99=100ms")
    return [f"objective={{{', '.join(f'{name.strip()}: {value.strip()}' for name, _, value in pairs)}}}"]


def _found(spec: "Scenario", precision: float, settings: Settings) -> "KneeDocument":
    """The result, with progress on a terminal."""
    from simvirt.knee import knee as search
    from simvirt.report.searching import shown

    with shown(settings.console, wanted=not settings.quiet, what="load") as progress:
        return search(spec, precision, jobs=settings.jobs, progress=progress).typed()


def _kept(document: "KneeDocument") -> str | None:
    """What an interrupted result holds."""
    return ", ".join(document.knees) if document.interrupted else None

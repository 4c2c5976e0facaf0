"""`simvirt plan`: which hosts, how many, what runs where, what it costs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from simvirt.cli import loading, output
from simvirt.cli.command import Question, Settings, carried_out
from simvirt.cli.options import ScenarioFile, Seed, Sets

if TYPE_CHECKING:
    from simvirt.result.plan_document import AlternativeResult, PlanDocument
    from simvirt.scenario import Scenario

WIDTH = 100

Assert = Annotated[bool, typer.Option("--assert", help="Exit with status 1 if no alternative surely carries the load.")]


def plan(settings: Settings, scenario: ScenarioFile, sets: Sets = None, seed: Seed = None, assert_: Assert = False) -> int:
    """Hosts for a load: models and counts, placement, headroom, cost and energy; a ranked table of alternatives."""
    from simvirt.report import store
    from simvirt.report.plan_report import report

    spec = loading.load(scenario, sets, seed)
    folder = store.folder_of(settings.out, f"{spec.name}-plan", spec.digest)
    document = carried_out(Question(folder, lambda: _made(spec, settings), report, width=WIDTH, piped=WIDTH), settings)
    return int(assert_ and _fails(document))


def _fails(document: "PlanDocument") -> bool:
    """Whether nothing surely carries the load; says why of each alternative."""
    if any(map(_carries, document.alternatives)):
        return False
    for found in document.alternatives:
        output.note(f"--assert: {found.platform} on {found.host}: {_doubt(found)}")
    return True


def _doubt(alternative: "AlternativeResult") -> str:
    """Why an alternative does not surely carry the load."""
    from simvirt.report.limits import doubts

    states = {"at peak": alternative.peak, "without the lost hosts": alternative.lost}
    said = [f"{sentence} {when}" for when, state in states.items() if state is not None for sentence in doubts(state.objective)]
    return alternative.reason or "; ".join(said)


def _carries(alternative: "AlternativeResult") -> bool:
    """Whether an alternative surely carries the load: what is undecided is no pass."""
    states = [state for state in (alternative.peak, alternative.lost) if state is not None]
    return alternative.feasible and all(limit.met for state in states for limit in state.objective.values())


def _made(spec: "Scenario", settings: Settings) -> "PlanDocument":
    """The plan, with what is simulated in one line that changes."""
    from simvirt.plan import plan as make

    with _told(settings) as tell:
        return make(spec, settings.jobs, tell).typed()


@contextmanager
def _told(settings: Settings) -> Iterator[Callable[[str], None]]:
    """What is simulated, on a terminal only."""
    console = settings.console
    if settings.quiet or not console.is_terminal:
        yield lambda what: None
        return
    with console.status("planning") as status:
        yield lambda what: status.update(what)

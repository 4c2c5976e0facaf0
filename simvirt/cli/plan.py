"""`simvirt plan`: which hosts, how many, what runs where, what it costs."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from simvirt.cli import loading, output, slowness
from simvirt.cli.options import As, Format, Jobs, Out, Quiet, ScenarioFile, Seed, Sets
from simvirt.cli.run import INTERRUPTED, cpus

REPORT_WIDTH = 100

Assert = Annotated[bool, typer.Option("--assert", help="Exit with status 1 if no alternative surely carries the load.")]


def plan(
    scenario: ScenarioFile,
    sets: Sets = None,
    seed: Seed = None,
    jobs: Jobs = 0,
    out: Out = Path("results"),
    format_: As = Format.text,
    quiet: Quiet = False,
    assert_: Assert = False,
) -> int:
    """Hosts for a load: models and counts, placement, headroom, cost and energy; a ranked table of alternatives."""
    from simvirt.plan import plan as make
    from simvirt.report import jsondoc, planning, store

    spec = loading.load(scenario, sets, seed)
    if (why := slowness.reason()) is not None:
        output.note(why, quiet)
    folder = store.folder_of(out, f"{spec.name}-plan", spec.digest)
    with store.prepared(folder):
        try:
            with _told(not quiet) as tell:
                document = make(spec, jobs or cpus(), tell).document()
        except KeyboardInterrupt:
            output.note("interrupted: nothing was kept")
            return INTERRUPTED
        store.save(folder, {store.RESULT: jsondoc.dumps(document), store.REPORT: planning.text(document, REPORT_WIDTH)})
    _show(document, format_)
    output.note(f"{folder}/result.json", quiet)
    return int(assert_ and not any(_carries(a) for a in document["alternatives"]))


def _carries(alternative: Mapping[str, Any]) -> bool:
    """Whether an alternative surely carries the load: what is undecided is no pass."""
    states = [alternative[name] for name in ("peak", "lost") if alternative.get(name) is not None]
    return alternative["feasible"] and all(limit["met"] is True for state in states for limit in state["objective"].values())


@contextmanager
def _told(wanted: bool) -> Iterator[Callable[[str], None]]:
    """What is simulated, in one line that changes, on a terminal only."""
    console = output.console(sys.stderr)
    if not wanted or not console.is_terminal:
        yield lambda what: None
        return
    with console.status("planning") as status:
        yield lambda what: status.update(what)


def _show(document: Mapping[str, Any], format_: Format) -> None:
    """The plan in the wanted form."""
    from simvirt.report import csvtable, jsondoc, planning

    if format_ is Format.json:
        return output.write(jsondoc.dumps(document))
    if format_ is Format.csv:
        return output.write(csvtable.rows_csv(planning.rows(document)))
    if format_ is Format.markdown:
        return output.write(planning.markdown(document))
    out = output.console(sys.stdout)
    if out.is_terminal:
        return out.print(planning.report(document, out.width))
    output.write(planning.text(document, output.width(REPORT_WIDTH)))

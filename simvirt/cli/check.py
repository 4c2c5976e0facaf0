"""`simvirt check`: all mistakes at once, nothing simulated."""

from dataclasses import asdict
from typing import Any

from simvirt.cli import loading, output
from simvirt.cli.options import As, Format, Quiet, ScenarioFile, Seed, Sets

TABLES = (Format.csv, Format.markdown)


def check(scenario: ScenarioFile, sets: Sets = None, seed: Seed = None, format_: As = Format.text, quiet: Quiet = False) -> int:
    """Report all mistakes in a scenario at once; simulate nothing."""
    from simvirt.errors import ScenarioError
    from simvirt.result.mistakes import without_mistakes
    from simvirt.runs.admission import assumptions, catalog_of
    from simvirt.scenario.checks.contents import check_contents

    try:
        spec = loading.load(scenario, sets, seed)
        check_contents(spec)
        assumed = assumptions(spec, catalog_of(spec))
    except ScenarioError as error:
        if format_ in TABLES:
            output.rows([asdict(issue) for issue in error.issues], format_)
        raise
    if format_ in TABLES:
        output.rows([], format_)
    elif format_ is Format.json:
        output.json(without_mistakes(assumed).document())
    elif not quiet:
        output.write("".join([f"{scenario}: ok ({_summary(spec)})\n", *(f"assumed: {sentence}\n" for sentence in assumed)]))
    return 0


def _summary(spec: Any) -> str:
    """What the scenario holds."""
    counts = ((len(spec.platforms), "platform"), (len(spec.services), "service"))
    return ", ".join(f"{n} {noun}{'' if n == 1 else 's'}" for n, noun in counts)
